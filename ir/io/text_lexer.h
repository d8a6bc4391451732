// Cuts the text form into tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace tandem::io {

enum class TokenKind : std::uint8_t {
  end,
  identifier,   ///< rms_norm, where, true
  value,        ///< %qn, %0, %"any text"
  string,       ///< "text"
  number,       ///< -1, 1e-06, 0x3f80
  punctuation,  ///< ( ) { } [ ] , : = @ .. and "-" before inf
  bad,          ///< The text is what is wrong with it.
};

struct Token {
  TokenKind kind = TokenKind::end;
  bool starts_line = false;  ///< The first token of its line.
  bool quoted = false;       ///< A value written %"...".
  std::size_t offset = 0;    ///< Of its first character.
  std::string_view text;     ///< Without quotes and "%", escapes resolved.

  bool is(std::string_view punctuation) const { return kind == TokenKind::punctuation && text == punctuation; }
  bool is_word(std::string_view word) const { return kind == TokenKind::identifier && text == word; }
};

class TextLexer {
 public:
  explicit TextLexer(std::string_view text, std::size_t position = 0) : text_(text), position_(position) {}

  Token next();
  /// Where `next` goes on.
  std::size_t position() const { return position_; }
  void set_position(std::size_t position) { position_ = position; }
  std::string_view text() const { return text_; }

 private:
  bool skip_blanks();
  Token quoted(std::size_t offset, std::size_t open, TokenKind kind);
  Token bad(std::size_t offset, std::string message);

  std::string_view text_;
  std::size_t position_;
  std::deque<std::string> unescaped_;  // what tokens with escapes point at
};

/// "'{'", "'%qn'", "end of input": a token for an error message.
std::string describe(const Token& token);

}  // namespace tandem::io
