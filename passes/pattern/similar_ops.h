// What a graph has instead of an op that a pattern looks for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/graph.h>

namespace tandem {

/// Signs of `op` in a graph that has none: what it is made of when it is spelt out, and ops that do nearly the same.
/// Each with the number of its nodes and the first of them.
std::vector<std::string> similar_ops(const Graph& graph, const ValueNames& names, std::string_view op);

/// What it may mean that `found` stands where `op` is looked for: "perhaps a silu that is spelt out: x * sigmoid(x)";
/// empty when nothing is known.
std::string_view meaning_of(std::string_view op, std::string_view found);

/// Whether the passes before the fusions put `found` where a model has `op`: so the pattern must know it, too.
bool made_by_passes(std::string_view op, std::string_view found);

}  // namespace tandem
