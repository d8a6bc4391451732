// Which nodes of a graph that is being rewritten are its own, and which were made on the way.
#pragma once

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include <tandem/ir/graph.h>

namespace tandem {

/// A handle of a new node may look alive in the graph as it was, where its place was free. So they are remembered.
class CreatedNodes {
 public:
  void add(std::span<const Node> nodes) {
    for (const Node n : nodes)
      nodes_.emplace(n.index, n.generation);
  }
  bool has(Node n) const { return nodes_.contains({n.index, n.generation}); }
  bool has_any_of(std::span<const Node> nodes) const {
    return std::any_of(nodes.begin(), nodes.end(), [&](Node n) { return has(n); });
  }

 private:
  std::set<std::pair<std::uint32_t, std::uint32_t>> nodes_;
};

}  // namespace tandem
