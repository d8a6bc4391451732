// The nodes near a change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <tandem/ir/graph.h>

namespace tandem {

/// Finds what stands around nodes and values of one graph, over and over as the graph changes.
class Surroundings {
 public:
  explicit Surroundings(const Graph& graph) : graph_(graph) {}

  /// The live nodes at most `distance` edges from any of `nodes`, or from the definition or a user of any of `values`,
  /// in the order of the graph. The return node is not among them. Costs what is visited, and a bit for each value.
  std::vector<Node> of(std::span<const Node> nodes, std::span<const Value> values, std::size_t distance);

 private:
  void visit(Node node);
  void visit_users(Value value);
  void visit_neighbours(Node node);

  const Graph& graph_;
  std::vector<std::uint32_t> seen_;  // by node: the search that saw it last
  std::uint32_t search_ = 0;
  std::vector<bool> spread_;  // by value: whether its users were visited in this search
  std::vector<Node> reached_;
};

}  // namespace tandem
