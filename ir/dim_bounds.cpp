// Bounds of dims by interval arithmetic.
//
// An interval whose end is 2^61 or -2^61 on its outer side is open there: the value may lie beyond. On its inner side
// (a minimum of 2^61) it is just a number.
#include <algorithm>
#include <cstdint>

#include <tandem/ir/dim.h>

namespace tandem {

namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t infinite = Dim::max_constant;

std::int64_t clamp_wide(Wide value) {
  return static_cast<std::int64_t>(std::clamp<Wide>(value, -Dim::max_constant, Dim::max_constant));
}

DimRange add(DimRange a, DimRange b) {
  return {a.min == -infinite || b.min == -infinite ? -infinite : clamp_wide(Wide{a.min} + b.min),
          a.max == infinite || b.max == infinite ? infinite : clamp_wide(Wide{a.max} + b.max)};
}

// Clamping does for open ends, too: all else is an integer, so a product with an open end is 0 or at least as large.
DimRange multiply(DimRange a, DimRange b) {
  const auto [min, max] =
      std::minmax({Wide{a.min} * b.min, Wide{a.min} * b.max, Wide{a.max} * b.min, Wide{a.max} * b.max});
  return {clamp_wide(min), clamp_wide(max)};
}

DimRange hull(DimRange a, DimRange b) {
  return {std::min(a.min, b.min), std::max(a.max, b.max)};
}

std::int64_t floor_by_positive(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// The quotients by divisors of [d.min, d.max], which are positive.
DimRange divide_by_positive(DimRange n, DimRange d) {
  DimRange out;
  if (n.min == -infinite)
    out.min = -infinite;
  else if (n.min < 0)
    out.min = floor_by_positive(n.min, d.min);
  else
    out.min = d.max == infinite ? 0 : n.min / d.max;
  if (n.max == infinite)
    out.max = infinite;
  else
    out.max = floor_by_positive(n.max, n.max < 0 ? d.max : d.min);
  return out;
}

DimRange remainder_by_positive(DimRange n, DimRange d) {
  const bool is_closed = n.min != -infinite && n.max != infinite;
  // Within one period of a known divisor, or below every divisor, the remainder grows with the numerator.
  if (is_closed && d.min == d.max && d.max != infinite &&
      floor_by_positive(n.min, d.min) == floor_by_positive(n.max, d.min)) {
    const std::int64_t start = floor_by_positive(n.min, d.min) * d.min;
    return {n.min - start, n.max - start};
  }
  if (is_closed && n.min >= 0 && n.max < d.min)
    return n;
  DimRange out{0, d.max == infinite ? infinite : d.max - 1};
  if (n.min >= 0)
    out.max = std::min(out.max, n.max);
  return out;
}

DimRange negate(DimRange a) {
  return {-a.max, -a.min};
}

DimRange divide(DimAtomKind kind, DimRange n, DimRange d) {
  const auto by_positive = kind == DimAtomKind::floordiv ? divide_by_positive : remainder_by_positive;
  const auto by_negative = [&] {
    const DimRange mirrored = by_positive(negate(n), {std::max<std::int64_t>(1, -d.max), -d.min});
    return kind == DimAtomKind::floordiv ? mirrored : negate(mirrored);
  };
  // The divisor 0 gives no value.
  if (d.min >= 0 && d.max > 0)
    return by_positive(n, {std::max<std::int64_t>(1, d.min), d.max});
  if (d.max <= 0 && d.min < 0)
    return by_negative();
  if (d.min == 0)
    return {-infinite, infinite};
  return hull(by_positive(n, {1, d.max}), by_negative());
}

using RangeOf = std::function<DimRange(Symbol)>;

DimRange bounds_of_atom(const DimAtom& atom, const RangeOf& range_of) {
  if (atom.kind != DimAtomKind::symbol) {
    const DimRange a = bounds(atom.numerator, range_of), b = bounds(atom.divisor, range_of);
    return atom.kind == DimAtomKind::min ? DimRange{std::min(a.min, b.min), std::min(a.max, b.max)}
                                         : divide(atom.kind, a, b);
  }
  const DimRange range = range_of(atom.name);
  return {clamp_wide(range.min), clamp_wide(range.max)};
}

/// atom^exponent: an even power is never negative, which a plain product of intervals would miss.
DimRange power(DimRange base, std::size_t exponent) {
  DimRange out{1, 1};
  for (std::size_t i = 0; i < exponent; ++i)
    out = multiply(out, base);
  if (exponent % 2 == 0 && base.min < 0 && base.max > 0)
    out.min = 0;
  return out;
}

DimRange bounds_of_term(const DimTerm& term, const RangeOf& range_of) {
  DimRange out{term.coefficient, term.coefficient};
  for (std::size_t i = 0; i < term.atoms.size();) {
    std::size_t exponent = 1;
    while (i + exponent < term.atoms.size() && term.atoms[i + exponent] == term.atoms[i])
      ++exponent;
    out = multiply(out, power(bounds_of_atom(*term.atoms[i], range_of), exponent));
    i += exponent;
  }
  return out;
}

}  // namespace

DimRange bounds(Dim dim, const RangeOf& range_of) {
  if (dim.is_constant())
    return {dim.constant(), dim.constant()};
  DimRange out{dim.expr()->constant, dim.expr()->constant};
  for (const DimTerm& term : dim.expr()->terms)
    out = add(out, bounds_of_term(term, range_of));
  return out;
}

}  // namespace tandem
