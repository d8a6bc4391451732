// Polynomials under construction: what dim arithmetic computes with before the result is interned. Internal to ir.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include <tandem/ir/dim.h>

namespace tandem {

/// Symbols by name, before floordivs, before mods, before mins, these by their operands. Depends on nothing but the
/// text.
std::strong_ordering compare_atoms(const DimAtom* a, const DimAtom* b);

/// Constants before expressions, these term by term.
std::strong_ordering compare_dims(Dim a, Dim b);

/// Less stands first: more factors before fewer, then atom by atom. This is the graded lexicographic order, which
/// multiplication preserves; polynomial division needs that.
std::strong_ordering compare_monomials(std::span<const DimAtom* const> a, std::span<const DimAtom* const> b);

/// The table of a symbolic operand; null when both are constants. An internal error for operands of two contexts.
DimTable* common_table(Dim a, Dim b);

/// Memory for one operation: on the stack as long as the operands are small.
class DimScratch {
 public:
  std::pmr::memory_resource* resource() { return &resource_; }

 private:
  std::array<std::byte, 2048> buffer_;
  std::pmr::monotonic_buffer_resource resource_{buffer_.data(), buffer_.size()};
};

/// A sum of terms; the constant is the term without atoms. Terms refer to atoms of interned expressions or to the
/// scratch memory.
class DimPolynomial {
 public:
  explicit DimPolynomial(DimScratch& scratch) : scratch_(&scratch), terms_(scratch.resource()) {}

  /// Appends factor * dim. Returns false on overflow of a coefficient.
  bool add(Dim dim, std::int64_t factor = 1);
  /// Appends one term.
  void add_term(std::int64_t coefficient, std::span<const DimAtom* const> atoms) {
    terms_.push_back({coefficient, atoms});
  }
  /// Appends the product of two terms. Returns false on overflow.
  bool add_product(const DimTermView& a, const DimTermView& b);

  /// Sorts, merges like terms and drops zeros. Returns false on overflow.
  bool normalize();

  std::span<const DimTermView> terms() const { return terms_; }
  std::span<DimTermView> terms() { return terms_; }
  std::int64_t constant() const { return has_constant() ? terms_.back().coefficient : 0; }
  std::span<const DimTermView> symbolic_terms() const {
    return std::span<const DimTermView>(terms_).first(terms_.size() - (has_constant() ? 1 : 0));
  }

  /// The dim of this, which is normalized first. Throws Error "dim.overflow" or "dim.too-large".
  Dim finish(DimTable* table);

 private:
  bool has_constant() const { return !terms_.empty() && terms_.back().atoms.empty(); }

  DimScratch* scratch_;
  std::pmr::vector<DimTermView> terms_;
};

/// The sum of many dims, each taken times 1 or -1, interned once.
Dim signed_sum(std::span<const Dim> dims, std::span<const std::int64_t> signs);

[[noreturn]] void throw_dim_overflow();

}  // namespace tandem
