// Asking for what a search or a rewrite will read: a walk over a graph beyond the caches waits for memory otherwise.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include <tandem/ir/graph.h>

namespace tandem {

/// The first use of each result, or (when those are there) the nodes that use it.
inline void prefetch_results(const GraphView& view, std::uint32_t node, bool users) {
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(view.num_results(node), 4); ++i) {
    const std::uint32_t use = view.first_use(view.result(node, i));
    if (use == no_index)
      continue;
    if (users)
      view.prefetch_node(view.user(use));
    else
      view.prefetch_use(use);
  }
}

inline void prefetch_operands(const GraphView& view, std::uint32_t node) {
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(view.num_operands(node), 4); ++i)
    view.prefetch_value(view.operand(node, i));
}

/// What the rewrites of the next sites will read, the further the less. `nodes_at(distance)` are the nodes of the site
/// that many sites ahead.
template <class NodesAt>
void prefetch_sites(const GraphView& view, const NodesAt& nodes_at) {
  for (const std::uint32_t n : nodes_at(7))
    view.prefetch_node(n);
  for (const std::uint32_t n : nodes_at(5))
    view.prefetch_parts(n);
  for (const std::uint32_t n : nodes_at(3)) {
    prefetch_results(view, n, false);
    prefetch_operands(view, n);
  }
  for (const std::uint32_t n : nodes_at(1))
    prefetch_results(view, n, true);
}

/// Walks the nodes of one op some way ahead of the search and asks for what it will read.
class AnchorsAhead {
 public:
  AnchorsAhead(const GraphView& view, std::uint32_t first) : view_(view), cursors_{first, first, first, first} {
    for (int i = 0; i < 16; ++i) {  // four anchors from one stage to the next
      step(0);
      if (i >= 4)
        step(1);
      if (i >= 8)
        step(2);
      if (i >= 12)
        step(3);
    }
  }
  void advance() {
    if (const std::uint32_t n = step(0); n != no_index)
      view_.prefetch_node(n);
    if (const std::uint32_t n = step(1); n != no_index)
      view_.prefetch_parts(n);
    if (const std::uint32_t n = step(2); n != no_index) {
      prefetch_results(view_, n, false);
      if (view_.num_operands(n) != 0)
        view_.prefetch_value(view_.operand(n, 0));
    }
    if (const std::uint32_t n = step(3); n != no_index)
      prefetch_results(view_, n, true);
  }

 private:
  std::uint32_t step(std::size_t cursor) {
    std::uint32_t& at = cursors_[cursor];
    if (at != no_index)
      at = view_.next_of_same_op(at);
    return at;
  }
  const GraphView& view_;
  std::array<std::uint32_t, 4> cursors_;
};

}  // namespace tandem
