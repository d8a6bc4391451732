// The characters of words in `.fusion` text.
#pragma once

namespace tandem::fusion_text {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_word_char(char c) {
  return is_letter(c) || is_digit(c);
}

}  // namespace tandem::fusion_text
