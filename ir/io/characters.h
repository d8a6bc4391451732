// Classes of ASCII characters, whatever the locale. Internal to ir/io.
#pragma once

namespace tandem::io {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// 0 to 15 for a hexadecimal digit, -1 for anything else.
constexpr int hex_value(char c) {
  if (is_digit(c))
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

}  // namespace tandem::io
