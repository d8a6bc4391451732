#include <tandem/passes/pattern/surroundings.h>

#include <algorithm>

namespace tandem {

void Surroundings::visit(Node node) {
  if (!node || node == graph_.return_node() || !graph_.is_live(node) || seen_[node.index] == search_)
    return;
  seen_[node.index] = search_;
  reached_.push_back(node);
}

/// A constant that every layer shares has many users, each of which leads back to it: they are visited once.
void Surroundings::visit_users(Value value) {
  if (spread_[value.index])
    return;
  spread_[value.index] = true;
  for (const Use use : graph_.uses(value))
    visit(use.user);
}

void Surroundings::visit_neighbours(Node node) {
  for (std::size_t i = 0; i < graph_.num_operands(node); ++i) {
    const Value v = graph_.operand(node, i);
    visit(graph_.def_node(v));
    visit_users(v);
  }
  for (std::size_t i = 0; i < graph_.num_results(node); ++i)
    visit_users(graph_.result(node, i));
}

std::vector<Node> Surroundings::of(std::span<const Node> nodes, std::span<const Value> values, std::size_t distance) {
  seen_.resize(std::max(seen_.size(), graph_.node_capacity()), 0);
  ++search_;
  spread_.assign(graph_.value_capacity(), false);
  reached_.clear();
  for (const Node n : nodes)
    visit(n);
  for (const Value v : values) {
    if (!graph_.is_live(v))
      continue;
    visit(graph_.def_node(v));
    visit_users(v);
  }
  std::size_t first = 0;
  for (std::size_t step = 0; step < distance && first < reached_.size(); ++step) {
    const std::size_t end = reached_.size();
    for (; first < end; ++first)
      visit_neighbours(reached_[first]);
  }
  std::sort(reached_.begin(), reached_.end(), [&](Node a, Node b) { return graph_.comes_before(a, b); });
  return std::move(reached_);
}

}  // namespace tandem
