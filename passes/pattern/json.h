// The JSON front end of the pattern language, for programs that write fusions. docs/fusion.schema.json is its schema.
//
//     {"format": "tandem.fusion", "version": 1, "fusions": [
//       {"name": "silu_and_mul", "level": "O1",
//        "match": [{"op": "silu", "in": ["gate"], "out": ["s"]}, {"op": "mul", "in": ["s", "x"], "out": ["y"]}],
//        "rewrite": [{"op": "fused_silu_and_mul", "in": ["gate", "x"], "out": ["a"]}],
//        "replace": [{"matched": "y", "by": "a"}]}]}
//
// Numbers, booleans and lists of expressions are JSON's own; every other expression is a string that holds its text:
// "Q + C", "$eps", "bf16", "...", "nan"; a string literal has its quotes in the string: "\"add\"". Types are strings.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// A document that holds the pattern; `parse_fusions_json` gives it back. Spans are not written. Throws Error
/// "pattern.encoding" for a name or string that is not UTF-8, which JSON cannot hold.
TANDEM_PASSES_API std::string to_json(const Pattern& pattern);
TANDEM_PASSES_API std::string to_json(std::span<const Pattern> patterns);

/// Reads a document, or just the array of its fusions. Spans point into the JSON text. Throws one Error with all that
/// is wrong, each with its JSON path, line and column. Limits are those of text.h.
TANDEM_PASSES_API std::vector<Pattern> parse_fusions_json(std::string_view text, std::string_view file);

}  // namespace tandem
