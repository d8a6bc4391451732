// What each step asks of the graph.

#include <algorithm>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/predicates.h>

namespace tandem {

namespace {

bool within(std::size_t n, std::uint8_t low, std::uint8_t high) {
  return n >= low && (n <= high || high == unbounded);
}

std::int64_t wrapped(std::int64_t axis, std::size_t rank) {
  return axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
}

template <class T>
bool compare(Compare how, const T& a, const T& b) {
  switch (how) {
    case Compare::equal: return a == b;
    case Compare::not_equal: return a != b;
    case Compare::less: return a < b;
    case Compare::less_equal: return a <= b;
    case Compare::greater: return a > b;
    case Compare::greater_equal: return a >= b;
    case Compare::one_of:
    case Compare::any: return false;
  }
  return false;
}

/// Compares two attributes of one kind. Symbolic dims compare when the ranges of their symbols decide.
bool compare_attributes(const Graph& graph, Compare how, Attribute a, Attribute b) {
  auto dim = [](Attribute x) -> std::optional<Dim> {
    if (x.kind() == AttrKind::dim) return x.dim();
    if (x.kind() == AttrKind::integer && x.integer() >= -Dim::max_constant && x.integer() <= Dim::max_constant) {
      return Dim(x.integer());
    }
    return std::nullopt;
  };
  const auto x = dim(a), y = dim(b);
  if (x && y) {
    if (how == Compare::equal) return *x == *y;
    if (x->is_constant() && y->is_constant()) return compare(how, x->constant(), y->constant());
    auto range = [&](Symbol s) { return graph.range(s); };
    const DimRange r = bounds(*x, range), s = bounds(*y, range);
    switch (how) {
      case Compare::not_equal: return r.max < s.min || r.min > s.max;
      case Compare::less: return r.max < s.min;
      case Compare::less_equal: return r.max <= s.min;
      case Compare::greater: return r.min > s.max;
      case Compare::greater_equal: return r.min >= s.max;
      default: return false;
    }
  }
  auto real = [&](Attribute v) -> std::optional<double> {
    if (v.kind() == AttrKind::real) return v.real();
    if (const auto d = dim(v); d && d->is_constant()) return static_cast<double>(d->constant());
    return std::nullopt;
  };
  if (const auto r = real(a), s = real(b); r && s && (a.kind() != b.kind() || how > Compare::not_equal)) {
    return compare(how, *r, *s);
  }
  if (how == Compare::equal) return a == b;
  if (how == Compare::not_equal) return a != b;
  return false;
}

}  // namespace

bool StepTester::fits(const Step& step, Node node) const {
  return within(graph_.num_operands(node), step.low, step.high) &&
         within(graph_.num_results(node), step.results_low, step.results_high);
}

bool StepTester::test(const Step& step, MatchState& state) const {
  switch (step.kind) {
    case StepKind::anchor: return fits(step, state.nodes[0]);
    case StepKind::up: {
      const Value v = value_at(graph_, state, step.value);
      const Node def = graph_.def_node(v);
      if (!def || graph_.op(def).index != step.arg || graph_.result_index(v) != step.index || !fits(step, def)) {
        return false;
      }
      state.nodes[step.node] = def;
      state.swapped &= ~(1U << step.node);
      return true;
    }
    case StepKind::same_value: return value_at(graph_, state, step.value) == value_at(graph_, state, step.other);
    case StepKind::distinct: return state.nodes[step.node] != state.nodes[step.index];
    case StepKind::attr_is: return graph_.attr(state.nodes[step.node], step.index).bits() == step.payload;
    case StepKind::axis_is: return test_axis(step, state);
    case StepKind::axes_are: return test_axes(step, state);
    case StepKind::attr_bind:
      state.captures[step.slot] = graph_.attr(state.nodes[step.node], step.index);
      return true;
    case StepKind::attr_same:
      return compare_attributes(graph_, Compare::equal, graph_.attr(state.nodes[step.node], step.index),
                                state.captures[step.slot]);
    case StepKind::attr_compare: return test_compare(step, state);
    case StepKind::list_length:
      return within(graph_.attr(state.nodes[step.node], step.index).dims().rank(), step.low, step.high);
    case StepKind::dtype_in:
      return (step.arg >> static_cast<unsigned>(graph_.type(value_at(graph_, state, step.value)).dtype) & 1U) != 0;
    case StepKind::dtype_bind: {
      const DType dtype = graph_.type(value_at(graph_, state, step.value)).dtype;
      state.dtypes[step.slot] = dtype;
      return (step.arg >> static_cast<unsigned>(dtype) & 1U) != 0;
    }
    case StepKind::dtype_same: return graph_.type(value_at(graph_, state, step.value)).dtype == state.dtypes[step.slot];
    case StepKind::rank:
      return within(graph_.type(value_at(graph_, state, step.value)).shape.rank(), step.low, step.high);
    case StepKind::leading_bind:
    case StepKind::leading_same: {
      const auto dims = graph_.type(value_at(graph_, state, step.value)).shape.dims();
      const auto leading = dims.first(dims.size() - step.low);
      if (step.kind == StepKind::leading_bind) {
        state.leading[step.slot] = leading;
        return true;
      }
      return std::equal(leading.begin(), leading.end(), state.leading[step.slot].begin(), state.leading[step.slot].end());
    }
    case StepKind::equation: return test_equation(set_.equations[step.arg], state);
    case StepKind::uses: return graph_.num_uses(value_at(graph_, state, step.value)) == step.low;
    case StepKind::guard: return test_guard(set_.guards[step.arg], state);
    case StepKind::down:
    case StepKind::commute:
    case StepKind::unless: break;
  }
  internal_error("a choice step reached the step tester");
}

bool StepTester::test_axis(const Step& step, const MatchState& state) const {
  const Node node = state.nodes[step.node];
  const std::size_t rank = graph_.type(graph_.operand(node, 0)).shape.rank();
  const std::int64_t have = graph_.attr(node, step.index).integer();
  const auto want = static_cast<std::int64_t>(step.payload);
  return have == want || wrapped(have, rank) == wrapped(want, rank);
}

bool StepTester::test_axes(const Step& step, const MatchState& state) const {
  const Node node = state.nodes[step.node];
  const std::size_t rank = graph_.type(graph_.operand(node, 0)).shape.rank();
  const auto have = graph_.attr(node, step.index).dims().dims();
  const std::vector<Attribute>& want = set_.constant_lists[step.arg];
  if (have.size() != want.size()) return false;
  std::uint64_t have_set = 0, want_set = 0;
  for (Dim d : have) have_set |= std::uint64_t{1} << (static_cast<std::uint64_t>(wrapped(d.constant(), rank)) & 63U);
  for (Attribute a : want) want_set |= std::uint64_t{1} << (static_cast<std::uint64_t>(wrapped(a.integer(), rank)) & 63U);
  return have_set == want_set;
}

bool StepTester::test_compare(const Step& step, const MatchState& state) const {
  const Attribute have = graph_.attr(state.nodes[step.node], step.index);
  const auto how = static_cast<Compare>(step.low);
  if (how != Compare::one_of) return compare_attributes(graph_, how, have, set_.constants[step.arg]);
  const std::vector<Attribute>& list = set_.constant_lists[step.arg];
  return std::any_of(list.begin(), list.end(),
                     [&](Attribute a) { return compare_attributes(graph_, Compare::equal, have, a); });
}

std::optional<Dim> StepTester::source_dim(const Equation& e, const MatchState& state) const {
  switch (e.source) {
    case Equation::Source::from_end: {
      const auto dims = graph_.type(value_at(graph_, state, e.value)).shape.dims();
      if (e.index >= dims.size()) return std::nullopt;
      return dims[dims.size() - 1 - e.index];
    }
    case Equation::Source::from_start: {
      const auto dims = graph_.type(value_at(graph_, state, e.value)).shape.dims();
      if (e.index >= dims.size()) return std::nullopt;
      return dims[e.index];
    }
    case Equation::Source::list_element: {
      const auto dims = graph_.attr(state.nodes[e.node], e.attr).dims().dims();
      if (e.index >= dims.size()) return std::nullopt;
      return dims[e.index];
    }
    case Equation::Source::dim_attr: return graph_.attr(state.nodes[e.node], e.attr).dim();
  }
  return std::nullopt;
}

bool StepTester::test_equation(const Equation& e, MatchState& state) const {
  const auto found = source_dim(e, state);
  if (!found) return false;
  if (e.general >= 0) {
    const auto value = evaluate(set_.expressions[static_cast<std::size_t>(e.general)], state);
    return value && compare_attributes(graph_, Compare::equal, *value, Attribute::of(*found));
  }
  // found = constant + sum(coefficient * variable): a check, or solved for the one unknown.
  const auto unknown = static_cast<std::size_t>(e.unknown);
  if (e.linear.constant == 0 && e.linear.terms.size() == 1 && e.linear.terms[0].first == 1) {  // just `Q`
    Dim& dim = state.dims[e.linear.terms[0].second];
    if (e.unknown < 0) return dim == *found;
    dim = *found;
    return true;
  }
  Dim rest = *found;
  try {
    if (e.linear.constant != 0) rest = rest - Dim(e.linear.constant);
    for (std::size_t i = 0; i < e.linear.terms.size(); ++i) {
      if (e.unknown >= 0 && i == unknown) continue;
      const auto [coefficient, variable] = e.linear.terms[i];
      rest = rest - (coefficient == 1 ? state.dims[variable] : Dim(coefficient) * state.dims[variable]);
    }
    if (e.unknown < 0) return rest.is(0);
    const auto [coefficient, variable] = e.linear.terms[unknown];
    if (coefficient != 1) {
      if (!mod(rest, Dim(coefficient)).is(0)) return false;
      rest = floordiv(rest, Dim(coefficient));
    }
    if (rest.is_constant() && rest.constant() < 0) return false;  // no dimension is negative
    state.dims[variable] = rest;
    return true;
  } catch (const Error&) {  // beyond the range of dims
    return false;
  }
}

bool StepTester::test_guard(const BoundGuard& g, const MatchState& state) const {
  bool holds = false;
  if (g.predicate >= 0) {
    std::array<Value, 4> values;
    for (std::size_t i = 0; i < g.args.size(); ++i) values[i] = value_at(graph_, state, g.args[i].value);
    holds = predicates()[static_cast<std::size_t>(g.predicate)].holds(graph_, {values.data(), g.args.size()});
  } else if (g.compare == Compare::one_of) {
    const auto a = evaluate(g.args[0], state);
    holds = a && std::any_of(g.args[1].args.begin(), g.args[1].args.end(), [&](const BoundExpr& e) {
      const auto b = evaluate(e, state);
      return b && compare_attributes(graph_, Compare::equal, *a, *b);
    });
  } else {
    const auto a = evaluate(g.args[0], state), b = evaluate(g.args[1], state);
    holds = a && b && compare_attributes(graph_, g.compare, *a, *b);
    // A comparison that has no value holds neither plain nor negated.
    if (!a || !b) return false;
  }
  return holds != g.negated;
}

}  // namespace tandem
