// Blocks in braces: statement after statement, whatever is wrong with one of them.
#include <tandem/passes/pattern/text_clauses.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/passes/pattern/text_expr.h>

namespace tandem::fusion_text {

bool is_statement_word(const Token& token) {
  return token.kind == TokenKind::name && !token.quoted &&
         std::find(statement_words.begin(), statement_words.end(), token.text) != statement_words.end();
}

void ClauseParser::begin(const Token& token) {
  if (cursor_.comments() != nullptr)
    cursor_.comments()->begin(position_of(token));
}

/// "match {" and its like, where a statement is expected: a '}' is missing in front of it.
bool ClauseParser::at_outer_section() {
  const Token& word = cursor_.peek();
  if (word.kind != TokenKind::name || word.quoted || !word.starts_line)
    return false;
  if (word.text == "fusion")
    return cursor_.peek(1).kind == TokenKind::name;
  if (word.text == "define")
    return cursor_.peek(1).kind == TokenKind::name;
  return (word.text == "match" || word.text == "where" || word.text == "rewrite") && cursor_.peek(1).is("{");
}

void ClauseParser::block(const Token& owner, std::string_view what, const std::function<void()>& statement) {
  const Cursor::Level level(cursor_);
  const Token open = cursor_.expect("{", fmt::format("in front of {}", what));
  const std::size_t braces = cursor_.open_braces();
  Position last = position_of(owner);
  for (;;) {
    const Token first = cursor_.peek();
    if (first.is("}"))
      break;
    if (first.kind == TokenKind::end || at_outer_section()) {
      cursor_.report(first, "pattern.unclosed",
                     fmt::format("expected '}}' at the end of {}, found {}", what, describe(first)), "close the block",
                     {fmt::format("the block starts at line {}, column {}", open.line, open.column)});
      cursor_.set_open_braces(braces - 1);
      return;
    }
    try {
      begin(first);
      last = position_of(first);
      statement();
    } catch (const GiveUp&) {
      if (cursor_.peek().offset == first.offset)
        cursor_.take();  // its first token is what is wrong
      recover(braces);
    }
  }
  if (cursor_.comments() != nullptr)
    cursor_.comments()->close(last, position_of(owner));
  cursor_.take();
}

/// Skips to what looks like the next statement of the block, or to its end.
void ClauseParser::recover(std::size_t open_braces) {
  for (;;) {
    const Token& next = cursor_.peek();
    if (next.kind == TokenKind::end)
      break;
    const bool outermost = cursor_.open_braces() <= open_braces;
    if (outermost && next.is("}"))
      break;
    if (next.starts_line && (at_value(cursor_) || is_statement_word(next) || at_outer_section() ||
                             (outermost && next.kind == TokenKind::name))) {
      break;
    }
    cursor_.take();
  }
  cursor_.set_open_braces(open_braces);
}

MatchBlock ClauseParser::match_block(const Token& owner) {
  MatchBlock out;
  block(owner, "what is matched", [&] { match_statement(out, true); });
  return out;
}

std::vector<Clause> ClauseParser::definition_block(const Token& owner) {
  MatchBlock out;
  block(owner, "the definition", [&] { match_statement(out, false); });
  return std::move(out.clauses);
}

std::vector<Clause> ClauseParser::branch(const Token& owner) {
  const Token brace = cursor_.peek();
  if (cursor_.comments() != nullptr) {
    cursor_.comments()->add_branch(position_of(owner), position_of(brace));
    if (brace.is("{"))
      begin(brace);
  }
  MatchBlock out;
  block(brace, fmt::format("the part of '{}'", owner.text), [&] { match_statement(out, false); });
  return std::move(out.clauses);
}

}  // namespace tandem::fusion_text
