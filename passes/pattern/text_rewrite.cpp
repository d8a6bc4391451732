// The statements of `rewrite`: new nodes, and what is replaced.
#include <tandem/passes/pattern/text_clauses.h>

#include <utility>

#include <fmt/format.h>

#include <tandem/passes/pattern/text_expr.h>

namespace tandem::fusion_text {

void ClauseParser::rewrite_block(const Token& owner, Pattern& pattern) {
  block(owner, "the rewrite", [&] { rewrite_statement(pattern); });
}

void ClauseParser::rewrite_statement(Pattern& pattern) {
  const Token first = cursor_.peek();
  cursor_.count(first);
  if (is_statement_word(first)) {
    cursor_.fail(first, "pattern.syntax", fmt::format("'{}' belongs into 'match'", first.text),
                 "'rewrite' holds new nodes, '%a = op(%x)', and replacements, '%matched = %a'");
  }
  if (!at_value(cursor_) && !(first.kind == TokenKind::name && cursor_.peek(1).is("("))) {
    cursor_.fail_expected("a new node, '%a = op(%x)', or a replacement, '%matched = %a'");
  }
  RewriteNode n;
  n.span = cursor_.span(first);
  n.results = results();
  if (at_value(cursor_)) {
    if (n.results.size() != 1) {
      cursor_.fail(cursor_.peek(), "pattern.syntax", "a replacement names one matched value",
                   "write one statement a value: %qn = %a");
    }
    pattern.replacements.push_back({n.results[0], parse_value(cursor_, "a value"), n.span});
    return;
  }
  n.op = cursor_.expect_name("an op or a value").text;
  n.operands = operands();
  if (cursor_.peek().is("{"))
    n.attrs = parse_attrs(cursor_);
  if (cursor_.peek().is(":")) {
    cursor_.fail(cursor_.peek(), "pattern.syntax", "the types of new values are inferred", "remove them");
  }
  pattern.rewrite.push_back(std::move(n));
}

}  // namespace tandem::fusion_text
