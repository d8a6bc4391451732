// Attributes of nodes.
//
// `Attribute` is what a graph stores: 16 bytes, interned in the context, compared bit by bit (so a NaN equals itself
// and -0.0 differs from 0.0). `AttrValue` is what a caller writes: `{"axis", -1}`, `{"sizes", {Q, C + P}}`.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tandem/ir/dtype.h>
#include <tandem/ir/export.h>
#include <tandem/ir/symbol.h>
#include <tandem/ir/type.h>

namespace tandem {

class Context;

/// What an attribute can hold. `integer` is any int64; `dim` may be symbolic; `dims` is a list of those; `tensor` is a
/// small constant with its data.
enum class AttrKind : std::uint8_t { none, boolean, integer, real, dtype, string, dim, dims, reals, tensor };

/// "bool", "int", "real", "dtype", "string", "dim", "dims", "reals", "tensor".
TANDEM_IR_API std::string_view to_string(AttrKind kind);

/// A constant tensor: dense, row-major, little-endian bytes. The shape has no symbols.
struct TensorLiteral {
  TensorType type;
  std::vector<std::byte> data;
};

/// An attribute as stored. Lives as long as its context.
class Attribute {
 public:
  constexpr Attribute() = default;

  static constexpr Attribute of(bool v) { return {AttrKind::boolean, v ? 1U : 0U}; }
  static constexpr Attribute of(std::int64_t v) { return {AttrKind::integer, static_cast<std::uint64_t>(v)}; }
  static constexpr Attribute of(double v) { return {AttrKind::real, std::bit_cast<std::uint64_t>(v)}; }
  static constexpr Attribute of(DType v) { return {AttrKind::dtype, static_cast<std::uint64_t>(v)}; }
  static Attribute of(Dim v) { return {AttrKind::dim, v.bits()}; }
  static Attribute of(Symbol v) { return {AttrKind::string, reinterpret_cast<std::uint64_t>(v.id())}; }
  static Attribute of(Shape v) { return {AttrKind::dims, reinterpret_cast<std::uint64_t>(v.id())}; }
  static Attribute of(const std::vector<double>* v) { return {AttrKind::reals, reinterpret_cast<std::uint64_t>(v)}; }
  static Attribute of(const TensorLiteral* v) { return {AttrKind::tensor, reinterpret_cast<std::uint64_t>(v)}; }

  /// The attribute that has this kind and these `bits()`.
  static constexpr Attribute from_bits(AttrKind kind, std::uint64_t bits) { return {kind, bits}; }

  constexpr AttrKind kind() const { return kind_; }
  /// False for the absent attribute.
  explicit constexpr operator bool() const { return kind_ != AttrKind::none; }

  // Each requires the kind of its name.
  constexpr bool boolean() const { return bits_ != 0; }
  constexpr std::int64_t integer() const { return static_cast<std::int64_t>(bits_); }
  constexpr double real() const { return std::bit_cast<double>(bits_); }
  constexpr DType dtype() const { return static_cast<DType>(bits_); }
  Symbol string() const { return Symbol(reinterpret_cast<const SymbolText*>(bits_)); }
  Dim dim() const { return std::bit_cast<Dim>(bits_); }
  Shape dims() const { return Shape(reinterpret_cast<const std::vector<Dim>*>(bits_)); }
  const std::vector<double>& reals() const { return *reinterpret_cast<const std::vector<double>*>(bits_); }
  const TensorLiteral& tensor() const { return *reinterpret_cast<const TensorLiteral*>(bits_); }

  constexpr std::uint64_t bits() const { return bits_; }
  friend constexpr bool operator==(Attribute, Attribute) = default;

 private:
  constexpr Attribute(AttrKind kind, std::uint64_t bits) : bits_(bits), kind_(kind) {}

  std::uint64_t bits_ = 0;
  AttrKind kind_ = AttrKind::none;
};

/// An attribute as a caller writes it, before it is fitted to the op's schema and interned.
class AttrValue {
 public:
  using Variant = std::variant<bool, std::int64_t, double, DType, std::string, Dim, std::vector<Dim>,
                               std::vector<double>, TensorLiteral>;

  AttrValue(bool v) : value_(v) {}                                          // NOLINT
  AttrValue(int v) : value_(std::int64_t{v}) {}                             // NOLINT
  AttrValue(std::int64_t v) : value_(v) {}                                  // NOLINT
  AttrValue(double v) : value_(v) {}                                        // NOLINT
  AttrValue(DType v) : value_(v) {}                                         // NOLINT
  AttrValue(const char* v) : value_(std::string(v)) {}                      // NOLINT
  AttrValue(std::string_view v) : value_(std::string(v)) {}                 // NOLINT
  AttrValue(std::string v) : value_(std::move(v)) {}                        // NOLINT
  AttrValue(Dim v) : value_(v) {}                                           // NOLINT
  AttrValue(std::initializer_list<Dim> v) : value_(std::vector<Dim>(v)) {}  // NOLINT
  AttrValue(std::vector<Dim> v) : value_(std::move(v)) {}                   // NOLINT
  AttrValue(std::vector<double> v) : value_(std::move(v)) {}                // NOLINT
  AttrValue(TensorLiteral v) : value_(std::move(v)) {}                      // NOLINT

  const Variant& variant() const { return value_; }

 private:
  Variant value_;
};

/// `{"axis", -1}`
struct NamedAttr {
  std::string name;
  AttrValue value;
};

/// Fits `value` to an attribute of kind `kind` and interns it: an int serves where a real, a dim or (as a list of one)
/// dims are wanted. Returns the absent attribute when it does not fit.
TANDEM_IR_API Attribute fit_attribute(Context& context, AttrKind kind, const AttrValue& value);

/// The text spelling, which parses back to the same bits: 1e-06, -1, true, bf16, "text", T + 1, [1536, C + P], nan,
/// -inf.
TANDEM_IR_API std::string to_string(Attribute attribute);

}  // namespace tandem
