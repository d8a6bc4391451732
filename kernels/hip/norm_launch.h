// Launching the RMS norm kernels: which of them, for one tensor or for two of the same rows.
#pragma once

#include <span>

#include <tandem/kernels/hip/launch.h>

namespace tandem::hip {

/// One norm over the last axis.
struct NormTensors {
  TensorView x;
  const TensorView* weight;  ///< Null: ones.
  TensorView y;
  double epsilon;
};

/// Whether `launch_rms_norms` takes a type of x, and of the weight (equal to x's, or f32).
bool norm_takes(DType x, DType weight);

/// One or two norms whose tensors have the same leading axes, in one launch wherever these are evenly spaced rows.
void launch_rms_norms(std::span<const NormTensors> norms, bool round_before_weight, Launcher& launcher);

}  // namespace tandem::hip
