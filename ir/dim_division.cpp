// floordiv, mod and ceildiv of dims, simplified where that is exact.
//
// Two identities hold for all integers with b != 0 and, in the second, constants c and g > 0:
//   floordiv(q*b + r, b) = q + floordiv(r, b)                 mod(q*b + r, b) = mod(r, b)
//   floordiv(g*r + c, g*b) = floordiv(r + floordiv(c, g), b)  mod(g*r + c, g*b) = g*mod(r + floordiv(c, g), b) + mod(c,
//   g)
// So multiples of the divisor are split off, then common factors are taken out, and what is left is an atom.
#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/dim.h>
#include <tandem/ir/dim_polynomial.h>

namespace tandem {

namespace {

// Beyond this many steps, polynomial division is given up and the quotient stays as it is written.
constexpr std::size_t max_division_steps = 32;

std::int64_t floor_quotient(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}
std::int64_t floor_remainder(std::int64_t a, std::int64_t b) {
  return a % b != 0 && (a < 0) != (b < 0) ? a % b + b : a % b;
}

[[noreturn]] void throw_zero_division() {
  throw Error("dim.zero-division", "a dim is divided by zero",
              "the divisor of floordiv, mod and ceildiv must not be 0");
}

/// `constant` + one atom, taken once: the only numerators that nested simplification looks into.
struct ShiftedAtom {
  std::int64_t constant = 0;
  const DimAtom* atom = nullptr;

