// Dimensions of tensors: integers, or expressions over named symbols such as the token count T.
//
// An expression is a polynomial with integer coefficients over atoms; an atom is a symbol, or floordiv(a, b), mod(a, b)
// or min(a, b) of two dims. Polynomials are kept in one normal form (terms sorted, like terms merged, products
// expanded) and interned in the context, so that equal dims are the same pointer: 2*(T+1) == T+T+2.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/symbol.h>

namespace tandem {

class DimTable;
struct DimExpr;

/// One dimension: 8 bytes, cheap to copy, compared by value. Constants lie in [-2^61, 2^61]; arithmetic that leaves
/// that range throws Error "dim.overflow", an expression of more than 256 terms Error "dim.too-large". Combining
/// symbolic dims of two contexts is an internal error.
class TANDEM_EXPORT Dim {
 public:
  static constexpr std::int64_t max_constant = std::int64_t{1} << 61;

  constexpr Dim() : Dim(std::int64_t{0}) {}
  constexpr Dim(int value) : bits_(encode(value)) {}           // NOLINT(google-explicit-constructor)
  constexpr Dim(std::int64_t value) : bits_(encode(value)) {}  // NOLINT(google-explicit-constructor)

  constexpr bool is_constant() const { return (bits_ & 1U) != 0; }
  /// The value of a constant dim.
  constexpr std::int64_t constant() const { return static_cast<std::int64_t>(bits_) >> 1; }
  constexpr bool is(std::int64_t value) const { return is_constant() && constant() == value; }

  /// The symbol, when the dim is just that; else the empty symbol.
  Symbol symbol() const;
  /// The interned expression of a symbolic dim; null for a constant.
  const DimExpr* expr() const { return is_constant() ? nullptr : reinterpret_cast<const DimExpr*>(bits_); }

  friend constexpr bool operator==(Dim a, Dim b) { return a.bits_ == b.bits_; }

  friend TANDEM_IR_API Dim operator+(Dim a, Dim b);
  friend TANDEM_IR_API Dim operator-(Dim a, Dim b);
  friend TANDEM_IR_API Dim operator*(Dim a, Dim b);

  std::uint64_t bits() const { return bits_; }

 private:
  friend class DimTable;
  explicit Dim(const DimExpr* expr) : bits_(reinterpret_cast<std::uint64_t>(expr)) {}
  static constexpr std::uint64_t encode(std::int64_t value) {
    if (value > max_constant || value < -max_constant)
      overflow();
    return (static_cast<std::uint64_t>(value) << 1) | 1U;
  }
  [[noreturn]] static void overflow();

