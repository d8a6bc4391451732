#include <tandem/ir/io/json_problems.h>

#include <fmt/format.h>
#include <simdjson.h>

#include <tandem/ir/io/spelling.h>

namespace tandem::io {

void JsonProblems::report(const JsonPath& path, Diagnostic d) {
  const std::size_t offset = locator_.find(path);
  d.where = source_.location(offset, to_string(path));
  d.source_line = source_.line_around(offset);
  findings_.add(std::move(d));
}

void JsonProblems::report_kind(const JsonPath& path, std::string_view expected, const simdjson::dom::element& found,
                               std::string help) {
  report(path, "json.kind", fmt::format("expected {}, found {}", expected, describe(found)), std::move(help));
}

std::string JsonProblems::place(const JsonPath& path) {
  JsonLocator locator(source_.text());
  const SourceLocation at = source_.location(locator.find(path));
  return fmt::format("{}:{}:{}", at.file, at.line, at.column);
}

std::string describe(const simdjson::dom::element& e) {
  using simdjson::dom::element_type;
  switch (e.type()) {
    case element_type::ARRAY: return "an array";
    case element_type::OBJECT: return "an object";
    case element_type::INT64: return fmt::format("the number {}", std::int64_t(e));
    case element_type::UINT64: return fmt::format("the number {}", std::uint64_t(e));
    case element_type::DOUBLE: {
      std::string number;
      append_real(number, double(e));
      return "the number " + number;
    }
    case element_type::STRING: {
      const std::string_view text = e;
      std::string quoted;
      append_quoted(quoted, text.substr(0, 40));
      return "the string " + quoted + (text.size() > 40 ? "..." : "");
    }
    case element_type::BOOL: return bool(e) ? "true" : "false";
    case element_type::NULL_VALUE: return "null";
  }
  return "something else";
}

}  // namespace tandem::io
