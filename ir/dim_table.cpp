// The unique store of atoms and expressions: equal dims are one pointer.
#include <algorithm>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/dim.h>
#include <tandem/ir/dim_polynomial.h>
#include <tandem/ir/hash_mix.h>
#include <tandem/ir/insert_only_set.h>

namespace tandem {

namespace {

/// What the limits count.
struct Measure {
  std::size_t size = 0;     ///< Terms and factors, those inside other atoms too.
  std::size_t nesting = 0;  ///< How deep floordiv, mod and min nest.
};

struct ExprEntry : DimExpr {
  std::uint64_t hash = 0;
  Measure measure;
};

struct AtomEntry : DimAtom {
  std::uint64_t hash = 0;
  Measure measure;
  Dim dim;  ///< This atom as an expression of its own.
};

std::uint64_t pointer_bits(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

std::uint64_t hash_expression(std::int64_t constant, std::span<const DimTermView> terms) {
  std::uint64_t hash = hash_mix(terms.size(), static_cast<std::uint64_t>(constant));
  for (const DimTermView& term : terms) {
    hash = hash_mix(hash, static_cast<std::uint64_t>(term.coefficient));
    for (const DimAtom* atom : term.atoms)
      hash = hash_mix(hash, pointer_bits(atom));
  }
  return hash;
}

bool equals(const DimExpr& expr, std::int64_t constant, std::span<const DimTermView> terms) {
  if (expr.constant != constant || expr.terms.size() != terms.size())
    return false;
  for (std::size_t i = 0; i < terms.size(); ++i)
    if (expr.terms[i].coefficient != terms[i].coefficient || !std::ranges::equal(expr.terms[i].atoms, terms[i].atoms))
      return false;
  return true;
}

bool is_symbol_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto is_inner = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '.'; };
  return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, is_inner) && name != "floordiv" &&
         name != "mod" && name != "ceildiv" && name != "min" && name != "max";
}

[[noreturn]] void throw_too_large(std::string message) {
  throw Error("dim.too-large", std::move(message), "give the expression a symbol of its own");
}

Measure measure_of(Dim dim) {
  return dim.is_constant() ? Measure{1, 0} : static_cast<const ExprEntry*>(dim.expr())->measure;
}

Measure measure_of(std::span<const DimTermView> terms) {
  Measure total;
  for (const DimTermView& term : terms) {
    if (term.atoms.size() > max_dim_factors)
      throw_too_large("a term of a dim has " + std::to_string(term.atoms.size()) + " factors; at most " +
                      std::to_string(max_dim_factors) + " are supported");
    total.size += 1;
    for (const DimAtom* atom : term.atoms) {
      const Measure& factor = static_cast<const AtomEntry*>(atom)->measure;
      total.size += factor.size;
      total.nesting = std::max(total.nesting, factor.nesting);
    }
  }
  if (terms.size() > max_dim_terms)
    throw_too_large("a dim has " + std::to_string(terms.size()) + " terms; at most " + std::to_string(max_dim_terms) +
                    " are supported");
  if (total.size > max_dim_size)
    throw_too_large("a dim has " + std::to_string(total.size) + " terms and factors in all; at most " +
                    std::to_string(max_dim_size) + " are supported");
  return total;
}

void require_normal_form(std::span<const DimTermView> terms) {
  for (std::size_t i = 0; i < terms.size(); ++i) {
    const auto& atoms = terms[i].atoms;
    const bool in_order =
        std::ranges::is_sorted(atoms, [](const DimAtom* a, const DimAtom* b) { return compare_atoms(a, b) < 0; }) &&
        (i == 0 || compare_monomials(terms[i - 1].atoms, atoms) < 0);
    const std::int64_t c = terms[i].coefficient;
    if (atoms.empty() || c == 0 || c > Dim::max_constant || c < -Dim::max_constant || !in_order)
      internal_error("a dim's terms are not in normal form");
  }
}

}  // namespace

struct DimTable::Impl {
  std::mutex mutex;  ///< For everything but `find` of the two sets.
  InsertOnlySet<AtomEntry> atom_set;
  InsertOnlySet<ExprEntry> expr_set;
  std::deque<AtomEntry> atoms;
  std::deque<ExprEntry> exprs;
  std::size_t bytes = 0;

  const AtomEntry* find_atom(std::uint64_t hash, DimAtomKind kind, Symbol name, Dim numerator, Dim divisor) const {
    return atom_set.find(hash, [&](const AtomEntry& entry) {
      return entry.kind == kind && entry.name == name && entry.numerator == numerator && entry.divisor == divisor;
    });
  }

  const ExprEntry* find_expr(std::uint64_t hash, std::int64_t constant, std::span<const DimTermView> terms) const {
    return expr_set.find(hash, [&](const ExprEntry& entry) { return equals(entry, constant, terms); });
  }

  void charge(std::size_t amount) {
    if (bytes + amount > max_dim_table_bytes)
      throw_too_large("the dims of this context need more than " + std::to_string(max_dim_table_bytes >> 20) + " MiB");
    bytes += amount;
  }

