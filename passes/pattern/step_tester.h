// What each step asks of the graph. The frequent questions stand here, to be compiled into the matcher's loop; the rest
// in step_tester.cpp.
#pragma once

#include <algorithm>

#include <tandem/passes/pattern/matcher.h>

namespace tandem {

/// Tests single steps against a state and, for those that bind, writes to it. `up` binds its node; the choices (`down`,
/// `commute`, `unless`) are the matcher's.
class StepTester {
 public:
  StepTester(const CompiledSet& set, const Graph& graph, const GraphView& view)
      : set_(set), graph_(graph), view_(view) {}

  static bool within(std::size_t n, std::uint8_t low, std::uint8_t high) {
    return n >= low && (n <= high || high == unbounded);
  }
  /// Whether `node` has the operands and results that a step of kind down wants.
  bool fits(const Step& step, std::uint32_t node) const {
    return within(view_.num_operands(node), step.low, step.high) &&
           within(view_.num_results(node), step.results_low, step.results_high);
  }
  DType dtype(const Step& step, const MatchState& state) const {
    return view_.dtype(value_index(view_, state, step.value));
  }
  Shape shape(const Step& step, const MatchState& state) const {
    return view_.shape(value_index(view_, state, step.value));
  }

  /// A step that looks at edges alone.
  [[gnu::always_inline]] bool walk(const Step& step, MatchState& state) const {
    switch (step.kind) {
      case StepKind::anchor: return true;
      case StepKind::up: {
        const std::uint32_t v = value_index(view_, state, step.value);
        const std::uint32_t def = view_.def(v);
        if (def == no_index || view_.op(def).index != step.arg || view_.result_index(v) != step.index)
          return false;
        state.nodes[step.node] = def;
        state.swapped &= ~(1U << step.node);
        return true;
      }
      case StepKind::num_operands: return within(view_.num_operands(state.nodes[step.node]), step.low, step.high);
      case StepKind::num_results:
        return within(view_.num_results(state.nodes[step.node]), step.results_low, step.results_high);
      case StepKind::has_user: return has_user(step, state);
      case StepKind::same_value: return value_index(view_, state, step.value) == value_index(view_, state, step.other);
      case StepKind::distinct: return state.nodes[step.node] != state.nodes[step.index];
      case StepKind::uses: return view_.num_uses(value_index(view_, state, step.value)) == step.low;
      default: return false;
    }
  }

  [[gnu::always_inline]] bool test(const Step& step, MatchState& state) const {  // one switch in the matcher's loop
    switch (step.kind) {
      case StepKind::anchor:
      case StepKind::up:
      case StepKind::num_operands:
      case StepKind::num_results:
      case StepKind::has_user:
      case StepKind::same_value:
      case StepKind::distinct:
      case StepKind::uses: return walk(step, state);
      case StepKind::attr_is: return view_.attr(state.nodes[step.node], step.index).bits() == step.payload;
      case StepKind::axis_is: {
        const std::uint32_t node = state.nodes[step.node];
        const std::int64_t have = view_.attr(node, step.index).integer();
        const auto want = static_cast<std::int64_t>(step.payload);
        if (have == want)
          return true;
        const std::int64_t difference = have < want ? want - have : have - want;
        return (have < 0) != (want < 0) &&
               difference == static_cast<std::int64_t>(view_.shape(view_.operand(node, 0)).rank());
      }
      case StepKind::attr_bind: state.captures[step.slot] = view_.attr(state.nodes[step.node], step.index); return true;
      case StepKind::list_length:
        return within(view_.attr(state.nodes[step.node], step.index).dims().rank(), step.low, step.high);
      case StepKind::dtype_in: return (step.arg >> static_cast<unsigned>(dtype(step, state)) & 1U) != 0;
      case StepKind::dtype_bind: {
        const DType found = dtype(step, state);
        state.dtypes[step.slot] = found;
        return (step.arg >> static_cast<unsigned>(found) & 1U) != 0;
      }
      case StepKind::dtype_same: return dtype(step, state) == state.dtypes[step.slot];
      case StepKind::rank: return within(shape(step, state).rank(), step.low, step.high);
      case StepKind::equation: return test_equation(set_.equations[step.arg], state);
      default: return test_rare(step, state);
    }
  }

