// The op table is complete, and docs/ops.md says what stands in it.
#include "tests/support/catch.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <tandem/ir/context.h>

#include "tests/support/golden.h"

using namespace tandem;

namespace {

const std::string docs_path = std::string(TANDEM_TEST_DATA) + "/../../docs/ops.md";
const std::string begin_mark = "<!-- ops: begin -->\n";
const std::string end_mark = "<!-- ops: end -->\n";

std::string trait_names(std::uint32_t traits) {
  std::string out;
  const auto add = [&](std::uint32_t trait, const char* name) {
    if ((traits & trait) != 0)
      out += (out.empty() ? "" : ", ") + std::string(name);
  };
  add(trait::pure, "pure");
  add(trait::commutative, "commutative");
  add(trait::view, "view");
  add(trait::elementwise, "elementwise");
  add(trait::collective, "collective");
  add(trait::fused, "fused");
  return out;
}

/// In a cell of a Markdown table a bar must be escaped.
std::string cell(const std::string& text) {
  std::string out;
  for (char c : text)
    out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string markdown_table(const Context& context) {
  std::string out = "| op | signature | traits | meaning |\n|---|---|---|---|\n";
  for (const OpDef& def : context.ops()) {
    out += "| " + def.name + " | `" + cell(def.signature) + "` | " + trait_names(def.traits) + " | " + cell(def.doc) +
           " |\n";
  }
  return out;
}

}  // namespace

TEST_CASE("every core op has an inference function, a line of documentation and, if fused, a decomposition") {
  const std::shared_ptr<Context> context = Context::create();
  REQUIRE(context->ops().size() == static_cast<std::size_t>(op::Core::count_));
  for (const OpDef& def : context->ops()) {
    CAPTURE(def.name);
    CHECK(def.infer != nullptr);
    CHECK(!def.doc.empty());
    CHECK(def.doc.find('\n') == std::string::npos);
    CHECK((def.decompose != nullptr) == def.has(trait::fused));
  }
}

TEST_CASE("docs/ops.md has the op table as it is") {
  std::ifstream in(docs_path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = text.find(begin_mark);
  const std::size_t end = text.find(end_mark);
  REQUIRE(begin != std::string::npos);
  REQUIRE(end != std::string::npos);
  const std::size_t table = begin + begin_mark.size();
  const std::string expected = markdown_table(*Context::create());
  const char* bless = std::getenv("TANDEM_BLESS");
  if (bless != nullptr && std::string(bless) == "1") {
    std::ofstream(docs_path, std::ios::binary) << text.substr(0, table) << expected << text.substr(end);
    return;
  }
  CHECK(test::first_difference(expected, text.substr(table, end - table)) == "");
}
