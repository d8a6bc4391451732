// How names, strings and numbers are spelt in the text and JSON forms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::io {

/// [A-Za-z_][A-Za-z0-9_.]*: may stand without quotes.
bool is_identifier(std::string_view text);
/// One digit or more: the name under which a value without a name is written.
bool is_number(std::string_view text);

/// Where the first byte stands that is not well-formed UTF-8; npos when all is.
std::size_t find_invalid_utf8(std::string_view text);

/// "text" with \" \\ \n \t \r \xHH; bytes that are not UTF-8 become \xHH, too.
void append_quoted(std::string& out, std::string_view text);
/// A JSON string; `text` must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

void append_integer(std::string& out, std::int64_t value);
/// The shortest spelling that reads back as the same double, with a '.' or an exponent; nan, inf, -inf, nan(0x<bits>).
void append_real(std::string& out, double value);

/// The inverse of `append_real` for what is not a decimal number: nan, inf, -inf, nan(0x<16 hex digits>).
std::optional<double> parse_special_real(std::string_view text);
/// A decimal number as the nearest double; empty when it is none or too large. What is too small becomes 0.
std::optional<double> parse_decimal(std::string_view text);
/// True when an int64 is exactly a double.
bool is_exact_real(std::int64_t value);

}  // namespace tandem::io