 private:
  /// A look at the first few users: of a value with more it is not known. The value may be a result that the node,
  /// whose results are not counted yet, has not.
  bool has_user(const Step& step, const MatchState& state) const {
    if (step.value.is_result && step.value.index >= view_.num_results(state.nodes[step.value.node]))
      return false;
    std::uint32_t use = view_.first_use(value_index(view_, state, step.value));
    for (int looked = 0; use != no_index; use = view_.next_use(use), ++looked) {
      if (looked == 8)
        return true;
      const std::uint32_t user = view_.user(use);
      if (view_.op(user).index != step.arg)
        continue;
      const std::uint32_t operand = view_.user_operand(use);
      if (operand != step.index && (step.slot == 0 || operand != 1U - step.index))
        continue;
      const auto* const bound = state.nodes.data();
      if (std::find(bound, bound + step.node, user) == bound + step.node)
        return true;
    }
    return false;
  }

  bool test_equation(const Equation& e, MatchState& state) const {
    Dim found;
    if (!source_dim(e, state, found))
      return false;
    if (e.general >= 0)
      return test_general(e, found, state);
    // found = constant + sum(coefficient * variable): a check, or solved for the one unknown.
    const std::size_t terms = e.linear.terms.size();
    if (terms == 1 && e.linear.constant == 0 && e.linear.terms[0].first == 1) {  // just `Q`
      Dim& dim = state.dims[e.linear.terms[0].second];
      if (e.unknown < 0)
        return dim == found;
      dim = found;
      return true;
    }
    // All constants, the usual case: coefficients are below 2^40, dims below 2^61 and 24 at most; the sum may not
    // overflow.
    if (!found.is_constant())
      return test_symbolic(e, found, state);
    std::int64_t rest = 0;
    if (__builtin_sub_overflow(found.constant(), e.linear.constant, &rest))
      return false;
    for (std::size_t i = 0; i < terms; ++i) {
      if (static_cast<int>(i) == e.unknown)
        continue;
      const auto [coefficient, variable] = e.linear.terms[i];
      const Dim dim = state.dims[variable];
      if (!dim.is_constant())
        return test_symbolic(e, found, state);
      std::int64_t product = 0;
      if (__builtin_mul_overflow(coefficient, dim.constant(), &product) ||
          __builtin_sub_overflow(rest, product, &rest)) {
        return false;
      }
    }
    if (e.unknown < 0)
      return rest == 0;
    const auto [coefficient, variable] = e.linear.terms[static_cast<std::size_t>(e.unknown)];
    if (rest % coefficient != 0 || rest / coefficient < 0 || rest / coefficient > Dim::max_constant)
      return false;
    state.dims[variable] = Dim(rest / coefficient);
    return true;
  }

  bool source_dim(const Equation& e, const MatchState& state, Dim& found) const {
    std::span<const Dim> dims;
    switch (e.source) {
      case Equation::Source::from_end:
        dims = view_.shape(value_index(view_, state, e.value)).dims();
        if (e.index >= dims.size())
          return false;
        found = dims[dims.size() - 1 - e.index];
        return true;
      case Equation::Source::from_start: dims = view_.shape(value_index(view_, state, e.value)).dims(); break;
      case Equation::Source::list_element: dims = view_.attr(state.nodes[e.node], e.attr).dims().dims(); break;
      case Equation::Source::dim_attr: found = view_.attr(state.nodes[e.node], e.attr).dim(); return true;
    }
    if (e.index >= dims.size())
      return false;
    found = dims[e.index];
    return true;
  }

  bool test_rare(const Step& step, MatchState& state) const;
  bool test_axes(const Step& step, const MatchState& state) const;
  bool test_compare(const Step& step, const MatchState& state) const;
  bool test_general(const Equation& e, Dim found, const MatchState& state) const;
  bool test_symbolic(const Equation& e, Dim found, MatchState& state) const;
  bool test_guard(const BoundGuard& g, const MatchState& state) const;

  const CompiledSet& set_;
  const Graph& graph_;
  const GraphView& view_;
};

}  // namespace tandem
