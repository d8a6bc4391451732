// Common subexpression elimination: merges nodes that compute the same.
//
//     %q1, %kv1 = split %p {axis = -1, sizes = [1536, 576]}        %q1, %kv1 = split %p {...}
//     %q2, %kv2 = split %p {axis = -1, sizes = [1536, 576]}   ->   %a = add %q1, %b
//     %a = add %q1, %b                                             %d = mul %a, %a
//     %c = add %b, %q2
//     %d = mul %a, %c
//
// Two nodes compute the same when op, operands (of a commutative op: in either order), attributes (bit by bit) and
// result types are equal. (Duplicate splits are the case that hid a fusion in vLLM #33967.) Only pure nodes are merged;
// collectives never are, pure or not: every rank must see the same sequence of them.
//
// Requires: a verified graph. Preserves: order, the names of outputs.
// Linear: one walk along the order with a hash table; the earlier of two equal nodes stands before all users of both.

#include <algorithm>
#include <bit>
#include <cstdint>

#include <tandem/ir/growing_array.h>
#include <tandem/passes/pipeline.h>
#include <tandem/passes/rewrite.h>

namespace tandem {

namespace {

/// The nodes met so far, by what they compute.
class Expressions {
 public:
  explicit Expressions(const Graph& graph) : graph_(graph) {
    const std::size_t n = std::bit_ceil(2 * graph.num_nodes() + line_slots);
    slots_.append(n);
    mask_ = n - 1;
  }

  /// The node entered earlier that computes the same, else null; the node is then entered.
  Node find_or_insert(Node node, const OpDef& op) {
    const GraphView view(graph_);
    const std::uint64_t h = hash(view, node.index, op);
    const auto tag = static_cast<std::uint32_t>(h >> 32);
    // First within one cache line, which belongs to the last of the operands: neighbours in the graph are neighbours
    // here, so that a walk over a graph beyond the caches is one over this table, too. Where that line is full, as for
    // a value with many users, anywhere.
    const std::size_t line = latest_operand(view, node.index) * slots_a_value & mask_ & ~(line_slots - 1);
    for (std::size_t step = 0;; ++step) {
      Slot& slot = slots_[step < line_slots ? line | ((h + step) & (line_slots - 1)) : (h + step) & mask_];
      if (slot.node == 0) {
        slot = {node.index, tag};
        return {};
      }
      if (slot.tag == tag && equal(view, slot.node, node.index, op))
        return view.node(slot.node);
    }
  }

 private:
  struct Slot {
    std::uint32_t node = 0;  ///< The return node, which is never entered: free.
    std::uint32_t tag = 0;
  };
  static constexpr std::size_t line_slots = 64 / sizeof(Slot);
  static constexpr std::size_t slots_a_value = 2;

  /// Operands 0 and 1 are compared without regard to their order.
  static bool swaps(const OpDef& op, std::uint32_t num_operands) {
    return op.has(trait::commutative) && num_operands >= 2;
  }

  static std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
    h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 29);
  }

  static std::uint32_t latest_operand(const GraphView& view, std::uint32_t node) {
    std::uint32_t latest = 0;
    for (std::uint32_t i = 0; i < view.num_operands(node); ++i)
      latest = std::max(latest, view.operand(node, i));
    return latest;
  }

  static std::uint64_t hash(const GraphView& view, std::uint32_t node, const OpDef& op) {
    const std::uint32_t n = view.num_operands(node);
    std::uint64_t h = mix(view.op(node).index, n);
    std::uint32_t first = 0;
    if (swaps(op, n)) {
      const std::uint32_t a = view.operand(node, 0), b = view.operand(node, 1);
      h = mix(mix(h, std::min(a, b)), std::max(a, b));
      first = 2;
    }
    for (std::uint32_t i = first; i < n; ++i)
      h = mix(h, view.operand(node, i));
    for (std::uint32_t i = 0; i < op.attrs.size(); ++i)
      h = mix(h, view.attr(node, i).bits());
    return mix(h, n);
  }

  static bool equal(const GraphView& view, std::uint32_t a, std::uint32_t b, const OpDef& op) {
    const std::uint32_t n = view.num_operands(a);
    if (view.op(a) != view.op(b) || n != view.num_operands(b) || view.num_results(a) != view.num_results(b))
      return false;
    std::uint32_t first = 0;
    if (swaps(op, n)) {
      const std::uint32_t a0 = view.operand(a, 0), a1 = view.operand(a, 1);
      const std::uint32_t b0 = view.operand(b, 0), b1 = view.operand(b, 1);
      if (!(a0 == b0 && a1 == b1) && !(a0 == b1 && a1 == b0))
        return false;
      first = 2;
    }
    for (std::uint32_t i = first; i < n; ++i) {
      if (view.operand(a, i) != view.operand(b, i))
        return false;
    }
    for (std::uint32_t i = 0; i < op.attrs.size(); ++i) {
      if (view.attr(a, i) != view.attr(b, i))
        return false;
    }
    for (std::uint32_t i = 0; i < view.num_results(a); ++i) {
      if (view.type(view.result(a, i)) != view.type(view.result(b, i)))
        return false;
    }
    return true;
  }

  const Graph& graph_;
  GrowingArray<Slot> slots_;
  std::size_t mask_ = 0;
};

}  // namespace

PassResult pass::cse(Graph& graph, PassContext&) {
  PassResult result;
  const std::uint64_t edits = graph.edit_count();
  Expressions expressions(graph);
  ValueReplacer replacer(graph);
  NearMiss kept{"both are outputs of the graph, which keep their names", 0, {}, {}};
  for (Node node = graph.first(); node;) {
    const Node next = graph.next(node);
    const OpDef& op = graph.def(node);
    if (op.has(trait::pure) && !op.has(trait::collective) && graph.num_results(node) != 0) {
      ++result.candidates;
      if (const Node earlier = expressions.find_or_insert(node, op)) {
        for (std::size_t i = 0; i < graph.num_results(node); ++i) {
          replacer.replace(graph.result(node, i), graph.result(earlier, i));
        }
        if (is_unused(graph, node)) {
          graph.erase(node);
          ++result.matches;
        } else if (++kept.count == 1) {
          kept.example = describe(graph, node) + " equals " + describe(graph, earlier);
          kept.where = describe(graph, node);
        }
      }
    }
    node = next;
  }
  result.changed = graph.edit_count() != edits;
  if (kept.count != 0) {
    result.near_misses.push_back(std::move(kept));
  }
  return result;
}

}  // namespace tandem
