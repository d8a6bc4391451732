// Copying between strided views of one dtype and shape.
#pragma once

#include <tandem/kernels/tensor.h>

namespace tandem::cpu {

/// `to` and `from` have the same shape and dtype and do not overlap. Runs of contiguous elements are moved as a whole;
/// large copies use several threads.
void copy_strided(const TensorView& from, const TensorView& to);

/// As above, on the calling thread alone.
void copy_strided_here(const TensorView& from, const TensorView& to);

}  // namespace tandem::cpu
