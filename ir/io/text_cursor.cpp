#include <tandem/ir/io/text_cursor.h>

#include <fmt/format.h>

namespace tandem::io {

Token TextCursor::advance() {
  Token old = token_;
  end_of_last_ = lexer_.position();
  token_ = lexer_.next();
  return old;
}

bool TextCursor::accept(std::string_view punctuation) {
  if (!token_.is(punctuation))
    return false;
  advance();
  return true;
}

Token TextCursor::expect(std::string_view punctuation) {
  if (!token_.is(punctuation))
    fail_expected(fmt::format("'{}'", punctuation));
  return advance();
}

Token TextCursor::expect(TokenKind kind, std::string_view what, std::string_view help) {
  if (token_.kind != kind)
    fail_expected(what, help);
  return advance();
}

void TextCursor::go_on_at(std::size_t offset) {
  lexer_.set_position(offset);
  advance();
}

void TextCursor::report(std::size_t offset, Diagnostic d) {
  d.where = source_.location(offset);
  d.source_line = source_.line_around(offset);
  findings_.add(std::move(d));
}

void TextCursor::fail(std::size_t offset, std::string_view code, std::string message, std::string_view help) {
  report(offset, finding(code, std::move(message), std::string(help)));
  throw SkipStatement();
}

void TextCursor::fail_expected(std::string_view what, std::string_view help) {
  if (token_.kind == TokenKind::bad)
    fail(token_.offset, "text.syntax", std::string(token_.text));
  fail(token_.offset, "text.syntax", fmt::format("expected {}, found {}", what, describe(token_)), help);
}

}  // namespace tandem::io
