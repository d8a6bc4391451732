// Edits of a graph whose legality is proven already.
#pragma once

#include <cstdint>
#include <span>

#include <tandem/ir/graph.h>

namespace tandem {

/// Changes a graph by index, without asking whether the change keeps it valid. `Graph` asks and then calls these; so
/// does the rewriter, which proves a whole rewrite before its first change.
class GraphEdit {
 public:
  explicit GraphEdit(Graph& graph) : g_(graph) {}

  /// Adds a node before `before` (0, the return node: at the end); its index.
  TANDEM_EXPORT std::uint32_t create(OpId op, std::span<const std::uint32_t> operands, std::span<const Attribute> attrs,
                                     std::span<const TensorType> result_types, std::uint32_t before, Symbol scope);
  /// Removes a node none of whose results is used.
  TANDEM_EXPORT void erase(std::uint32_t node);
  /// Moves a node before `before`, which is another.
  void move_before(std::uint32_t node, std::uint32_t before) {
    ++g_.edits_;
    g_.unlink_order(node);
    g_.link_order(node, before);
  }
  /// Every use of `from` becomes a use of `to`, in the order that they have.
  TANDEM_EXPORT void replace_uses(std::uint32_t from, std::uint32_t to);
  /// One use becomes a use of `to`.
  void move_use(std::uint32_t use, std::uint32_t to) {
    ++g_.edits_;
    g_.unlink_use(use);
    g_.link_use(use, to);
  }
  /// Takes the name of `from`, if it has one, and gives it to `to`.
  void move_name(std::uint32_t from, std::uint32_t to) {
    if (from == to)
      return;
    auto& f = g_.values_[from];
    auto& t = g_.values_[to];
    t.is_named = f.is_named;
    if (f.is_named) {
      f.is_named = false;
      g_.set_name(Value{to, t.generation}, g_.names_[from]);
    }
  }
  bool is_named(std::uint32_t value) const { return g_.values_[value].is_named; }
  Symbol scope(std::uint32_t node) const { return g_.nodes_[node].scope; }

 private:
  std::uint32_t new_node();
  void link_op(std::uint32_t node);
  void unlink_op(std::uint32_t node);

  Graph& g_;
};

}  // namespace tandem
