// The conditions of `where`.
#include <tandem/passes/pattern/text_clauses.h>

#include <optional>

#include <fmt/format.h>

#include <tandem/passes/pattern/text_expr.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_text {

std::vector<Guard> ClauseParser::where_block(const Token& owner) {
  std::vector<Guard> guards;
  block(owner, "the conditions", [&] {
    guards.push_back(guard());
    cursor_.accept(",");
  });
  return guards;
}

std::vector<Guard> ClauseParser::guard_list() {
  std::vector<Guard> guards;
  do {
    begin(cursor_.peek());
    guards.push_back(guard());
  } while (cursor_.accept(","));
  return guards;
}

Guard ClauseParser::guard() {
  const Token first = cursor_.peek();
  cursor_.count(first);
  Guard g;
  g.span = cursor_.span(first);
  g.negated = cursor_.accept_word("not");
  const Token name = cursor_.peek();
  if (name.kind == TokenKind::name && (name.quoted || !is_reserved(name.text)) && cursor_.peek(1).is("(")) {
    g.predicate = cursor_.take().text;
    cursor_.take();
    if (!cursor_.peek().is(")")) {
      do
        g.args.push_back(parse_expr(cursor_));
      while (cursor_.accept(","));
    }
    cursor_.expect(")", "or ',' within the arguments");
    return g;
  }
  g.args.push_back(parse_expr(cursor_, true));
  const Token sign = cursor_.peek();
  const bool comparison = sign.kind == TokenKind::sign || sign.is_word("in");
  const auto compare = comparison && !sign.starts_line ? parse_compare(sign.text) : std::nullopt;
  if (!compare) {
    cursor_.fail(sign, "pattern.syntax",
                 fmt::format("expected a comparison behind the expression, found {}", describe(sign)),
                 sign.is("=") ? "equality is written '=='"
                              : "conditions are 'Q % 8 == 0', '$t in {bf16, f16}' or 'constant(%w)'");
  }
  cursor_.take();
  g.compare = *compare;
  g.args.push_back(*compare == Compare::one_of ? parse_set(cursor_) : parse_expr(cursor_, true));
  return g;
}

}  // namespace tandem::fusion_text
