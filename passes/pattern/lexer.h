// Cuts `.fusion` text into tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::fusion_text {

enum class TokenKind : std::uint8_t {
  end,
  name,     ///< split, keep, `any text`
  value,    ///< %q, %0, %"any text", %rest...
  capture,  ///< $eps, $"any text"
  string,   ///< "text"
  number,   ///< 1, 1e-06, 0x7ff8: without a sign
  sign,     ///< ( ) { } [ ] , : = == != < <= > >= + - * / % ? -> .. ...
  bad,      ///< The text is what is wrong with it.
};

/// "# why", with its mark.
struct Comment {
  std::string text;
  bool own_line = false;     ///< Nothing stands in front of it on its line.
  bool blank_after = false;  ///< An empty line follows.
};

struct Token {
  TokenKind kind = TokenKind::end;
  bool starts_line = false;  ///< The first token of its line.
  bool quoted = false;       ///< Written in quotes: never a keyword.
  std::uint32_t line = 1, column = 1;
  std::size_t offset = 0, end = 0;  ///< Its bytes.
  std::string text;                 ///< Without quotes, "%" and "$", escapes resolved.
  std::vector<Comment> comments;    ///< Those in front of it.

  bool is(std::string_view sign) const { return kind == TokenKind::sign && text == sign; }
  bool is_word(std::string_view word) const { return kind == TokenKind::name && !quoted && text == word; }
};

class Lexer {
 public:
  /// Positions count from `line` and `column`.
  explicit Lexer(std::string_view text, std::uint32_t line = 1, std::uint32_t column = 1)
      : text_(text), line_(line), first_column_(column) {}

  Token next();
  /// The token that starts one byte behind a value's "%", which was an operator: "Q%8". Nothing may have been read
  /// since.
  Token after_percent(const Token& value);

 private:
  void skip_blanks(Token& token);
  void comment(Token& token, bool own_line);
  void word(Token& token, std::size_t from, TokenKind kind);
  void quoted(Token& token, std::size_t open, TokenKind kind);
  void number(Token& token);
  void bad(Token& token, std::string message);
  void unexpected(Token& token);
  bool at(std::string_view text) const { return text_.substr(position_).starts_with(text); }

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t line_start_ = 0;
  std::uint32_t line_;
  std::uint32_t first_column_;  // of the first line
  bool first_line_ = true;
};

/// "'{'", "'%qn'", "the end of the file": a token for an error message.
std::string describe(const Token& token);

}  // namespace tandem::fusion_text
