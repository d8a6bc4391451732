#include <tandem/passes/pattern/pattern.h>

#include <bit>

#include <fmt/format.h>

#include <tandem/ir/attribute.h>
#include <tandem/ir/symbol.h>

namespace tandem {

std::string to_string(const Span& span) {
  if (span.line == 0) return span.file;
  if (span.column == 0) return fmt::format("{}:{}", span.file, span.line);
  return fmt::format("{}:{}:{}", span.file, span.line, span.column);
}

bool operator==(const Expr& a, const Expr& b) {
  return a.kind == b.kind && a.boolean == b.boolean && a.integer == b.integer &&
         std::bit_cast<std::uint64_t>(a.real) == std::bit_cast<std::uint64_t>(b.real) && a.text == b.text &&
         a.args == b.args;
}

namespace {

/// Binding strength of an operator: sums 1, products 2, atoms 3.
int strength(Expr::Kind kind) {
  switch (kind) {
    case Expr::Kind::add:
    case Expr::Kind::sub: return 1;
    case Expr::Kind::mul:
    case Expr::Kind::div: return 2;
    case Expr::Kind::neg: return 2;
    default: return 3;
  }
}

std::string inner(const Expr& e, int at_least) {
  std::string text = to_string(e);
  return strength(e.kind) < at_least ? "(" + text + ")" : text;
}

std::string list(const std::vector<Expr>& args) {
  std::string out;
  for (const Expr& a : args) out += (out.empty() ? "" : ", ") + to_string(a);
  return out;
}

}  // namespace

std::string to_string(const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::boolean: return e.boolean ? "true" : "false";
    case Expr::Kind::integer: return std::to_string(e.integer);
    case Expr::Kind::real: return to_string(Attribute::of(e.real));
    case Expr::Kind::string: return to_string(Attribute::of(e.text.empty() ? Symbol() : Symbol(&e.text)));
    case Expr::Kind::name: return e.text;
    case Expr::Kind::capture: return "$" + e.text;
    case Expr::Kind::value: return "%" + e.text;
    case Expr::Kind::list: return "[" + list(e.args) + "]";
    case Expr::Kind::rest: return "...";
    case Expr::Kind::add: return inner(e.args[0], 1) + " + " + inner(e.args[1], 2);
    case Expr::Kind::sub: return inner(e.args[0], 1) + " - " + inner(e.args[1], 2);
    case Expr::Kind::mul: return inner(e.args[0], 2) + " * " + inner(e.args[1], 3);
    case Expr::Kind::div: return inner(e.args[0], 2) + " / " + inner(e.args[1], 3);
    case Expr::Kind::floordiv: return "floordiv(" + list(e.args) + ")";
    case Expr::Kind::mod: return "mod(" + list(e.args) + ")";
    case Expr::Kind::neg: return "-" + inner(e.args[0], 3);
  }
  return "";
}

}  // namespace tandem
