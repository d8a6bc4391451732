// How names, strings and signs are spelt in `.fusion` text: shared by the parser, the formatter and the JSON form.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <tandem/passes/pattern/pattern.h>

namespace tandem::fusion_text {

/// Letters, digits, "_", and "." between them.
bool is_word(std::string_view text);
/// A word that starts with no digit.
bool is_identifier(std::string_view text);
/// Words that mean something where a name could stand. As names they are written in backquotes.
bool is_reserved(std::string_view text);

/// `split`, or in backquotes what is no identifier or is reserved.
std::string spell_name(std::string_view name);
/// `%q`, `%"odd name"`, `%rest...`.
std::string spell_value(std::string_view name);
/// As a result or an operand: "_" stands for itself.
std::string spell_operand(std::string_view name);
/// `quote` text `quote` with the escapes \" \\ \n \t \r \xHH.
std::string spell_quoted(std::string_view text, char quote = '"');
/// The shortest spelling that reads back as the same double; nan, inf, -inf, nan(0x<bits>).
std::string spell_real(double value);

/// "==", "<=", "in" of a guard. An attribute has "=" for "==".
std::string_view spell_compare(Compare compare);
/// The inverse of `spell_compare`.
std::optional<Compare> parse_compare(std::string_view sign);

/// Where the first byte stands that is not well-formed UTF-8; npos when all is.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace tandem::fusion_text
