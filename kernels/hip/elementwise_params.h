// Programs of elementwise ops, which one kernel interprets; read by host and device.
//
// A step is one op of the table: it reads up to three sources, and its result, rounded to the result's dtype, becomes
// the accumulator. So a chain of ops runs in one launch and gives what its ops give one by one.
#pragma once

#include <cstdint>

#include "element_type.h"
#include "walk.h"

namespace tandem::gpu {

/// Rows of ir/ops.def: a step's code is its op's row.
enum class Op : std::uint8_t {
#define TANDEM_OP(name, signature, traits, infer, doc) name,
#include "../../ir/ops.def"
#undef TANDEM_OP
};

/// Where a step finds an operand: a tensor (below `immediates`), an immediate, a slot, or the accumulator.
namespace source {
constexpr std::uint8_t immediates = 0x70;
constexpr std::uint8_t slots = 0x80;
constexpr std::uint8_t accumulator = 0xfe;
}  // namespace source

constexpr std::uint8_t no_place = 0xff;
static_assert(source::accumulator != no_place, "an operand that is the accumulator is not one that is absent");

struct ElementwiseStep {
  Op op;
  std::uint8_t integer;  ///< The operands are integers or bools (of `where`: the two values).
  std::uint8_t variant;  ///< gelu: by tanh. cast: 1.
  ElementType type;      ///< Of the result.
  std::uint8_t operand[3];
  std::uint8_t save;    ///< A slot that keeps the result, or `no_place`.
  std::uint8_t output;  ///< A tensor that it is stored to, or `no_place`.
};

constexpr int max_elementwise_tensors = 12;
constexpr int max_elementwise_steps = 48;
constexpr int max_elementwise_slots = 8;
constexpr int max_elementwise_immediates = 4;
constexpr int elementwise_group = 4;  ///< Elements that a thread of the narrow kernel takes at once.

struct ElementwiseParams {
  Walk<max_elementwise_tensors> walk;
  void* data[max_elementwise_tensors];
  ElementType type[max_elementwise_tensors];
  std::uint8_t whole_vectors[max_elementwise_tensors];  ///< Groups along the last axis are aligned and contiguous.
  std::int32_t group;                                   ///< `elementwise_group`, or 1.
  std::int32_t steps;
  double immediate[max_elementwise_immediates];
  ElementwiseStep step[max_elementwise_steps];
};

}  // namespace tandem::gpu
