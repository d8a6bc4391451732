// From what people write to what the engine matches: families, definitions, alternatives, optional nodes and what
// stands in between (`through`) are expanded into plain conjunctions of nodes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/export.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// How many conjunctions one pattern may expand to; more is Error "pattern.too-many-variants".
inline constexpr std::size_t max_variants = 256;

/// A pattern without families, definitions, alternatives, optional nodes and `through`: `match` holds only `node`
/// clauses and `unless` clauses of nodes.
struct Variant {
  Pattern pattern;
  std::string choice;  ///< What was chosen: "op = add, either 2, without cast at 7"; empty when there was no choice.
};

/// All variants, in the order in which they are written: families outermost, an optional node present before absent.
/// Throws Error "pattern.unknown-definition", "pattern.recursive-definition", "pattern.arity" or
/// "pattern.too-many-variants". `context` says which attributes an op has.
TANDEM_PASSES_API std::vector<Variant> expand(const Context& context, const Pattern& pattern);

}  // namespace tandem