  explicit ShiftedAtom(Dim dim) {
    const DimExpr* expr = dim.expr();
    if (!expr || expr->terms.size() != 1)
      return;
    const DimTerm& term = expr->terms.front();
    if (term.coefficient != 1 || term.atoms.size() != 1)
      return;
    constant = expr->constant;
    atom = term.atoms.front();
  }
  /// Is the atom of this kind, with a positive constant divisor?
  bool is(DimAtomKind kind) const {
    return atom && atom->kind == kind && atom->divisor.is_constant() && atom->divisor.constant() > 0;
  }
};

/// a = quotient * divisor + rest. No term of `rest` is a multiple of the divisor's leading term; a constant divisor
/// leaves a constant of [0, divisor) and coefficients nearer to zero than it is, their sign kept, which keeps the
/// bounds tight.
struct Division {
  DimPolynomial quotient, rest;
};

Division divide_by_constant(DimScratch& scratch, Dim a, std::int64_t divisor) {
  Division out{DimPolynomial(scratch), DimPolynomial(scratch)};
  const DimExpr& expr = *a.expr();
  for (const DimTerm& term : expr.terms) {
    if (term.coefficient / divisor != 0)
      out.quotient.add_term(term.coefficient / divisor, term.atoms);
    if (term.coefficient % divisor != 0)
      out.rest.add_term(term.coefficient % divisor, term.atoms);
  }
  if (const auto q = floor_quotient(expr.constant, divisor); q != 0)
    out.quotient.add_term(q, {});
  if (const auto r = floor_remainder(expr.constant, divisor); r != 0)
    out.rest.add_term(r, {});
  return out;
}

/// Divides `rest`, constant of [0, divisor) included, and `divisor` by what the divisor and the coefficients share.
/// Returns it.
std::int64_t take_out_common_factor(DimPolynomial& rest, std::int64_t& divisor) {
  std::int64_t factor = divisor;
  for (const DimTermView& term : rest.symbolic_terms())
    factor = std::gcd(factor, term.coefficient);
  // A constant that is smaller than the factor vanishes: `normalize` drops it.
  for (DimTermView& term : rest.terms())
    term.coefficient /= factor;
  divisor /= factor;
  return factor;
}

Dim divide_by_constant(Dim a, std::int64_t divisor) {
  if (divisor == 0)
    throw_zero_division();
  if (a.is_constant())
    return Dim(floor_quotient(a.constant(), divisor));
  if (divisor < 0)
    return divide_by_constant(Dim(0) - a, -divisor);
  if (divisor == 1)
    return a;
  DimTable* table = a.expr()->table;
  DimScratch scratch;
  Division division = divide_by_constant(scratch, a, divisor);
  const Dim quotient = division.quotient.finish(table);
  if (division.rest.symbolic_terms().empty())
    return quotient;
  take_out_common_factor(division.rest, divisor);
  const Dim rest = division.rest.finish(table);

  const ShiftedAtom inner(rest);
  std::int64_t product = 0;
  if (inner.is(DimAtomKind::floordiv) && !__builtin_mul_overflow(inner.atom->divisor.constant(), divisor, &product) &&
      product <= Dim::max_constant) {
    const Dim shift = Dim(inner.constant) * inner.atom->divisor;
    return quotient + floordiv(inner.atom->numerator + shift, Dim(product));
  }
  if (inner.is(DimAtomKind::mod) && inner.constant + inner.atom->divisor.constant() <= divisor)
    return quotient;
  return quotient + table->atom(DimAtomKind::floordiv, rest, Dim(divisor));
}

Dim remainder_by_constant(Dim a, std::int64_t divisor) {
  if (divisor == 0)
    throw_zero_division();
  if (a.is_constant())
    return Dim(floor_remainder(a.constant(), divisor));
  if (divisor < 0)
    return Dim(0) - remainder_by_constant(Dim(0) - a, -divisor);
  DimTable* table = a.expr()->table;
  DimScratch scratch;
  DimPolynomial rest = divide_by_constant(scratch, a, divisor).rest;
  const std::int64_t constant = rest.constant();
  if (rest.symbolic_terms().empty())
    return Dim(constant);
  const std::int64_t factor = take_out_common_factor(rest, divisor);
  const Dim reduced = rest.finish(table);

  const ShiftedAtom inner(reduced);
  Dim remainder;
  if (inner.is(DimAtomKind::mod) && inner.constant + inner.atom->divisor.constant() <= divisor)
    remainder = reduced;
  else if (inner.is(DimAtomKind::mod) && inner.atom->divisor.constant() % divisor == 0)
    remainder = mod(inner.atom->numerator + Dim(inner.constant), Dim(divisor));
  else
    remainder = table->atom(DimAtomKind::mod, reduced, Dim(divisor));
  return remainder * Dim(factor) + Dim(constant % factor);
}

std::int64_t leading_coefficient(Dim a) {
  return a.expr()->terms.front().coefficient;
}

std::int64_t common_factor(std::int64_t factor, Dim a) {
  if (a.is_constant())
    return std::gcd(factor, a.constant());
  factor = std::gcd(factor, a.expr()->constant);
  for (const DimTerm& term : a.expr()->terms)
    factor = std::gcd(factor, term.coefficient);
  return factor;
}

Dim divide_exactly(Dim a, std::int64_t factor) {
  if (factor == 1)
    return a;
  if (a.is_constant())
    return Dim(a.constant() / factor);
  DimScratch scratch;
  DimPolynomial out(scratch);
  out.add(a);
  for (DimTermView& term : out.terms())
    term.coefficient /= factor;
  return out.finish(a.expr()->table);
}

/// The atoms of a / b, if b's are among a's.
std::optional<std::vector<const DimAtom*>> monomial_quotient(std::span<const DimAtom* const> a,
                                                             const std::vector<const DimAtom*>& b) {
  std::vector<const DimAtom*> out;
  std::size_t used = 0;
  for (const DimAtom* atom : a) {
    if (used < b.size() && b[used] == atom)
      ++used;
    else
      out.push_back(atom);
  }
  if (used != b.size())
    return std::nullopt;
  return out;
}

struct SymbolicDivision {
  Dim quotient, rest;
};

/// Division with remainder by a symbolic divisor whose leading coefficient is positive. Divides nothing at all where
/// that would overflow or take too many steps.
SymbolicDivision divide_by_polynomial(Dim a, Dim b) {
  DimTable* table = b.expr()->table;
  const DimTerm& leading = b.expr()->terms.front();
  DimScratch scratch;
  // Outlives the polynomials, which point into it.
  std::vector<std::vector<const DimAtom*>> monomials;
  monomials.reserve(max_division_steps);
  DimPolynomial quotient(scratch), rest(scratch), left(scratch);
  const SymbolicDivision undivided{Dim(0), a};
  if (!left.add(a))
    return undivided;
  for (std::size_t i = 0; i < left.terms().size();) {
    const DimTermView first = left.terms()[i];
    auto monomial = monomial_quotient(first.atoms, leading.atoms);
    const std::int64_t coefficient = first.coefficient / leading.coefficient;
    if (!monomial || coefficient == 0) {
      if (rest.terms().size() == max_dim_terms)
        return undivided;
      rest.add_term(first.coefficient, first.atoms);
      ++i;
      continue;
    }
    if (monomials.size() == max_division_steps)
      return undivided;
    monomials.push_back(std::move(*monomial));
    quotient.add_term(coefficient, monomials.back());
    const DimTermView factor{-coefficient, monomials.back()};
    DimPolynomial next(scratch);
    for (const DimTermView& term : left.terms().subspan(i))
      next.add_term(term.coefficient, term.atoms);
    for (const DimTerm& term : b.expr()->terms)
      if (!next.add_product(factor, {term.coefficient, term.atoms}))
        return undivided;
    if (b.expr()->constant != 0 && !next.add_product(factor, {b.expr()->constant, {}}))
      return undivided;
    if (!next.normalize())
      return undivided;
    left = std::move(next);
    i = 0;
  }
  return {quotient.finish(table), rest.finish(table)};
}

/// floordiv(a, b) = quotient + floordiv(rest, divisor) and mod(a, b) = scale * mod(rest, divisor), for a symbolic b.
struct Reduced {
  Dim quotient, rest, divisor;
  std::int64_t scale;
};

Reduced reduce(Dim a, Dim b) {
  std::int64_t scale = 1;
  if (leading_coefficient(b) < 0) {
    a = Dim(0) - a;
    b = Dim(0) - b;
    scale = -1;
  }
  const std::int64_t factor = common_factor(common_factor(0, b), a);
  a = divide_exactly(a, factor);
  b = divide_exactly(b, factor);
  if (b.is_constant())
    return {Dim(0), a, b, scale * factor};
  const SymbolicDivision division = divide_by_polynomial(a, b);
  return {division.quotient, division.rest, b, scale * factor};
}

}  // namespace

Dim floordiv(Dim a, Dim b) {
  if (b.is_constant())
    return divide_by_constant(a, b.constant());
  DimTable* table = common_table(a, b);
  const Reduced reduced = reduce(a, b);
  if (reduced.rest.is(0))
    return reduced.quotient;
  return reduced.quotient + table->atom(DimAtomKind::floordiv, reduced.rest, reduced.divisor);
}

Dim mod(Dim a, Dim b) {
  if (b.is_constant())
    return remainder_by_constant(a, b.constant());
  DimTable* table = common_table(a, b);
  const Reduced reduced = reduce(a, b);
  if (reduced.rest.is(0))
    return Dim(0);
  return Dim(reduced.scale) * table->atom(DimAtomKind::mod, reduced.rest, reduced.divisor);
}

Dim ceildiv(Dim a, Dim b) {
  if (b.is_constant() && b.constant() < 0)
    return ceildiv(Dim(0) - a, Dim(0) - b);
  return floordiv(a + b - Dim(1), b);
}

}  // namespace tandem
