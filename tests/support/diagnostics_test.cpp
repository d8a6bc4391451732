// docs/diagnostics.md lists the codes that the sources can give: all of them, no others, each once.
#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/temp_dir.h"

using namespace tandem::test;

namespace {

const std::filesystem::path root = std::filesystem::path(TANDEM_TEST_DATA).parent_path().parent_path();

std::size_t take(std::string_view text, std::string_view of) {
  return std::min(text.find_first_not_of(of), text.size());
}

/// The code, "area.kebab-case", at the start of `text`, if `end` follows it; else "".
std::string_view code_before(std::string_view text, char end) {
  constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz", kebab = "abcdefghijklmnopqrstuvwxyz0123456789-";
  const std::size_t area = take(text, lower);
  if (area == 0 || area == text.size() || text[area] != '.')
    return {};
  const std::size_t name = take(text.substr(area + 1), kebab), size = area + 1 + name;
  return name > 0 && size < text.size() && text[size] == end ? text.substr(0, size) : std::string_view();
}

/// The codes among the literals of a source, comments left out.
void collect_codes(const std::string& source, std::set<std::string>& codes) {
  // Literals of that form which are none: the `format` of documents, and a scope of a model.
  static const std::set<std::string_view> others = {"tandem.graph", "tandem.fusion", "tandem.decision-report",
                                                    "tandem.explanation", "model.norm"};
  std::istringstream lines(source);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t comment = line.find("//");
    if (comment != std::string::npos && (comment == 0 || line[comment - 1] == ' '))
      line.resize(comment);
    if (line.starts_with("#include"))
      continue;  // a GPU kernel's header has the form of a code: "wave.h"
    for (std::size_t at = line.find('"'); at != std::string::npos; at = line.find('"', at + 1)) {
      const std::string_view code = code_before(std::string_view(line).substr(at + 1), '"');
      if (!code.empty() && !others.contains(code))
        codes.emplace(code);
    }
  }
}

std::set<std::string> codes_of_sources() {
  std::set<std::string> codes;
  for (const char* folder : {"ir", "passes", "kernels", "runtime", "tools"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".cpp" || extension == ".h" || extension == ".cu" || extension == ".hip")
        collect_codes(read_file(entry.path()), codes);
    }
  }
  return codes;
}

struct Row {
  std::string area;  ///< Of the heading above: "`pipeline`, `gate`, `expect`: running passes".
  std::string code;
  std::string line;
};

std::vector<Row> rows_of_document() {
  std::vector<Row> rows;
  std::string area;
  std::istringstream lines(read_file(root / "docs" / "diagnostics.md"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## "))
      area = line.substr(3);
    if (line.starts_with("| `"))
      rows.push_back({area, std::string(code_before(std::string_view(line).substr(3), '`')), line});
  }
  return rows;
}

}  // namespace

TEST_CASE("codes are found in literals and not in comments", "[diagnostics]") {
  std::set<std::string> codes;
  collect_codes(
      "throw Error(\"graph.unknown-op\", \"see a.b\");  // not \"graph.cycle\"\n"
      "/// Throws Error \"graph.order\".\n"
      "\"Graph.no\" \"graph\" \"graph.\" \"graph.b.c\" \"tandem.graph\" \"x.y\"\n",
      codes);
  CHECK(codes == std::set<std::string>{"graph.unknown-op", "x.y"});
}

TEST_CASE("docs/diagnostics.md lists the codes of the sources and no others", "[diagnostics]") {
  const std::set<std::string> given = codes_of_sources();
  CHECK(given.contains("graph.unknown-op"));
  std::set<std::string> listed;
  for (const Row& row : rows_of_document())
    CHECK(listed.insert(row.code).second);  // once

  std::string missing, stale;
  for (const std::string& code : given)
    if (!listed.contains(code))
      missing += code + "\n";
  for (const std::string& code : listed)
    if (!given.contains(code))
      stale += code + "\n";
  CHECK(missing == "");
  CHECK(stale == "");
}

TEST_CASE("each row of docs/diagnostics.md stands under its area, in order, and has all three cells", "[diagnostics]") {
  std::string heading, last;
  for (const Row& row : rows_of_document()) {
    INFO(row.line);
    CHECK(row.area.find("`" + row.code.substr(0, row.code.find('.')) + "`") != std::string::npos);
    if (row.area == heading)
      CHECK(last < row.code);
    heading = row.area;
    last = row.code;
    CHECK(std::count(row.line.begin(), row.line.end(), '|') == 4);
    CHECK(row.line.find("|  |") == std::string::npos);
  }
}
