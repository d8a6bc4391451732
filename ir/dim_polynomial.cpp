// The order of atoms and monomials, and the normal form of sums.
#include <tandem/ir/dim_polynomial.h>

#include <algorithm>
#include <string>

#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

bool in_range(std::int64_t value) {
  return value >= -Dim::max_constant && value <= Dim::max_constant;
}

}  // namespace

// The recursion follows one path: interned things that differ by pointer differ by structure, so the first pair that
// differs decides.
std::strong_ordering compare_dims(Dim a, Dim b) {
  if (a == b)
    return std::strong_ordering::equal;
  if (a.is_constant() || b.is_constant()) {
    if (a.is_constant() != b.is_constant())
      return b.is_constant() <=> a.is_constant();
    return a.constant() <=> b.constant();
  }
  const DimExpr& left = *a.expr();
  const DimExpr& right = *b.expr();
  const std::size_t common = std::min(left.terms.size(), right.terms.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto order = compare_monomials(left.terms[i].atoms, right.terms[i].atoms);
    if (order != 0)
      return order;
    if (left.terms[i].coefficient != right.terms[i].coefficient)
      return left.terms[i].coefficient <=> right.terms[i].coefficient;
  }
  if (left.terms.size() != right.terms.size())
    return left.terms.size() <=> right.terms.size();
  return left.constant <=> right.constant;
}

std::strong_ordering compare_atoms(const DimAtom* a, const DimAtom* b) {
  if (a == b)
    return std::strong_ordering::equal;
  if (a->kind != b->kind)
    return a->kind <=> b->kind;
  if (a->kind == DimAtomKind::symbol)
    return a->name.view() <=> b->name.view();
  const auto order = compare_dims(a->numerator, b->numerator);
  return order != 0 ? order : compare_dims(a->divisor, b->divisor);
}

std::strong_ordering compare_monomials(std::span<const DimAtom* const> a, std::span<const DimAtom* const> b) {
  if (a.size() != b.size())
    return b.size() <=> a.size();
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i])
      return compare_atoms(a[i], b[i]);
  return std::strong_ordering::equal;
}

DimTable* common_table(Dim a, Dim b) {
  if (a.is_constant())
    return b.is_constant() ? nullptr : b.expr()->table;
  if (!b.is_constant() && a.expr()->table != b.expr()->table)
    internal_error("dims of two contexts were combined");
  return a.expr()->table;
}

bool DimPolynomial::add(Dim dim, std::int64_t factor) {
  if (factor == 0)
    return true;
  if (!dim.is_constant()) {
    const DimExpr& expr = *dim.expr();
    for (const DimTerm& term : expr.terms) {
      std::int64_t coefficient = 0;
      if (__builtin_mul_overflow(term.coefficient, factor, &coefficient) || !in_range(coefficient))
        return false;
      add_term(coefficient, term.atoms);
    }
  }
  const std::int64_t constant = dim.is_constant() ? dim.constant() : dim.expr()->constant;
  std::int64_t product = 0;
  if (__builtin_mul_overflow(constant, factor, &product) || !in_range(product))
    return false;
  if (product != 0)
    add_term(product, {});
  return true;
}

bool DimPolynomial::add_product(const DimTermView& a, const DimTermView& b) {
  std::int64_t coefficient = 0;
  if (__builtin_mul_overflow(a.coefficient, b.coefficient, &coefficient) || !in_range(coefficient))
    return false;
  if (a.atoms.empty() || b.atoms.empty()) {
    add_term(coefficient, a.atoms.empty() ? b.atoms : a.atoms);
    return true;
  }
  const std::size_t size = a.atoms.size() + b.atoms.size();
  auto* atoms = static_cast<const DimAtom**>(
      scratch_->resource()->allocate(size * sizeof(const DimAtom*), alignof(const DimAtom*)));
  std::merge(a.atoms.begin(), a.atoms.end(), b.atoms.begin(), b.atoms.end(), atoms,
             [](const DimAtom* x, const DimAtom* y) { return compare_atoms(x, y) < 0; });
  add_term(coefficient, {atoms, size});
  return true;
}

bool DimPolynomial::normalize() {
  const auto before = [](const DimTermView& a, const DimTermView& b) {
    return compare_monomials(a.atoms, b.atoms) < 0;
  };
  if (!std::is_sorted(terms_.begin(), terms_.end(), before))
    std::sort(terms_.begin(), terms_.end(), before);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < terms_.size();) {
    DimTermView merged = terms_[i];
    // Coefficients stay below 2^61, so that one addition cannot leave int64.
    for (++i; i < terms_.size() && compare_monomials(terms_[i].atoms, merged.atoms) == 0; ++i) {
      merged.coefficient += terms_[i].coefficient;
      if (!in_range(merged.coefficient))
        return false;
    }
    if (merged.coefficient != 0)
      terms_[kept++] = merged;
  }
  terms_.resize(kept);
  return true;
}

Dim DimPolynomial::finish(DimTable* table) {
  if (!normalize())
    throw_dim_overflow();
  const auto symbolic = symbolic_terms();
  if (symbolic.empty())
    return Dim(constant());
  return table->intern(constant(), symbolic);
}

Dim signed_sum(std::span<const Dim> dims, std::span<const std::int64_t> signs) {
  DimScratch scratch;
  DimPolynomial sum(scratch);
  DimTable* table = nullptr;
  Dim symbolic;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!dims[i].is_constant()) {
      table = common_table(symbolic, dims[i]);
      symbolic = dims[i];
    }
    if (!sum.add(dims[i], signs[i]))
      throw_dim_overflow();
  }
  return sum.finish(table);
}

void throw_dim_overflow() {
  throw Error("dim.overflow", "a dim or one of its coefficients leaves the range from -2^61 to 2^61",
              "check the sizes; no tensor can be that large");
}

}  // namespace tandem
