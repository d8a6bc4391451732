// Sums, products and extremes of dims.
#include <tandem/ir/dim.h>

#include <utility>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/dim_polynomial.h>

namespace tandem {

void Dim::overflow() {
  throw_dim_overflow();
}

Symbol Dim::symbol() const {
  if (is_constant())
    return {};
  const DimExpr& e = *expr();
  const bool is_lone =
      e.constant == 0 && e.terms.size() == 1 && e.terms[0].coefficient == 1 && e.terms[0].atoms.size() == 1;
  return is_lone ? e.terms[0].atoms[0]->name : Symbol();
}

Dim operator+(Dim a, Dim b) {
  if (a.is_constant() && b.is_constant())
    return Dim(a.constant() + b.constant());
  if (a.is(0))
    return b;
  if (b.is(0))
    return a;
  DimTable* table = common_table(a, b);
  DimScratch scratch;
  DimPolynomial sum(scratch);
  if (!sum.add(a) || !sum.add(b))
    throw_dim_overflow();
  return sum.finish(table);
}

Dim operator-(Dim a, Dim b) {
  if (a.is_constant() && b.is_constant())
    return Dim(a.constant() - b.constant());
  if (b.is(0))
    return a;
  if (a == b)
    return Dim(0);
  DimTable* table = common_table(a, b);
  DimScratch scratch;
  DimPolynomial difference(scratch);
  if (!difference.add(a) || !difference.add(b, -1))
    throw_dim_overflow();
  return difference.finish(table);
}

Dim operator*(Dim a, Dim b) {
  if (b.is_constant())
    std::swap(a, b);
  DimScratch scratch;
  DimPolynomial product(scratch);
  if (a.is_constant()) {
    if (b.is_constant()) {
      std::int64_t value = 0;
      if (__builtin_mul_overflow(a.constant(), b.constant(), &value))
        throw_dim_overflow();
      return Dim(value);
    }
    if (a.is(0))
      return Dim(0);
    if (a.is(1))
      return b;
    if (!product.add(b, a.constant()))
      throw_dim_overflow();
    return product.finish(b.expr()->table);
  }
  DimTable* table = common_table(a, b);
  DimPolynomial left(scratch), right(scratch);
  left.add(a);
  right.add(b);
  for (const DimTermView& x : left.terms())
    for (const DimTermView& y : right.terms())
      if (!product.add_product(x, y))
        throw_dim_overflow();
  return product.finish(table);
}

namespace {

/// Whether `dim` is min(.., other) or min(other, ..).
bool is_minimum_with(Dim dim, Dim other) {
  const DimExpr* expr = dim.expr();
  if (expr == nullptr || expr->constant != 0 || expr->terms.size() != 1)
    return false;
  const DimTerm& term = expr->terms.front();
  if (term.coefficient != 1 || term.atoms.size() != 1 || term.atoms.front()->kind != DimAtomKind::min)
    return false;
  return term.atoms.front()->numerator == other || term.atoms.front()->divisor == other;
}

}  // namespace

Dim minimum(Dim a, Dim b) {
  // Two dims whose difference is known, equal ones and constants among them, have a smaller one.
  if (const Dim difference = a - b; difference.is_constant())
    return difference.constant() <= 0 ? a : b;
  if (compare_dims(b, a) < 0)
    std::swap(a, b);
  // b has symbols, since constants stand first.
  const Dim shift(b.expr()->constant);
  a = a - shift;
  b = b - shift;
  if (is_minimum_with(a, b))
    return a + shift;
  if (is_minimum_with(b, a))
    return b + shift;
  return common_table(a, b)->atom(DimAtomKind::min, a, b) + shift;
}

Dim maximum(Dim a, Dim b) {
  return a + b - minimum(a, b);
}

Dim combine(DimAtomKind kind, Dim a, Dim b) {
  switch (kind) {
    case DimAtomKind::floordiv: return floordiv(a, b);
    case DimAtomKind::mod: return mod(a, b);
    case DimAtomKind::min: return minimum(a, b);
    case DimAtomKind::symbol: break;
  }
  internal_error("a symbol has no operands to combine");
}

}  // namespace tandem
