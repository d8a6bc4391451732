#include <tandem/passes/pattern/lexer.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <tandem/passes/pattern/text_chars.h>
#include <tandem/passes/pattern/text_spelling.h>

namespace tandem::fusion_text {

namespace {

int hex_value(char c) {
  if (is_digit(c))
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

// The longest first.
constexpr std::array<std::string_view, 24> signs = {"...", "..", "->", "==", "!=", "<=", ">=", "(", ")", "{", "}", "[",
                                                    "]",   ",",  ":",  "=",  "<",  ">",  "+",  "-", "*", "/", "%", "?"};

}  // namespace

void Lexer::skip_blanks(Token& token) {
  token.starts_line = position_ == 0;
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '\n') {
      if (token.starts_line && !token.comments.empty() && token.comments.back().own_line) {
        const std::string_view line = text_.substr(line_start_, position_ - line_start_);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos)
          token.comments.back().blank_after = true;
      }
      ++position_;
      ++line_;
      line_start_ = position_;
      first_line_ = false;
      token.starts_line = true;
    } else if (c == '#' || at("//")) {
      comment(token, token.starts_line);
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++position_;
    } else {
      break;
    }
  }
}

void Lexer::comment(Token& token, bool own_line) {
  const std::size_t end = std::min(text_.find('\n', position_), text_.size());
  std::string_view body = text_.substr(position_, end - position_);
  while (body.ends_with(' ') || body.ends_with('\t') || body.ends_with('\r'))
    body.remove_suffix(1);
  token.comments.push_back({std::string(body), own_line, false});
  position_ = end;
}

Token Lexer::next() {
  Token token;
  skip_blanks(token);
  token.offset = position_;
  token.line = line_;
  token.column = static_cast<std::uint32_t>(position_ - line_start_) + (first_line_ ? first_column_ : 1U);
  if (position_ < text_.size()) {
    const char c = text_[position_];
    const char d = position_ + 1 < text_.size() ? text_[position_ + 1] : '\0';
    if (is_letter(c)) {
      word(token, position_, TokenKind::name);
    } else if (is_digit(c)) {
      number(token);
    } else if (c == '"') {
      quoted(token, position_, TokenKind::string);
    } else if (c == '`') {
      quoted(token, position_, TokenKind::name);
    } else if ((c == '%' || c == '$') && (d == '"' || is_word_char(d))) {
      const TokenKind kind = c == '%' ? TokenKind::value : TokenKind::capture;
      d == '"' ? quoted(token, position_ + 1, kind) : word(token, position_ + 1, kind);
      if (token.kind == TokenKind::value && at("...")) {
        token.text += "...";
        position_ += 3;
      }
    } else if (const auto sign = std::find_if(signs.begin(), signs.end(), [&](std::string_view s) { return at(s); });
               sign != signs.end()) {
      token.kind = TokenKind::sign;
      token.text = *sign;
      position_ += sign->size();
    } else {
      unexpected(token);
    }
  }
  token.end = position_;
  return token;
}

Token Lexer::after_percent(const Token& value) {
  position_ = value.offset + 1;
  Token token = next();
  token.starts_line = false;
  return token;
}

void Lexer::word(Token& token, std::size_t from, TokenKind kind) {
  std::size_t end = from;
  while (end < text_.size() &&
         (is_word_char(text_[end]) || (text_[end] == '.' && end + 1 < text_.size() && is_word_char(text_[end + 1])))) {
    ++end;
  }
  token.kind = kind;
  token.text = text_.substr(from, end - from);
  position_ = end;
}

