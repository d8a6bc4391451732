// What the host tells the norm kernels; read by host and device.
#pragma once

#include <cstdint>

namespace tandem::gpu {

/// Threads of a block whose waves take a row each, and the longest row that they take, in vectors of 16 bytes.
constexpr int norm_wave_threads = 64;
constexpr int max_wave_row = 256;
constexpr int short_wave_row = 128;  ///< For which there are kernels that hold more rows at once.

/// The most threads of a block that takes a row; of an unaligned row, the most vectors too.
constexpr int max_norm_threads = 1024;

/// y[r, i] = x[r, i] / sqrt(mean(x[r, :]^2) + epsilon) * weight[i]. Lengths and strides count elements.
struct NormPart {
  const void* x;
  const void* weight;  ///< Null: ones.
  void* y;
  std::int64_t x_row, y_row;  ///< From a row to the next.
  std::int32_t length;
  std::int32_t threads;  ///< Of a block that work on a row: a multiple of the wave size. (Unused by wave kernels.)
  float inverse_length, epsilon;
  std::uint32_t weight_is_f32;  ///< Else it has x's type.
};

/// One or two norms of the same rows.
struct NormParams {
  NormPart part[2];
  std::int64_t rows;
  std::uint32_t round_before_weight;
  std::uint32_t zero;  ///< 0; see `keep_packed`.
};

/// Strides within a row, for tensors that are not contiguous there.
struct StridedNormParams {
  NormParams norm;
  std::int64_t x_step[2], weight_step[2], y_step[2];
};

}  // namespace tandem::gpu
