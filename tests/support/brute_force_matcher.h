// A matcher that is simple enough to be believed: it tries every assignment of nodes to a pattern's nodes.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>

namespace tandem::test {

/// Every match of a variant in a graph of static shapes: for each the indices of its nodes, in the order of the
/// variant's nodes. It reads the pattern itself, no plan. It knows what `random_fusion` writes: attributes compared
/// with literals, captures and dims, types, use counts, `where` with one comparison of a capture and an integer,
/// `unless` with one node of one operand.
std::set<std::vector<std::uint32_t>> brute_force_matches(const CompiledVariant& variant, const Graph& graph);

}  // namespace tandem::test
