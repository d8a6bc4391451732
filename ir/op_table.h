// The op table: one row per op. The core ops are the rows of ir/ops.def; an engine adds its own to its context.
//
// A row's signature is written as text, because that is how people read it:
//
//     "(x, weight?) -> y {eps: real, round_before_weight: bool = false}"
//
// `name?` is an optional trailing operand, `name...` a variadic last operand or result. An attribute without a default
// must be given. Attributes are closed: a node has those of its row and no others.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/attribute.h>
#include <tandem/ir/export.h>
#include <tandem/ir/type.h>

namespace tandem {

class Context;
class GraphBuilder;
struct Value;
struct OpDef;

/// An op's row number in its context's table.
struct OpId {
  std::uint16_t index = 0;
  friend constexpr bool operator==(OpId, OpId) = default;
};

/// The ids of the core ops, in the order of ir/ops.def: `op::rms_norm`.
namespace op {
enum class Core : std::uint16_t {
#define TANDEM_OP(name, signature, traits, infer, doc) name,
#include <tandem/ir/ops.def>
#undef TANDEM_OP
  count_
};
#define TANDEM_OP(name, signature, traits, infer, doc) \
  inline constexpr OpId name{static_cast<std::uint16_t>(Core::name)};
#include <tandem/ir/ops.def>
#undef TANDEM_OP
}  // namespace op

/// What passes may assume of an op. Bits; combine with |.
namespace trait {
inline constexpr std::uint32_t none = 0;
inline constexpr std::uint32_t pure = 1U << 0;         ///< No effect but its results: may be merged, moved, removed.
inline constexpr std::uint32_t commutative = 1U << 1;  ///< The first two operands may be swapped.
inline constexpr std::uint32_t view = 1U << 2;         ///< Other readings of the first operand's storage: cost nothing.
inline constexpr std::uint32_t elementwise = 1U << 3;  ///< A result element depends on operand elements at its index.
inline constexpr std::uint32_t collective = 1U << 4;   ///< Talks to other devices: never merged, removed, re-ordered.
inline constexpr std::uint32_t fused = 1U << 5;        ///< Made by a fusion; has a decomposition into core ops.
}  // namespace trait

/// One attribute of a row.
struct AttrDef {
  std::string name;
  AttrKind kind = AttrKind::none;
  Attribute default_value;  ///< Absent: the attribute is required.
};

/// The question put to type inference: operands and attributes in, result types out.
struct TANDEM_EXPORT Inference {
  Context& context;
  const OpDef& op;
  std::span<const TensorType> operands;
  std::span<const Attribute> attrs;  ///< By position in the row; defaults filled in.
  std::vector<TensorType>& results;  ///< To be filled.

  // The attribute of that name; asking for one that the row lacks is an internal error.
  Attribute attr(std::string_view name) const;

  /// Adds a result.
  void result(DType dtype, Shape shape) { results.push_back({dtype, shape}); }
  void result(DType dtype, std::span<const Dim> shape);

  /// The attribute `name` (an int) as an axis of a rank: negative counts from the end. Fails outside [-rank, rank).
  std::size_t axis(std::string_view name, std::size_t rank) const;

  /// Throws Error "graph.type" with the op's name in front.
  [[noreturn]] void fail(std::string message) const;
  void require(bool condition, std::string_view message) const {
    if (!condition)
      fail(std::string(message));
  }
};

using InferFn = void (*)(Inference&);

/// Builds the meaning of a fused op out of core ops, from its operands and its attributes (by position). Returns one
/// value per result.
using DecomposeFn = std::vector<Value> (*)(GraphBuilder& builder, std::span<const Value> operands,
                                           std::span<const Attribute> attrs);

/// A row as its author writes it.
struct OpRow {
  std::string name{};       ///< snake_case
  std::string signature{};  ///< "(x, weight?) -> y {eps: real}"
  std::uint32_t traits = trait::pure;
  InferFn infer = nullptr;
  std::string doc{};  ///< One line.
  DecomposeFn decompose = nullptr;
};

/// A row as the table keeps it.
struct TANDEM_EXPORT OpDef {
  std::string name;
  std::string signature;
  std::uint32_t traits = 0;
  InferFn infer = nullptr;
  std::string doc;
  DecomposeFn decompose = nullptr;

  // Parsed from the signature.
  std::vector<std::string> operands;  ///< Names; the last may be variadic.
  std::uint32_t min_operands = 0;
  bool variadic_operands = false;
  std::vector<std::string> results;
  bool variadic_results = false;
  std::vector<AttrDef> attrs;

  bool has(std::uint32_t trait) const { return (traits & trait) != 0; }
  /// Position of an attribute, or -1.
  int find_attr(std::string_view attr) const;
  bool accepts_operands(std::size_t n) const {
    return n >= min_operands && (variadic_operands || n <= operands.size());
  }
  /// "q_weight" for operand 1; "xs[2]" within a variadic tail.
  std::string operand_name(std::size_t i) const;
};

/// Parses a row's signature. Throws Error "op.signature".
TANDEM_IR_API OpDef parse_op_row(Context& context, const OpRow& row);

}  // namespace tandem
