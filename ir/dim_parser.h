// Reads dims, shapes and types from text: "2*T + 1", "[T, 7168]", "bf16[T, 7168]".
//
//   type    = dtype shape
//   shape   = "[" [ dim { "," dim } ] "]"
//   dim     = product { ("+" | "-") product }
//   product = factor { "*" factor }
//   factor  = "-" factor | integer | symbol | "(" dim ")" | ("floordiv" | "mod" | "ceildiv") "(" dim "," dim ")"
//   symbol  = [A-Za-z_][A-Za-z0-9_.]*, but none of the three function names
//
// Blanks, tabs and line ends may stand between tokens. "->" is never read as a minus. Parentheses and calls nest at
// most `max_dim_nesting` deep.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <tandem/ir/context.h>
#include <tandem/ir/export.h>

namespace tandem {

/// How many dims a shape in text may have.
inline constexpr std::size_t max_shape_rank = 64;

// --- The whole text
// --------------------------------------------------------------------------------------------------- Each throws Error
// "dim.syntax", "shape.syntax" or "type.syntax" where the text is wrong or goes on after the end; the column is in the
// diagnostic's location.

TANDEM_IR_API Dim parse_dim(Context& context, std::string_view text);
TANDEM_IR_API Shape parse_shape(Context& context, std::string_view text);
TANDEM_IR_API TensorType parse_type(Context& context, std::string_view text);

// --- A prefix of a longer text
// ---------------------------------------------------------------------------------------- Each reads from
// `text[position]` on, skips leading white space, and stops behind the last character that belongs to what it read. On
// success `position` stands there. Otherwise the result is empty, `position` stands at the offending character (which
// may be text.size()), and `error` says what was wrong and expected. None of them throws Error.

TANDEM_IR_API std::optional<Dim> parse_dim_prefix(Context& context, std::string_view text, std::size_t& position,
                                                  std::string& error);
TANDEM_IR_API std::optional<Shape> parse_shape_prefix(Context& context, std::string_view text, std::size_t& position,
                                                      std::string& error);
TANDEM_IR_API std::optional<TensorType> parse_type_prefix(Context& context, std::string_view text,
                                                          std::size_t& position, std::string& error);

}  // namespace tandem
