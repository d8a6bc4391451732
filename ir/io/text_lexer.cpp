#include <tandem/ir/io/text_lexer.h>

#include <fmt/format.h>

#include <tandem/ir/io/characters.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/spelling.h>

namespace tandem::io {

namespace {

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/// The end of the number at `i`: [-] digits [. digits] [e [+-] digits], or 0x and hex digits. ".." is not part of it.
std::size_t number_end(std::string_view s, std::size_t i) {
  const auto digits = [&] {
    while (i < s.size() && is_digit(s[i]))
      ++i;
  };
  if (s[i] == '-')
    ++i;
  if (s.substr(i).starts_with("0x")) {
    i += 2;
    while (i < s.size() && hex_value(s[i]) >= 0)
      ++i;
    return i;
  }
  digits();
  if (i + 1 < s.size() && s[i] == '.' && s[i + 1] != '.') {
    ++i;
    digits();
  }
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '+' || s[i] == '-'))
      ++i;
    digits();
  }
  return i;
}

}  // namespace

// White space and comments. True when a line end was among them.
bool TextLexer::skip_blanks() {
  bool line_end = position_ == 0;
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '\n') {
      line_end = true;
    } else if (c == '#' || text_.substr(position_).starts_with("//")) {
      position_ = std::min(text_.find('\n', position_), text_.size());
      continue;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      break;
    }
    ++position_;
  }
  return line_end;
}

Token TextLexer::next() {
  const bool starts_line = skip_blanks();
  const std::size_t start = position_;
  Token token;
  token.starts_line = starts_line;
  token.offset = start;
  if (start >= text_.size())
    return token;
  const char c = text_[start];
  const char d = start + 1 < text_.size() ? text_[start + 1] : '\0';
  std::size_t end = start + 1;
  if (c == '"') {
    token = quoted(start, start, TokenKind::string);
  } else if (c == '%' && d == '"') {
    token = quoted(start, start + 1, TokenKind::value);
  } else if (c == '%') {
    while (end < text_.size() && is_word_char(text_[end]))
      ++end;
    token.kind = TokenKind::value;
    token.text = text_.substr(start + 1, end - start - 1);
    position_ = end;
    if (token.text.empty())
      token = bad(start, "a value's name is expected after '%'");
    else if (token.text.size() > max_name_bytes)
      token = bad(start, fmt::format("a name of {} bytes is above the limit of {}", token.text.size(), max_name_bytes));
    else if (!is_identifier(token.text) && !is_number(token.text)) {
      token = bad(start, fmt::format("'%{0}' is neither a name nor a number; write %\"{0}\"", token.text));
    }
  } else if (is_digit(c) || (c == '-' && is_digit(d))) {
    position_ = number_end(text_, start);
    token.kind = TokenKind::number;
    token.text = text_.substr(start, position_ - start);
  } else if (c != '.' && is_word_char(c)) {
    while (end < text_.size() && is_word_char(text_[end]))
      ++end;
    token.kind = TokenKind::identifier;
    token.text = text_.substr(start, end - start);
    position_ = end;
  } else if (std::string_view("(){}[],:=@-").find(c) != std::string_view::npos || (c == '.' && d == '.')) {
    token.kind = TokenKind::punctuation;
    token.text = text_.substr(start, c == '.' ? 2 : 1);
    position_ = start + token.text.size();
  } else {
    position_ = end;
    while (position_ < text_.size() && (static_cast<unsigned char>(text_[position_]) & 0xc0U) == 0x80)
      ++position_;
    token = bad(start, static_cast<unsigned char>(c) < 0x20 || c == '\x7f'
                           ? fmt::format("unexpected character 0x{:02x}", static_cast<unsigned char>(c))
                           : fmt::format("unexpected character '{}'", text_.substr(start, position_ - start)));
  }
  token.starts_line = starts_line;
  return token;
}

Token TextLexer::quoted(std::size_t offset, std::size_t open, TokenKind kind) {
  std::size_t i = open + 1;
  bool escapes = false;
  while (i < text_.size() && text_[i] != '"' && text_[i] != '\n') {
    if (text_[i] == '\\') {
      escapes = true;
      ++i;
    }
    ++i;
  }
  if (i >= text_.size() || text_[i] != '"') {
    position_ = std::min(i, text_.size());
    return bad(offset, "this string has no closing '\"' on its line");
  }
  position_ = i + 1;
  Token token;
  token.kind = kind;
  token.quoted = true;
  token.offset = offset;
  token.text = text_.substr(open + 1, i - open - 1);
  if (escapes) {
    std::string& out = unescaped_.emplace_back();
    for (std::size_t k = open + 1; k < i; ++k) {
      const char c = text_[k];
      if (c != '\\') {
        out += c;
        continue;
      }
      const char e = text_[++k];
      if (e == '"' || e == '\\')
        out += e;
      else if (e == 'n')
        out += '\n';
      else if (e == 't')
        out += '\t';
      else if (e == 'r')
        out += '\r';
      else if (e == 'x' && k + 2 < i && hex_value(text_[k + 1]) >= 0 && hex_value(text_[k + 2]) >= 0) {
        out += static_cast<char>(hex_value(text_[k + 1]) * 16 + hex_value(text_[k + 2]));
        k += 2;
      } else {
        return bad(k - 1, "unknown escape; strings know \\\" \\\\ \\n \\t \\r \\xHH");
      }
    }
    token.text = out;
  }
  if (token.text.find('\0') != std::string_view::npos)
    return bad(offset, "a name or string cannot hold a NUL");
  if (token.text.size() > max_name_bytes) {
    return bad(offset, fmt::format("a string of {} bytes is above the limit of {}", token.text.size(), max_name_bytes));
  }
  return token;
}

Token TextLexer::bad(std::size_t offset, std::string message) {
  Token token;
  token.kind = TokenKind::bad;
  token.offset = offset;
  token.text = unescaped_.emplace_back(std::move(message));
  return token;
}

std::string describe(const Token& token) {
  const std::string_view text = token.text.substr(0, 40);
  switch (token.kind) {
    case TokenKind::end: return "the end of the input";
    case TokenKind::value: return fmt::format("'%{}'", text);
    case TokenKind::string: return fmt::format("the string \"{}\"", text);
    default: return fmt::format("'{}'", text);
  }
}

}  // namespace tandem::io
