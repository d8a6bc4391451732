// No-op elimination: removes nodes that return their operand, and shortens chains of reshapes and of transposes.
//
//     identity(x)                                          ->  x
//     reshape(x), expand(x) to the shape of x              ->  x
//     reshape(reshape(x))                                  ->  reshape(x)
//     transpose(x) that leaves every axis in place         ->  x
//     transpose(transpose(x))                              ->  transpose(x), or x where they cancel
//     cast(x) to the dtype of x                            ->  x
//     slice(x) of everything                               ->  x
//     split(x) into one part, concat of one part           ->  x
//     concat of all parts of one split, in order, rejoined ->  the value that was split
//     pad(x) by nothing                                    ->  x
//
// Arithmetic is left alone: x + 0 is not x for -0.0, and a cast to a wider dtype and back may have been meant to round.
//
// Requires: a verified graph. Preserves: every bit of every output, and the outputs' names; a no-op that gives an
// input, a weight or another output a second name stays. Linear: operands stand before users, so chains are short by
// the time that their end is met.

#include <algorithm>

#include <tandem/passes/pipeline.h>
#include <tandem/passes/rewrite.h>

namespace tandem {

namespace {

class NoopElimination {
 public:
  explicit NoopElimination(Graph& graph) : graph_(graph), replacer_(graph) {}

  PassResult run() {
    const std::uint64_t edits = graph_.edit_count();
    for (Node node = graph_.first(); node;) {
      const Node next = graph_.next(node);
      visit(node);
      node = next;
    }
    result_.changed = graph_.edit_count() != edits;
    if (kept_.count != 0) {
      result_.near_misses.push_back(std::move(kept_));
    }
    return std::move(result_);
  }

 private:
  void visit(Node node) {
    Value same;
    bool shortened = false;
    switch (static_cast<op::Core>(graph_.op(node).index)) {
      case op::Core::reshape: shortened = shorten_reshape(node); [[fallthrough]];
      case op::Core::identity:
      case op::Core::expand:
      case op::Core::cast: same = operand_of_same_type(node); break;
      case op::Core::transpose:
        shortened = shorten_transpose(node);
        same = keeps_axes(node) ? graph_.operand(node, 0) : Value{};
        break;
      case op::Core::slice: same = graph_.attr(node, "start").dim().is(0) ? operand_of_same_type(node) : Value{}; break;
      case op::Core::split: same = graph_.num_results(node) == 1 ? graph_.operand(node, 0) : Value{}; break;
      case op::Core::concat: same = rejoined(node); break;
      case op::Core::pad: same = pads_nothing(node) ? graph_.operand(node, 0) : Value{}; break;
      default: return;
    }
    ++result_.candidates;
    if (same) {
      remove(node, same);
    } else if (shortened) {
      ++result_.matches;
    }
  }

  void remove(Node node, Value same) {
    const Value from = graph_.result(node, 0);
    if (replacer_.replace(from, same)) {
      graph_.erase(node);
      ++result_.matches;
    } else if (++kept_.count == 1) {
      kept_.example = describe(graph_, node) + " gives an input, a weight or another output a second name";
      kept_.where = describe(graph_, node);
    }
  }

  Value operand_of_same_type(Node node) const {
    const Value x = graph_.operand(node, 0);
    return graph_.type(x) == graph_.type(graph_.result(node, 0)) ? x : Value{};
  }

  /// Lets `node` read what `inner`, the node before it, reads; that goes when nobody else needs it.
  void skip(Node node, Node inner) {
    graph_.set_operand(node, 0, graph_.operand(inner, 0));
    if (is_unused(graph_, inner)) {
      graph_.erase(inner);
    }
  }

  bool shorten_reshape(Node node) {
    const Node inner = made_by(graph_, graph_.operand(node, 0), op::reshape);
    if (!inner) {
      return false;
    }
    skip(node, inner);
    return true;
  }

  bool shorten_transpose(Node node) {
    const Node inner = made_by(graph_, graph_.operand(node, 0), op::transpose);
    if (!inner) {
      return false;
    }
    // Axis i of the result is axis outer[i] of the inner result, which is axis inner[outer[i]] of x.
    const Shape inner_perm = graph_.attr(inner, "perm").dims();
    const Shape outer_perm = graph_.attr(node, "perm").dims();
    perm_.clear();
    for (Dim axis : outer_perm) {
      perm_.push_back(inner_perm[static_cast<std::size_t>(axis.constant())]);
    }
    const auto position = static_cast<std::size_t>(graph_.def(node).find_attr("perm"));
    graph_.set_attr(node, position, Attribute::of(graph_.context().shape(perm_)));
    skip(node, inner);
    return true;
  }

  bool keeps_axes(Node node) const {
    std::int64_t i = 0;
    for (Dim axis : graph_.attr(node, "perm").dims()) {
      if (!axis.is(i++)) {
        return false;
      }
    }
    return true;
  }

  bool pads_nothing(Node node) const {
    const auto zero = [](Dim d) { return d.is(0); };
    const Shape low = graph_.attr(node, "low").dims(), high = graph_.attr(node, "high").dims();
    return std::all_of(low.begin(), low.end(), zero) && std::all_of(high.begin(), high.end(), zero);
  }

  /// What a concat restores: its only operand, or the value whose parts it joins again.
  Value rejoined(Node node) const {
    const Value first = graph_.operand(node, 0);
    const std::size_t n = graph_.num_operands(node);
    if (n == 1) {
      return first;
    }
    const Node split = made_by(graph_, first, op::split);
    if (!split || graph_.num_results(split) != n) {
      return {};
    }
    const std::size_t rank = graph_.type(first).shape.rank();
    if (axis_from_end(graph_.attr(node, "axis").integer(), rank) !=
        axis_from_end(graph_.attr(split, "axis").integer(), rank)) {
      return {};
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (graph_.operand(node, i) != graph_.result(split, i)) {
        return {};
      }
    }
    return graph_.operand(split, 0);
  }

  Graph& graph_;
  ValueReplacer replacer_;
  PassResult result_;
  NearMiss kept_{"an output of the graph keeps its name", 0, {}, {}};
  std::vector<Dim> perm_;
};

}  // namespace

PassResult pass::noops(Graph& graph, PassContext&) {
  return NoopElimination(graph).run();
}

}  // namespace tandem
