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

#include <bit>

#include <tandem/passes/pipeline.h>
#include <tandem/passes/rewrite.h>

namespace tandem {

namespace {

class Expressions {
 public:
  explicit Expressions(const Graph& graph)
      : graph_(graph), slots_(std::bit_ceil(graph.num_nodes() * 2 + 1)), mask_(slots_.size() - 1) {}

  /// The node entered earlier that computes the same, else null; the node is then entered.
  Node find_or_insert(Node node, const OpDef& op) {
    const std::uint64_t h = hash(node, op);
    for (std::size_t i = h & mask_;; i = (i + 1) & mask_) {
      Slot& slot = slots_[i];
      if (!slot.node) {
        slot = {node, static_cast<std::uint32_t>(h >> 32)};
        return {};
      }
      if (slot.hash == static_cast<std::uint32_t>(h >> 32) && equal(slot.node, node, op)) {
        return slot.node;
      }
    }
  }

 private:
  struct Slot {
    Node node;
    std::uint32_t hash = 0;
  };

  /// Operands 0 and 1 are compared without regard to their order.
  static bool swaps(const OpDef& op, std::size_t num_operands) {
    return op.has(trait::commutative) && num_operands >= 2;
  }

  static std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
    h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
    return h ^ (h >> 29);
  }

  std::uint64_t hash(Node node, const OpDef& op) const {
    const std::size_t n = graph_.num_operands(node);
    std::uint64_t h = mix(graph_.op(node).index, n);
    std::size_t first = 0;
    if (swaps(op, n)) {
      const std::uint64_t a = graph_.operand(node, 0).index;
      const std::uint64_t b = graph_.operand(node, 1).index;
      h = mix(mix(h, std::min(a, b)), std::max(a, b));
      first = 2;
    }
    for (std::size_t i = first; i < n; ++i) {
      h = mix(h, graph_.operand(node, i).index);
    }
    for (Attribute a : graph_.attrs(node)) {
      h = mix(h, a.bits());
    }
    return mix(h, n);
  }

  bool equal(Node a, Node b, const OpDef& op) const {
    const std::size_t n = graph_.num_operands(a);
    if (graph_.op(a) != graph_.op(b) || n != graph_.num_operands(b) || graph_.num_results(a) != graph_.num_results(b)) {
      return false;
    }
    std::size_t first = 0;
    if (swaps(op, n)) {
      const Value a0 = graph_.operand(a, 0), a1 = graph_.operand(a, 1);
      const Value b0 = graph_.operand(b, 0), b1 = graph_.operand(b, 1);
      if (!(a0 == b0 && a1 == b1) && !(a0 == b1 && a1 == b0)) {
        return false;
      }
      first = 2;
    }
    for (std::size_t i = first; i < n; ++i) {
      if (graph_.operand(a, i) != graph_.operand(b, i)) {
        return false;
      }
    }
    const auto attrs_a = graph_.attrs(a), attrs_b = graph_.attrs(b);
    if (!std::equal(attrs_a.begin(), attrs_a.end(), attrs_b.begin(), attrs_b.end())) {
      return false;
    }
    for (std::size_t i = 0; i < graph_.num_results(a); ++i) {
      if (graph_.type(graph_.result(a, i)) != graph_.type(graph_.result(b, i))) {
        return false;
      }
    }
    return true;
  }

  const Graph& graph_;
  std::vector<Slot> slots_;
  std::size_t mask_;
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