void Lexer::number(Token& token) {
  const std::size_t from = position_;
  const auto digits = [&] {
    while (position_ < text_.size() && is_digit(text_[position_]))
      ++position_;
  };
  if (at("0x")) {
    position_ += 2;
    while (position_ < text_.size() && hex_value(text_[position_]) >= 0)
      ++position_;
  } else {
    digits();
    if (at(".") && position_ + 1 < text_.size() && is_digit(text_[position_ + 1])) {
      ++position_;
      digits();
    }
    if (at("e") || at("E")) {
      ++position_;
      if (at("+") || at("-"))
        ++position_;
      digits();
    }
  }
  token.kind = TokenKind::number;
  while (position_ < text_.size() && is_word_char(text_[position_])) {
    ++position_;
    token.kind = TokenKind::bad;
  }
  token.text = text_.substr(from, position_ - from);
  if (token.kind == TokenKind::bad)
    bad(token, fmt::format("'{}' is neither a number nor a name", token.text.substr(0, 40)));
}

void Lexer::quoted(Token& token, std::size_t open, TokenKind kind) {
  const char quote = text_[open];
  std::size_t i = open + 1;
  for (; i < text_.size() && text_[i] != quote && text_[i] != '\n'; ++i) {
    const char c = text_[i];
    if (c != '\\') {
      token.text += c;
      continue;
    }
    const char e = i + 1 < text_.size() ? text_[i + 1] : '\n';
    const int high = i + 2 < text_.size() ? hex_value(text_[i + 2]) : -1;
    const int low = i + 3 < text_.size() ? hex_value(text_[i + 3]) : -1;
    ++i;
    if (e == quote || e == '\\') {
      token.text += e;
    } else if (e == 'n') {
      token.text += '\n';
    } else if (e == 't') {
      token.text += '\t';
    } else if (e == 'r') {
      token.text += '\r';
    } else if (e == 'x' && high >= 0 && low >= 0) {
      token.text += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      token.column += static_cast<std::uint32_t>(i - 1 - position_);
      position_ = std::min(text_.find_first_of(std::array{quote, '\n', '\0'}.data(), i), text_.size());
      if (position_ < text_.size() && text_[position_] == quote)
        ++position_;
      return bad(token, fmt::format("unknown escape; known are \\{} \\\\ \\n \\t \\r \\xHH", quote));
    }
  }
  const bool closed = i < text_.size() && text_[i] == quote;
  position_ = closed ? i + 1 : std::min(i, text_.size());
  if (!closed)
    return bad(token, fmt::format("no closing {} on this line", quote));
  token.kind = kind;
  token.quoted = true;
}

void Lexer::unexpected(Token& token) {
  const std::size_t from = position_++;
  while (position_ < text_.size() && (static_cast<unsigned char>(text_[position_]) & 0xc0U) == 0x80)
    ++position_;
  const std::string_view c = text_.substr(from, position_ - from);
  if (c == "$" || c == "!" || c == "&" || c == "|") {
    bad(token, c == "$" ? std::string("a name is expected right behind '$'")
                        : fmt::format("unexpected '{}'; conditions are joined by standing one below the other, and "
                                      "negated by 'not'",
                                      c));
  } else if (static_cast<unsigned char>(c[0]) < 0x20 || c[0] == '\x7f') {
    bad(token, fmt::format("unexpected character 0x{:02x}", static_cast<unsigned char>(c[0])));
  } else {
    bad(token, fmt::format("unexpected character '{}'", c));
  }
}

void Lexer::bad(Token& token, std::string message) {
  token.kind = TokenKind::bad;
  token.text = std::move(message);
}

std::string describe(const Token& token) {
  constexpr std::size_t longest = 40;
  std::string text;
  switch (token.kind) {
    case TokenKind::end: return "the end of the text";
    case TokenKind::value: text = spell_value(token.text); break;
    case TokenKind::capture: text = "$" + token.text; break;
    case TokenKind::string: text = spell_quoted(token.text); break;
    default: text = token.text; break;
  }
  if (text.size() <= longest)
    return fmt::format("'{}'", text);
  std::size_t cut = longest;  // between characters, not within one
  while (cut != 0 && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80)
    --cut;
  return fmt::format("'{}...'", text.substr(0, cut));
}

}  // namespace tandem::fusion_text
