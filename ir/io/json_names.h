// Names of values as JSON strings. A value without a name is written as a number, "0"; so that a name that is a number
// stays one, it is written with an apostrophe before it, "'0", and such a name with one more.
#pragma once

#include <string>
#include <string_view>

#include <tandem/ir/io/spelling.h>

namespace tandem::io {

/// True for "0", "'0", "''0" ...
inline bool is_quoted_number(std::string_view name) {
  const std::size_t digits = name.find_first_not_of('\'');
  return digits != std::string_view::npos && is_number(name.substr(digits));
}
/// The string for a value's own name.
inline std::string json_of_name(std::string_view name) {
  return is_quoted_number(name) ? "'" + std::string(name) : std::string(name);
}
/// The own name for a string; empty for a value without one.
inline std::string_view name_of_json(std::string_view text) {
  if (text.empty() || (text[0] != '\'' && (text[0] < '0' || text[0] > '9')) || !is_quoted_number(text))
    return text;
  return text[0] == '\'' ? text.substr(1) : std::string_view();
}

}  // namespace tandem::io
