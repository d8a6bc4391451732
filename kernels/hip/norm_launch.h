// Launching the RMS norm kernels: which of them, for one tensor or for two of the same rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <tandem/kernels/hip/launch.h>

namespace tandem::hip {

/// Rows of one launch. HIP wants blocks times threads below 2^32, which this keeps for blocks of 1,024 threads.
inline constexpr std::int64_t max_rows_a_launch = std::int64_t{1} << 21;

/// One norm over the last axis.
struct NormTensors {
  TensorView x;
  const TensorView* weight;  ///< Null: ones.
  TensorView y;
  double epsilon;
};

/// Whether `launch_rms_norms` takes a type of x, and of the weight (equal to x's, or f32).
bool norm_takes(DType x, DType weight);

/// Rows of norm kernels are read in vectors of so many bytes where `has_vector_rows` holds: rows, `row` elements apart,
/// that are contiguous, whole numbers of vectors, and begin at multiples of their size.
inline constexpr std::int64_t vector_bytes = 16;
bool has_vector_rows(const TensorView& view, std::int64_t row);

/// "_bf16", "_f16" or "_f32": how kernels of a dtype are named.
std::string norm_suffix(DType dtype);

/// One rms_norm of any dtypes: `launch_rms_norms`, or the kernel of types known at run time.
void launch_any_rms_norm(const TensorView& x, const TensorView* weight, const TensorView& y, double epsilon,
                         bool round_before_weight, Launcher& launcher);

/// One or two norms whose tensors have the same leading axes, in one launch wherever these are evenly spaced rows.
void launch_rms_norms(std::span<const NormTensors> norms, bool round_before_weight, Launcher& launcher);

}  // namespace tandem::hip
