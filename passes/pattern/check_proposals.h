// What is worth trying for a part of a graph that a pattern leaves open: shapes of operands and values of attributes,
// from what an op is known to want. Type inference decides; a proposal that does not fit costs an attempt.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/passes/pattern/check_random.h>

namespace tandem {

/// A node of which some parts are known.
struct PartialNode {
  Context& context;
  const OpDef& op;
  std::span<const std::optional<TensorType>> operands;
  std::span<const Attribute> attrs;  ///< By position; absent where not chosen yet.
  std::int64_t largest_dim;
};

/// Leading dims: none, one or two; small, 1 or 0.
std::vector<Dim> propose_leading(CheckRandom& random);
/// A size: small, now and then 0.
Dim propose_dim(CheckRandom& random, std::int64_t largest, std::span<const std::int64_t> palette);
/// Shapes for operand `i`, which is unknown; not empty.
std::vector<Shape> propose_shapes(const PartialNode& node, std::size_t i, CheckRandom& random);
/// Dtypes for operand `i`; not empty.
std::vector<DType> propose_dtypes(const PartialNode& node, std::size_t i);
/// Values for attribute `i` when the pattern says nothing of it; not empty.
std::vector<Attribute> propose_attribute(const PartialNode& node, std::size_t i, CheckRandom& random);

}  // namespace tandem
