#include <tandem/passes/pattern/pattern.h>

#include <bit>

#include <fmt/format.h>

namespace tandem {

std::string to_string(const Span& span) {
  if (span.line == 0)
    return span.file;
  if (span.column == 0)
    return fmt::format("{}:{}", span.file, span.line);
  return fmt::format("{}:{}:{}", span.file, span.line, span.column);
}

bool operator==(const Expr& a, const Expr& b) {
  return a.kind == b.kind && a.boolean == b.boolean && a.integer == b.integer &&
         std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real) && a.text == b.text &&
         a.args == b.args;
}

}  // namespace tandem
