// Chains of elementwise ops in one launch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/kernels/hip/launch.h>

namespace tandem::hip {

/// Where a step of a chain finds an operand: an input of the chain, the result of an earlier step, or a real number.
struct ChainOperand {
  enum class Kind : std::uint8_t { input, step, immediate };
  Kind kind = Kind::input;
  std::size_t index = 0;
  double value = 0;

  static ChainOperand input(std::size_t index) { return {Kind::input, index, 0}; }
  static ChainOperand step(std::size_t index) { return {Kind::step, index, 0}; }
  static ChainOperand immediate(double value) { return {Kind::immediate, 0, value}; }
};

/// One op. The result has the chain's shape; it is rounded to `type`, as if it were stored.
struct ChainStep {
  std::string_view op;
  std::vector<ChainOperand> operands;
  DType type = DType::f32;
  bool tanh_approximation = false;  ///< Of gelu.
  int output = -1;                  ///< The tensor that the result is stored to, or -1.
};

/// Elementwise ops over one shape. Inputs broadcast to it; outputs have it.
struct Chain {
  std::span<const TensorView> inputs;
  std::vector<ChainStep> steps;
  std::span<const TensorView> outputs;
};

/// Empty when the chain fits into one launch, else why not: tensors, steps, values alive at once.
TANDEM_RUNTIME_API std::string chain_limit(const Chain& chain);

/// Launches a chain for which `chain_limit` is empty. What its steps compute is what their ops compute one by one.
TANDEM_RUNTIME_API void launch_chain(const Chain& chain, Launcher& launcher);

/// y = x converted to y's dtype. Both have one shape.
void launch_cast(const TensorView& x, const TensorView& y, Launcher& launcher);

/// One op, from a call.
void launch_elementwise(const KernelCall& call, Launcher& launcher);

}  // namespace tandem::hip
