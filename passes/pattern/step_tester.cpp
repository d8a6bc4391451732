#include <tandem/passes/pattern/step_tester.h>

#include <algorithm>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/compare.h>
#include <tandem/passes/pattern/predicates.h>

namespace tandem {

namespace {

std::int64_t wrapped(std::int64_t axis, std::size_t rank) {
  return axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis;
}

}  // namespace

bool StepTester::test_rare(const Step& step, MatchState& state) const {
  switch (step.kind) {
    case StepKind::axes_are: return test_axes(step, state);
    case StepKind::attr_same:
      return compare_attributes(graph_, Compare::equal, view_.attr(state.nodes[step.node], step.index),
                                state.captures[step.slot]);
    case StepKind::attr_compare: return test_compare(step, state);
    case StepKind::leading_bind:
    case StepKind::leading_same: {
      const auto dims = shape(step, state).dims();
      const auto leading = dims.first(dims.size() - step.low);
      if (step.kind == StepKind::leading_bind) {
        state.leading[step.slot] = leading;
        return true;
      }
      return std::equal(leading.begin(), leading.end(), state.leading[step.slot].begin(),
                        state.leading[step.slot].end());
    }
    case StepKind::guard: return test_guard(set_.guards[step.arg], state);
    default: internal_error("a choice step reached the step tester");
  }
}

bool StepTester::test_axes(const Step& step, const MatchState& state) const {
  const std::uint32_t node = state.nodes[step.node];
  const std::size_t rank = view_.shape(view_.operand(node, 0)).rank();
  const auto have = view_.attr(node, step.index).dims().dims();
  const std::vector<Attribute>& want = set_.constant_lists[step.arg];
  if (have.size() != want.size())
    return false;
  std::uint64_t have_set = 0, want_set = 0;
  for (Dim d : have)
    have_set |= std::uint64_t{1} << (static_cast<std::uint64_t>(wrapped(d.constant(), rank)) & 63U);
  for (Attribute a : want) {
    want_set |= std::uint64_t{1} << (static_cast<std::uint64_t>(wrapped(a.integer(), rank)) & 63U);
  }
  return have_set == want_set;
}

bool StepTester::test_compare(const Step& step, const MatchState& state) const {
  const Attribute have = view_.attr(state.nodes[step.node], step.index);
  const auto how = static_cast<Compare>(step.low);
  if (how != Compare::one_of)
    return compare_attributes(graph_, how, have, set_.constants[step.arg]);
  const std::vector<Attribute>& list = set_.constant_lists[step.arg];
  return std::any_of(list.begin(), list.end(),
                     [&](Attribute a) { return compare_attributes(graph_, Compare::equal, have, a); });
}

bool StepTester::test_general(const Equation& e, Dim found, const MatchState& state) const {
  const auto value = evaluate(set_.expressions[static_cast<std::size_t>(e.general)], state);
  return value && compare_attributes(graph_, Compare::equal, *value, Attribute::of(found));
}

bool StepTester::test_symbolic(const Equation& e, Dim found, MatchState& state) const {
  try {
    Dim rest = found - Dim(e.linear.constant);
    for (std::size_t i = 0; i < e.linear.terms.size(); ++i) {
      if (static_cast<int>(i) == e.unknown)
        continue;
      const auto [coefficient, variable] = e.linear.terms[i];
      rest = rest - (coefficient == 1 ? state.dims[variable] : Dim(coefficient) * state.dims[variable]);
    }
    if (e.unknown < 0)
      return rest.is(0);
    const auto [coefficient, variable] = e.linear.terms[static_cast<std::size_t>(e.unknown)];
    if (coefficient != 1) {
      if (!mod(rest, Dim(coefficient)).is(0))
        return false;
      rest = floordiv(rest, Dim(coefficient));
    }
    // No dimension is negative.
    if (bounds(rest, [&](Symbol s) { return graph_.range(s); }).min < 0)
      return false;
    state.dims[variable] = rest;
    return true;
  } catch (const Error&) {  // beyond the range of dims
    return false;
  }
}

bool StepTester::test_guard(const BoundGuard& g, const MatchState& state) const {
  if (g.predicate >= 0) {
    std::array<Value, 4> values;
    for (std::size_t i = 0; i < g.args.size(); ++i)
      values[i] = view_.value(value_index(view_, state, g.args[i].value));
    return predicates()[static_cast<std::size_t>(g.predicate)].holds(graph_, {values.data(), g.args.size()}) !=
           g.negated;
  }
  const auto a = evaluate(g.args[0], state, &view_);
  if (!a)
    return false;  // a comparison that has no value holds neither plain nor negated
  if (g.compare == Compare::one_of) {
    return std::any_of(g.args[1].args.begin(), g.args[1].args.end(), [&](const BoundExpr& e) {
             const auto b = evaluate(e, state, &view_);
             return b && compare_attributes(graph_, Compare::equal, *a, *b);
           }) != g.negated;
  }
  const auto b = evaluate(g.args[1], state, &view_);
  return b && compare_attributes(graph_, g.compare, *a, *b) != g.negated;
}

}  // namespace tandem
