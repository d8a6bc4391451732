// Putting nodes that stand in any order into a topological one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tandem::io {

struct NodeOrder {
  std::vector<std::uint32_t> order;  ///< All nodes; those that no order can serve come last.
  std::vector<std::uint32_t> cycle;  ///< One cycle, if there is any: each node feeds the next, the last the first.
};

/// Orders nodes stably: again and again the first node, as they were given, all of whose operands are defined.
/// `producers` holds for each node the nodes that it takes operands from. O(edges + nodes * log nodes).
NodeOrder order_nodes(std::span<const std::vector<std::uint32_t>> producers);

}  // namespace tandem::io
