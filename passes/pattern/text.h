// The text front end of the pattern language: `.fusion` files. docs/fusion-language.md is its manual.
//
//     fusion silu_and_mul {
//       level O1
//       match {
//         %s = silu(%gate)
//         %y = mul(%s, %x)
//       }
//       rewrite {
//         %a = fused_silu_and_mul(%gate, %x)
//         %y = %a
//       }
//     }
//
// Reading checks the form only; `compile` (compiler.h) resolves ops, attributes and dims.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

// What a reader of fusions accepts, in text or JSON.
inline constexpr std::size_t max_fusion_bytes = std::size_t{1} << 22;  ///< 4 MiB a file.
inline constexpr std::size_t max_fusion_parts = 200'000;               ///< Statements, names, expressions of a file.
inline constexpr std::size_t max_fusion_nesting = 64;                  ///< Of blocks, and of an expression's tree.
inline constexpr std::size_t max_fusion_errors = 20;                   ///< Diagnostics of one read.

/// Reads the fusions of a text. `file` names it in spans and diagnostics. Every part gets its span. Throws one Error
/// with all that is wrong with the form (up to `max_fusion_errors`), each with line, column and the source line.
TANDEM_PASSES_API std::vector<Pattern> parse_fusions(std::string_view text, std::string_view file);

/// The canonical text. `parse_fusions(format(p))` is `p` for every pattern whose parts hold what pattern.h says they
/// do, whose replacements name values of the match and whose expressions nest at most `max_fusion_nesting` deep.
TANDEM_PASSES_API std::string format(const Pattern& pattern);
TANDEM_PASSES_API std::string format(std::span<const Pattern> patterns);

/// Formats a text and keeps its comments: those on lines of their own before what follows them, those behind a part
/// behind that part. Idempotent. Throws as `parse_fusions`.
TANDEM_PASSES_API std::string format_text(std::string_view text, std::string_view file);

/// Reads fusions in text or in JSON (json.h): a document that starts with '{' or '[' is JSON.
TANDEM_PASSES_API std::vector<Pattern> read_fusions(std::string_view text, std::string_view file);

/// Reads one expression or one type as the text form spells it: "Q + C", "T[.., Q]". `file`, `line` and `column` say
/// where it stands. Throws as `parse_fusions`.
TANDEM_PASSES_API Expr parse_pattern_expr(std::string_view text, const Span& where);
TANDEM_PASSES_API TypePattern parse_pattern_type(std::string_view text, const Span& where);

/// "T[.., Q + C]", "bf16", "any": parses back.
TANDEM_PASSES_API std::string to_string(const TypePattern& type);

}  // namespace tandem