  // Both require the mutex and that the entry does not exist.

  const ExprEntry* insert_expr(DimTable* table, std::uint64_t hash, std::int64_t constant,
                               std::span<const DimTermView> terms) {
    const Measure measure = measure_of(terms);
    std::size_t size = sizeof(ExprEntry) + terms.size() * sizeof(DimTerm);
    for (const DimTermView& term : terms)
      size += term.atoms.size() * sizeof(const DimAtom*);
    charge(size);
    ExprEntry entry{{constant, {}, table}, hash, measure};
    entry.terms.reserve(terms.size());
    for (const DimTermView& term : terms)
      entry.terms.push_back({term.coefficient, {term.atoms.begin(), term.atoms.end()}});
    exprs.push_back(std::move(entry));
    expr_set.insert(&exprs.back());
    return &exprs.back();
  }

  const AtomEntry* insert_atom(DimTable* table, std::uint64_t hash, DimAtomKind kind, Symbol name, Dim numerator,
                               Dim divisor) {
    Measure measure{1, 0};
    if (kind != DimAtomKind::symbol) {
      const Measure above = measure_of(numerator);
      const Measure below = measure_of(divisor);
      measure = {1 + above.size + below.size, 1 + std::max(above.nesting, below.nesting)};
      if (measure.nesting > max_dim_nesting)
        throw_too_large("floordiv, mod and min nest more than " + std::to_string(max_dim_nesting) + " deep");
      if (measure.size + 1 > max_dim_size)
        throw_too_large("a dim has more than " + std::to_string(max_dim_size) + " terms and factors in all");
    }
    charge(sizeof(AtomEntry));
    const auto id = static_cast<std::uint32_t>(atoms.size());
    atoms.push_back({{kind, name, numerator, divisor, table, id}, hash, measure, {}});
    AtomEntry& entry = atoms.back();
    const DimAtom* factors[] = {&entry};
    const DimTermView terms[] = {{1, factors}};
    entry.dim = Dim(insert_expr(table, hash_expression(0, terms), 0, terms));
    atom_set.insert(&entry);
    return &entry;
  }
};

DimTable::DimTable() : impl_(new Impl) {}
DimTable::~DimTable() {
  delete impl_;
}

Dim DimTable::symbol(Symbol name) {
  const std::uint64_t hash = hash_mix(0, pointer_bits(name.id()));
  if (const AtomEntry* found = impl_->find_atom(hash, DimAtomKind::symbol, name, {}, {}))
    return found->dim;
  if (!is_symbol_name(name.view()))
    throw Error(
        "dim.name", "'" + std::string(name.view()) + "' cannot name a dim",
        "a name is a letter or '_', then letters, digits, '_' and '.'; floordiv, mod, ceildiv, min and max are taken");
  const std::scoped_lock lock(impl_->mutex);
  const AtomEntry* found = impl_->find_atom(hash, DimAtomKind::symbol, name, {}, {});
  if (!found)
    found = impl_->insert_atom(this, hash, DimAtomKind::symbol, name, {}, {});
  return found->dim;
}

Dim DimTable::atom(DimAtomKind kind, Dim numerator, Dim divisor) {
  if (kind == DimAtomKind::symbol)
    internal_error("DimTable::atom makes floordiv, mod and min only");
  if (numerator.is_constant() && divisor.is_constant())
    internal_error("a constant floordiv, mod or min must be folded");
  if (common_table(numerator, divisor) != this)
    internal_error("dims of two contexts were combined");
  const std::uint64_t hash =
      hash_mix(hash_mix(hash_mix(1, static_cast<std::uint64_t>(kind)), numerator.bits()), divisor.bits());
  if (const AtomEntry* found = impl_->find_atom(hash, kind, {}, numerator, divisor))
    return found->dim;
  const std::scoped_lock lock(impl_->mutex);
  const AtomEntry* found = impl_->find_atom(hash, kind, {}, numerator, divisor);
  if (!found)
    found = impl_->insert_atom(this, hash, kind, {}, numerator, divisor);
  return found->dim;
}

Dim DimTable::intern(std::int64_t constant, std::vector<DimTerm> terms) {
  std::vector<DimTermView> views;
  views.reserve(terms.size());
  for (const DimTerm& term : terms)
    views.push_back({term.coefficient, term.atoms});
  if (constant > Dim::max_constant || constant < -Dim::max_constant)
    internal_error("a dim's constant is out of range");
  require_normal_form(views);
  return intern(constant, views);
}

Dim DimTable::intern(std::int64_t constant, std::span<const DimTermView> terms) {
  if (terms.empty())
    return Dim(constant);
  const std::uint64_t hash = hash_expression(constant, terms);
  if (const ExprEntry* found = impl_->find_expr(hash, constant, terms))
    return Dim(found);
  const std::scoped_lock lock(impl_->mutex);
  const ExprEntry* found = impl_->find_expr(hash, constant, terms);
  if (!found)
    found = impl_->insert_expr(this, hash, constant, terms);
  return Dim(found);
}

}  // namespace tandem
