// The parts of statements of a `.fusion` text: expressions, types, attributes and lists of names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tandem/passes/pattern/pattern.h>
#include <tandem/passes/pattern/text_cursor.h>

namespace tandem::fusion_text {

/// Q + C, $eps, [1, ...]. With `one_line`, an operator that starts a line does not continue it.
Expr parse_expr(Cursor& cursor, bool one_line = false);

/// T[.., Q + C], bf16, any
TypePattern parse_type(Cursor& cursor);

/// {axis = -1, k <= 8, mode in {"set", "add"}, scale = any}
std::vector<AttrPattern> parse_attrs(Cursor& cursor);

/// The expressions of "{a, b}", as a list.
Expr parse_set(Cursor& cursor);

/// Whether a value's name, or "_", stands `ahead` tokens further.
bool at_value(Cursor& cursor, std::size_t ahead = 0);
/// %q, %rest... or _
std::string parse_value(Cursor& cursor, std::string_view what);
/// %a, %b
std::vector<std::string> parse_values(Cursor& cursor, std::string_view what);

/// a, b, c
std::vector<std::string> parse_names(Cursor& cursor, std::string_view what);
/// {a, b}
std::vector<std::string> parse_name_set(Cursor& cursor, std::string_view what);

}  // namespace tandem::fusion_text
