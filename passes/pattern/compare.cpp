#include <tandem/passes/pattern/compare.h>

#include <optional>

namespace tandem {

namespace {

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

}  // namespace

bool compare_attributes(const Graph& graph, Compare how, Attribute a, Attribute b) {
  auto dim = [](Attribute x) -> std::optional<Dim> {
    if (x.kind() == AttrKind::dim)
      return x.dim();
    if (x.kind() == AttrKind::integer && x.integer() >= -Dim::max_constant && x.integer() <= Dim::max_constant) {
      return Dim(x.integer());
    }
    return std::nullopt;
  };
  const auto x = dim(a), y = dim(b);
  if (x && y) {
    if (how == Compare::equal)
      return *x == *y;
    if (x->is_constant() && y->is_constant())
      return compare(how, x->constant(), y->constant());
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
    if (v.kind() == AttrKind::real)
      return v.real();
    if (const auto d = dim(v); d && d->is_constant())
      return static_cast<double>(d->constant());
    return std::nullopt;
  };
  if (const auto r = real(a), s = real(b); r && s && (a.kind() != b.kind() || how > Compare::not_equal)) {
    return compare(how, *r, *s);
  }
  if (how == Compare::equal)
    return a == b;
  if (how == Compare::not_equal)
    return a != b;
  return false;
}

}  // namespace tandem
