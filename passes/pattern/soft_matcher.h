// Matching that does not stop at the first thing that is wrong.
//
// The matcher (matcher.h) asks whether a pattern fits; this one asks how nearly, and what is in the way. It binds nodes
// of a variant to nodes of the graph along the values that they share and, where the expected node is not there, tries
// what usually happened instead, each at a cost:
//
//     in_between      a node of one data operand stands between the two (a cast, a reshape, a bias)
//     operand_order   the operands are swapped, and the op is not commutative
//     result_index    it is another result of the same node
//     other_op        another op stands in its place
//     missing         nobody computes it, or nobody of that op reads it
//
// All other predicates (attributes, types, users) are for soft_check.h to test on what was bound. The cheapest binding
// wins. It knows the resolved variant only, nothing of plans: so it is an independent reading of the language.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/explain.h>

namespace tandem {

/// What a node of a variant is bound to.
struct SoftBinding {
  std::uint32_t node = no_index;
  bool visited = false;
  bool swapped = false;  ///< Its first two operands are read crossed.
  bool foreign = false;  ///< It has another op than the pattern wants.
  bool absent = false;   ///< It is left out, and what reads it reads one of its operands.
};

/// Something in the structure of the graph that is not as the pattern wants it.
struct SoftObstacle {
  Cause cause = Cause::missing;
  int node = -1;                ///< Of the variant.
  int value = -1;               ///< Of the variant: the one that leads to the node.
  std::uint32_t at = no_index;  ///< The graph's value there.
  bool upwards = false;         ///< The node was looked for as what defines the value, not as its reader.
  std::vector<std::uint32_t> between = {};
  bool exchanged = false;  ///< Of a result index: that other result is read in its place, too.
};

/// A reading of one site.
struct SoftMatch {
  std::vector<SoftBinding> nodes;     ///< By node of the variant.
  std::vector<std::uint32_t> values;  ///< By value of the variant; no_index where unknown.
  std::vector<SoftObstacle> obstacles;
  int cost = 0;  ///< Of the obstacles, and of nodes that could not be looked for.

  std::size_t num_bound() const;      ///< Nodes of the right op.
  std::size_t num_unreached() const;  ///< Nodes that nothing led to.
};

/// What an obstacle or a failed predicate costs; the sum ranks sites.
inline constexpr int predicate_cost = 4;
inline constexpr int other_op_cost = 5;  ///< Of the same arity, elementwise as it is.
inline constexpr int unlike_op_cost = 7;
inline constexpr int missing_cost = 8;
/// A view computes nothing: where something is to be computed it is rather missing than another op.
inline constexpr int view_instead_cost = missing_cost + 1;

class SoftMatcher {
 public:
  SoftMatcher(const Graph& graph, const CompiledVariant& variant)
      : graph_(graph), view_(graph), v_(variant), context_(graph.context()) {}

  /// Whether it is worthwhile to go on; called with complete readings that cost less than `limit`.
  struct Sink {
    virtual ~Sink() = default;
    /// A complete reading. Returns the cost from which on others are of no interest.
    virtual int take(const SoftMatch& match) = 0;
  };

  struct Limits {
    int cost = 0;                             ///< Readings cost less than this.
    std::size_t obstacles = ~std::size_t{0};  ///< And have no more than so many obstacles.
  };

  /// All readings with `node` bound to node `pattern_node`, within limits and a budget. A node of another op stands in
  /// its place.
  void search(std::size_t pattern_node, Node node, const Limits& limits, Sink& sink);

  /// The nodes between `from` and the value `target` when each passes on one data operand; empty when they do not lead
  /// there.
  std::vector<std::uint32_t> path_between(std::uint32_t from, std::uint32_t target) const;

 private:
  void go(SoftMatch& m);
  void leaf(const SoftMatch& m);
  void walk_up(const SoftMatch& m, std::size_t value);
  void walk_down(const SoftMatch& m, std::size_t node, std::size_t operand);
  void bind(SoftMatch m, std::size_t node, std::uint32_t to, bool foreign, int crossed);
  void leave_out(SoftMatch m, std::size_t node, SoftObstacle obstacle);
  bool is_read(int value) const;
  bool leads_on(std::uint32_t value, int pattern_value, bool upwards) const;
  bool is_taken(const SoftMatch& m, std::uint32_t node) const;
  std::uint32_t data_operand(std::uint32_t node) const;
  bool is_stand_in(const SoftMatch& m, std::size_t node, std::uint32_t for_several) const;
  bool can_stand_for(std::uint32_t node) const;
  int cost_of_other(std::size_t node, std::uint32_t other) const;
  bool is_alone(std::size_t pattern_node, std::uint32_t node) const;

  const Graph& graph_;
  GraphView view_;
  const CompiledVariant& v_;
  Context& context_;
  Sink* sink_ = nullptr;
  int limit_ = 0;
  std::size_t most_obstacles_ = 0;
  int budget_ = 0;
};

}  // namespace tandem
