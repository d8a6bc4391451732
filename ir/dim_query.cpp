// What can be asked of a dim: its text, symbols and value, and the same dim over other symbols.
#include <algorithm>
#include <string>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/dim.h>
#include <tandem/ir/dim_polynomial.h>

namespace tandem {

namespace {

__extension__ using Wide = __int128;

// --- Text

void append(std::string& out, Dim dim);

void append(std::string& out, const DimAtom& atom) {
  if (atom.kind == DimAtomKind::symbol) {
    out += atom.name.view();
    return;
  }
  out += atom.kind == DimAtomKind::floordiv ? "floordiv(" : atom.kind == DimAtomKind::mod ? "mod(" : "min(";
  append(out, atom.numerator);
  out += ", ";
  append(out, atom.divisor);
  out += ')';
}

void append(std::string& out, const DimTerm& term, bool is_first) {
  if (!is_first)
    out += term.coefficient < 0 ? " - " : " + ";
  if (is_first && term.coefficient < 0)
    out += '-';
  const std::int64_t magnitude = term.coefficient < 0 ? -term.coefficient : term.coefficient;
  if (magnitude != 1)
    out += std::to_string(magnitude) + '*';
  for (std::size_t i = 0; i < term.atoms.size(); ++i) {
    if (i != 0)
      out += '*';
    append(out, *term.atoms[i]);
  }
}

void append(std::string& out, Dim dim) {
  if (dim.is_constant()) {
    out += std::to_string(dim.constant());
    return;
  }
  const DimExpr& expr = *dim.expr();
  for (const DimTerm& term : expr.terms)
    append(out, term, &term == &expr.terms.front());
  if (expr.constant != 0) {
    out += expr.constant < 0 ? " - " : " + ";
    out += std::to_string(expr.constant < 0 ? -expr.constant : expr.constant);
  }
}

// --- Values

using ValueOf = std::function<std::optional<std::int64_t>(Symbol)>;

std::optional<std::int64_t> evaluate_atom(const DimAtom& atom, const ValueOf& value_of) {
  if (atom.kind == DimAtomKind::symbol)
    return value_of(atom.name);
  const auto n = evaluate(atom.numerator, value_of);
  const auto d = evaluate(atom.divisor, value_of);
  if (!n || !d)
    return std::nullopt;
  if (atom.kind == DimAtomKind::min)
    return std::min(*n, *d);
  if (*d == 0)
    return std::nullopt;
  if (*d == -1) {  // INT64_MIN / -1 traps.
    std::int64_t negated = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, *n, &negated))
      return std::nullopt;
    return atom.kind == DimAtomKind::floordiv ? negated : 0;
  }
  const std::int64_t rest = *n % *d;
  const bool is_adjusted = rest != 0 && (rest < 0) != (*d < 0);
  if (atom.kind == DimAtomKind::floordiv)
    return *n / *d - (is_adjusted ? 1 : 0);
  return is_adjusted ? rest + *d : rest;
}

std::optional<std::int64_t> evaluate_term(const DimTerm& term, const ValueOf& value_of) {
  std::int64_t product = term.coefficient;
  bool is_overflow = false;
  for (const DimAtom* atom : term.atoms) {
    const auto factor = evaluate_atom(*atom, value_of);
    if (!factor)
      return std::nullopt;
    // A later zero takes an overflow back.
    if (*factor == 0) {
      product = 0;
      is_overflow = false;
    } else if (__builtin_mul_overflow(product, *factor, &product)) {
      is_overflow = true;
    }
  }
  if (is_overflow)
    return std::nullopt;
  return product;
}

Dim substitute_atom(const DimAtom& atom, Dim unchanged, const std::function<std::optional<Dim>(Symbol)>& replacement) {
  if (atom.kind == DimAtomKind::symbol)
    return replacement(atom.name).value_or(unchanged);
  const Dim numerator = substitute(atom.numerator, replacement);
  const Dim divisor = substitute(atom.divisor, replacement);
  if (numerator == atom.numerator && divisor == atom.divisor)
    return unchanged;
  return combine(atom.kind, numerator, divisor);
}

}  // namespace

std::string to_string(Dim dim) {
  std::string out;
  append(out, dim);
  return out;
}

void collect_symbols(Dim dim, std::vector<Symbol>& out) {
  if (dim.is_constant())
    return;
  for (const DimTerm& term : dim.expr()->terms)
    for (const DimAtom* atom : term.atoms) {
      if (atom->kind != DimAtomKind::symbol) {
        collect_symbols(atom->numerator, out);
        collect_symbols(atom->divisor, out);
      } else if (std::ranges::find(out, atom->name) == out.end()) {
        out.push_back(atom->name);
      }
    }
}

std::optional<std::int64_t> evaluate(Dim dim, const ValueOf& value_of) {
  if (dim.is_constant())
    return dim.constant();
  Wide sum = dim.expr()->constant;
  for (const DimTerm& term : dim.expr()->terms) {
    const auto value = evaluate_term(term, value_of);
    if (!value)
      return std::nullopt;
    sum += *value;
  }
  const auto result = static_cast<std::int64_t>(sum);
  if (Wide{result} != sum)
    return std::nullopt;
  return result;
}

Dim substitute(Dim dim, const std::function<std::optional<Dim>(Symbol)>& replacement) {
  if (dim.is_constant())
    return dim;
  const DimExpr& expr = *dim.expr();
  std::vector<Dim> parts{Dim(expr.constant)};
  bool is_changed = false;
  for (const DimTerm& term : expr.terms) {
    Dim product(term.coefficient);
    for (const DimAtom* atom : term.atoms) {
      const DimAtom* const factors[] = {atom};
      const DimTermView lone[] = {{1, factors}};
      const Dim unchanged = expr.table->intern(0, lone);
      const Dim factor = substitute_atom(*atom, unchanged, replacement);
      is_changed = is_changed || factor != unchanged;
      product = product * factor;
    }
    parts.push_back(product);
  }
  if (!is_changed)
    return dim;
  const std::vector<std::int64_t> signs(parts.size(), 1);
  return signed_sum(parts, signs);
}

}  // namespace tandem
