// Copying and filling strided tensors on the GPU.
#pragma once

#include <tandem/kernels/hip/launch.h>

namespace tandem::hip {

/// Copies elements in row-major order, bit by bit. Both have one dtype and as many elements; where shapes differ and
/// neither is contiguous, by way of the workspace.
TANDEM_RUNTIME_API void launch_copy(const TensorView& from, const TensorView& to, Launcher& launcher);

/// Fills with an element of these bits.
void launch_fill(const TensorView& to, std::uint64_t bits, Launcher& launcher);

/// The bits of a number in a dtype, converted as a store is.
std::uint64_t element_bits(DType dtype, double value);

}  // namespace tandem::hip
