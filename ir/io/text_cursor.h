// Walking over the tokens of the text form, and reporting what is wrong with them.
#pragma once

#include <string>
#include <string_view>

#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/text_lexer.h>

namespace tandem::io {

/// Thrown from within a statement once its mistake is recorded; caught where statements are read.
struct SkipStatement {};

class TextCursor {
 public:
  explicit TextCursor(SourceText& source) : source_(source), lexer_(source.text()) { advance(); }

  const Token& token() const { return token_; }
  std::string_view text() const { return source_.text(); }
  /// Where the token before this one ends.
  std::size_t end_of_last() const { return end_of_last_; }

  /// Goes to the next token; returns the one it leaves.
  Token advance();
  bool accept(std::string_view punctuation);
  Token expect(std::string_view punctuation);
  Token expect(TokenKind kind, std::string_view what, std::string_view help = {});
  /// Goes on with the token at an offset: after text that something else has read.
  void go_on_at(std::size_t offset);
  /// "[" element { "," element } "]"
  template <class F>
  void list(F&& element) {
    expect("[");
    if (!token_.is("]")) {
      do {
        element();
      } while (accept(","));
    }
    expect("]");
  }

  void report(std::size_t offset, Diagnostic diagnostic);
  /// Reports and throws SkipStatement.
  [[noreturn]] void fail(std::size_t offset, std::string_view code, std::string message, std::string_view help = {});
  /// "expected ..., found ..." at this token.
  [[noreturn]] void fail_expected(std::string_view what, std::string_view help = {});
  SourceLocation location(std::size_t offset) { return source_.location(offset); }
  Findings& findings() { return findings_; }

 private:
  SourceText& source_;
  TextLexer lexer_;
  Token token_;
  std::size_t end_of_last_ = 0;
  Findings findings_;
};

}  // namespace tandem::io
