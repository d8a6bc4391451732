// What rewriting passes share: replacing a value under the rule that outputs keep their names, and words for a node.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/graph.h>

namespace tandem {

/// Replaces values by others that are equal. A named output of the graph keeps its name, since that is how callers and
/// files know it: the value that takes its place takes the name, too. One that cannot (an input, a weight, another
/// named output) takes over all other uses only.
class ValueReplacer {
 public:
  explicit ValueReplacer(Graph& graph) : graph_(graph) {}

  /// Redirects the uses of `from` to `to`; true when none is left. `to` is defined before every user of `from`. A name
  /// that a result `to` lacks is taken over from `from`, which loses it.
  bool replace(Value from, Value to);

  /// Whether the graph returns `value` under a name.
  bool is_named_output(Value value);

 private:
  bool is_output(Value value);
  void mark_output(Value value);
  void move_name(Value from, Value to);

  Graph& graph_;
  std::vector<bool> outputs_;  // by value index; filled when first asked for
  bool known_ = false;
};

/// True when no result of `node` has a use.
bool is_unused(const Graph& graph, Node node);

/// The node that makes a value by `op`, or null.
Node made_by(const Graph& graph, Value value, OpId op);

/// The scope that nodes have in common: "model.layers.3" of "model.layers.3.q" and "model.layers.3.kv".
Symbol common_scope(const Graph& graph, std::span<const Node> nodes);

/// An axis that may count from the end, as one that does: 1 of rank 2 is -1.
inline std::int64_t axis_from_end(std::int64_t axis, std::size_t rank) {
  return axis < 0 ? axis : axis - static_cast<std::int64_t>(rank);
}

/// "split %q" or, without a name, "split"; then " in model.layers.3" when the node has a scope.
std::string describe(const Graph& graph, Node node);

}  // namespace tandem
