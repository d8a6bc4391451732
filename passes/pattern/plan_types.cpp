// A plan asks for types, and solves the equations of dims as soon as their other parts are known.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/plan_building.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

std::uint32_t dtype_mask(const std::vector<std::string>& names) {
  if (names.empty())
    return (1U << num_dtypes) - 1;
  std::uint32_t mask = 0;
  for (const std::string& n : names)
    mask |= 1U << static_cast<unsigned>(*parse_dtype(n));
  return mask;
}

}  // namespace

void PlanBuilder::add_equation(Equation e, const Expr& expr, const Span& span, const std::string& what) {
  if (mentions({expr}, Expr::Kind::value) || mentions({expr}, Expr::Kind::uses))
    fail(span, "pattern.dim-expression", fmt::format("'{}' speaks of a value, not of dims", to_string(expr)));
  if (const auto linear = linear_form(v_, expr)) {
    e.linear = *linear;
  } else {
    e.general = static_cast<int>(set_.expressions.size());
    set_.expressions.push_back(bind_expr(*set_.context, v_, expr, span));
  }
  pending_.push_back({e, &expr, span, fmt::format("{} is {}", what, to_string(expr))});
}

void PlanBuilder::test_values() {
  for (std::size_t i = 0; i < v_.values.size(); ++i) {
    if (type_done_[i] || plan_.values[i].node == unassigned)
      continue;
    type_done_[i] = true;
    test_type(v_.values[i], plan_.values[i]);
  }
  solve();
}

void PlanBuilder::test_type(const PatternValue& value, ValueRef ref) {
  const TypePattern& t = value.type;
  Step s;
  s.value = ref;
  if (!t.dtype.empty()) {
    if (const auto dtype = parse_dtype(t.dtype)) {
      s.kind = StepKind::dtype_in;
      s.arg = 1U << static_cast<unsigned>(*dtype);
      add(s, value.span, fmt::format("%{} has dtype {}", value.name, t.dtype));
    } else {
      const auto var =
          static_cast<std::size_t>(std::find(v_.types.begin(), v_.types.end(), t.dtype) - v_.types.begin());
      s.slot = static_cast<std::uint8_t>(var);
      s.kind = type_known_[var] ? StepKind::dtype_same : StepKind::dtype_bind;
      if (!type_known_[var])
        s.arg = dtype_mask(pattern_.types[var].dtypes);
      const std::string among = s.kind == StepKind::dtype_bind && !pattern_.types[var].dtypes.empty()
                                    ? fmt::format(", one of {}", fmt::join(pattern_.types[var].dtypes, ", "))
                                    : "";
      add(s, value.span, fmt::format("%{} has dtype {}{}", value.name, t.dtype, among));
      type_known_[var] = true;
    }
  }
  if (!t.has_shape)
    return;
  s = Step{};
  s.kind = StepKind::rank;
  s.value = ref;
  s.low = static_cast<std::uint8_t>(t.dims.size());
  s.high = t.open ? unbounded : s.low;
  add(s, value.span, fmt::format("%{} has {}{}", value.name, t.open ? "at least " : "", counted(t.dims.size(), "dim")));
  if (!t.leading.empty()) {
    const auto l =
        static_cast<std::size_t>(std::find(v_.leading.begin(), v_.leading.end(), t.leading) - v_.leading.begin());
    s = Step{};
    s.kind = leading_known_[l] ? StepKind::leading_same : StepKind::leading_bind;
    s.value = ref;
    s.slot = static_cast<std::uint8_t>(l);
    s.low = static_cast<std::uint8_t>(t.dims.size());
    add(s, value.span, fmt::format("the leading dims of %{} are {}", value.name, t.leading));
    leading_known_[l] = true;
  }
  for (std::size_t i = 0; i < t.dims.size(); ++i) {
    Equation e;
    e.source = Equation::Source::from_end;
    e.value = ref;
    e.index = static_cast<std::uint8_t>(t.dims.size() - 1 - i);
    add_equation(e, t.dims[i], value.span,
                 fmt::format("dim {} of %{}", static_cast<int>(i) - static_cast<int>(t.dims.size()), value.name));
  }
}

void PlanBuilder::solve() {
  for (bool progress = true; progress;) {
    progress = false;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
      Pending& p = pending_[i];
      if (p.equation.general >= 0) {
        if (!all_known(*p.expr))
          continue;
      } else {
        int unknown = -1;
        int unknowns = 0;
        for (std::size_t t = 0; t < p.equation.linear.terms.size(); ++t) {
          if (dim_known_[p.equation.linear.terms[t].second])
            continue;
          unknown = static_cast<int>(t);
          ++unknowns;
        }
        if (unknowns > 1)
          continue;
        p.equation.unknown = unknown;
        if (unknown >= 0)
          dim_known_[p.equation.linear.terms[static_cast<std::size_t>(unknown)].second] = true;
      }
      Step s;
      s.kind = StepKind::equation;
      s.arg = intern(set_.equations, p.equation);
      add(s, p.span, p.text);
      pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
      progress = true;
      break;
    }
  }
}

bool PlanBuilder::all_known(const Expr& e) const {
  if (e.kind == Expr::Kind::name) {
    const auto it = std::find(v_.dims.begin(), v_.dims.end(), e.text);
    if (it != v_.dims.end() && !dim_known_[static_cast<std::size_t>(it - v_.dims.begin())])
      return false;
  }
  if (e.kind == Expr::Kind::capture) {
    const auto it = std::find(v_.captures.begin(), v_.captures.end(), e.text);
    if (it != v_.captures.end() && !capture_known_[static_cast<std::size_t>(it - v_.captures.begin())])
      return false;
  }
  return std::all_of(e.args.begin(), e.args.end(), [&](const Expr& a) { return all_known(a); });
}

void PlanBuilder::require_solved() {
  std::vector<std::string> used;
  for (const Pending& p : pending_)
    collect_names(*p.expr, used);
  for (const Guard& g : pattern_.where) {
    for (const Expr& e : g.args)
      collect_names(e, used);
  }
  for (const RewriteNode& n : pattern_.rewrite) {
    for (const AttrPattern& a : n.attrs)
      collect_names(a.value, used);
  }
  std::string unknown;
  for (std::size_t d = 0; d < dim_known_.size(); ++d) {
    if (dim_known_[d] || std::find(used.begin(), used.end(), v_.dims[d]) == used.end())
      continue;
    unknown += (unknown.empty() ? "" : ", ") + v_.dims[d];
  }
  if (!unknown.empty() || !pending_.empty()) {
    fail(pattern_.span, "pattern.unsolved-dims",
         fmt::format("dims that cannot be determined from what matches: {}", unknown),
         "mention each alone somewhere, as in %w: T[Q], or remove it");
  }
}

void PlanBuilder::collect_names(const Expr& e, std::vector<std::string>& out) {
  if (e.kind == Expr::Kind::name)
    out.push_back(e.text);
  for (const Expr& a : e.args)
    collect_names(a, out);
}

}  // namespace tandem