  std::uint64_t bits_;
};

/// Division rounded towards minus infinity; exact polynomial division is simplified: floordiv(4*T, 2) == 2*T. Division
/// by the constant 0 throws Error "dim.zero-division".
TANDEM_IR_API Dim floordiv(Dim a, Dim b);
/// The remainder that goes with `floordiv`; has the sign of `b`. mod(4*T, 2) == 0.
TANDEM_IR_API Dim mod(Dim a, Dim b);
/// floordiv(a + b - 1, b), for positive b.
TANDEM_IR_API Dim ceildiv(Dim a, Dim b);

/// The smaller and the larger of two dims. There is one form for both: max(a, b) is a + b - min(a, b), and a constant
/// stands outside where it can, so that min(T + 1, 5) == min(T, 4) + 1.
TANDEM_IR_API Dim minimum(Dim a, Dim b);
TANDEM_IR_API Dim maximum(Dim a, Dim b);

/// "7168", "T", "2*T + 1", "floordiv(T, 2)", "mod(T, 2)", "min(4, T)": parses back to the same dim.
TANDEM_IR_API std::string to_string(Dim dim);

/// Appends the distinct symbols of `dim` that are not yet in `out`, in a deterministic order.
TANDEM_IR_API void collect_symbols(Dim dim, std::vector<Symbol>& out);

/// The value of `dim` with its symbols looked up by `value_of`; empty when one has no value, on overflow or on division
/// by zero.
TANDEM_IR_API std::optional<std::int64_t> evaluate(Dim dim,
                                                   const std::function<std::optional<std::int64_t>(Symbol)>& value_of);

/// `dim` with its symbols replaced by what `replacement` gives; symbols for which it gives nothing stay.
TANDEM_IR_API Dim substitute(Dim dim, const std::function<std::optional<Dim>(Symbol)>& replacement);

/// The interval of values that a dim can take.
struct DimRange {
  std::int64_t min = 0;
  std::int64_t max = Dim::max_constant;
  friend bool operator==(const DimRange&, const DimRange&) = default;
};

/// Bounds of `dim` by interval arithmetic from the ranges of its symbols.
TANDEM_IR_API DimRange bounds(Dim dim, const std::function<DimRange(Symbol)>& range_of);

// --- Limits: beyond them, arithmetic throws Error "dim.too-large" ----------------------------------------------------

inline constexpr std::size_t max_dim_terms = 256;   ///< Terms of a polynomial.
inline constexpr std::size_t max_dim_factors = 32;  ///< Factors of one term.
inline constexpr std::size_t max_dim_nesting = 64;  ///< How deep floordiv, mod and min nest.
inline constexpr std::size_t max_dim_size = 2048;   ///< Terms and factors in all, those inside other atoms too.
inline constexpr std::size_t max_dim_table_bytes = std::size_t{1} << 30;  ///< Memory of all interned expressions.

// --- The interned form, for those who must look inside ---------------------------------------------------------------

enum class DimAtomKind : std::uint8_t { symbol, floordiv, mod, min };

/// A factor of a term.
struct DimAtom {
  DimAtomKind kind;
  Symbol name;             ///< symbol
  Dim numerator, divisor;  ///< floordiv, mod; of min the two, in order
  DimTable* table;
  std::uint32_t id;  ///< Position in the table: the order of creation, which nothing visible depends on.
};

/// coefficient * product of atoms (symbols first, by name, then compound atoms, by structure; repeated for powers).
struct DimTerm {
  std::int64_t coefficient;
  std::vector<const DimAtom*> atoms;
};

/// A term whose atoms lie elsewhere: what arithmetic builds before it knows whether the result exists already.
struct DimTermView {
  std::int64_t coefficient;
  std::span<const DimAtom* const> atoms;
};

/// constant + sum of terms; at least one term. Terms of more factors stand first; those of as many, in their atoms'
/// order.
struct DimExpr {
  std::int64_t constant;
  std::vector<DimTerm> terms;
  DimTable* table;
};

/// The dim of a compound atom over other operands: `floordiv`, `mod` or `minimum`, as its kind says.
TANDEM_IR_API Dim combine(DimAtomKind kind, Dim a, Dim b);

/// The unique store of atoms and expressions. Owned by a Context; thread-safe.
class TANDEM_EXPORT DimTable {
 public:
  DimTable();
  ~DimTable();
  DimTable(const DimTable&) = delete;
  DimTable& operator=(const DimTable&) = delete;

  /// Throws Error "dim.name" for a name that text could not spell: not [A-Za-z_][A-Za-z0-9_.]*, or that of a function.
  Dim symbol(Symbol name);
  /// The dim of a floordiv, mod or min that is already simplified; `floordiv`, `mod` and `minimum` make those.
  Dim atom(DimAtomKind kind, Dim numerator, Dim divisor);
  /// The dim of a polynomial that is already in normal form; anything else is an internal error.
  Dim intern(std::int64_t constant, std::vector<DimTerm> terms);
  /// As above, without that check and, where the expression exists, without allocating.
  Dim intern(std::int64_t constant, std::span<const DimTermView> terms);

 private:
  struct Impl;
  Impl* impl_;
};

}  // namespace tandem

template <>
struct std::hash<tandem::Dim> {
  std::size_t operator()(tandem::Dim d) const noexcept { return d.bits() * 0x9e3779b97f4a7c15ULL; }
};
