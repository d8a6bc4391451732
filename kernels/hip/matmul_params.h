// What the host tells the matrix products; read by host and device.
#pragma once

#include <cstdint>

#include "element_type.h"
#include "walk.h"

namespace tandem::gpu {

constexpr int matmul_tile = 64;   ///< Rows and columns of a block's part of the result.
constexpr int matmul_depth = 16;  ///< Of k at a time.

/// y[b, m, n] = sum over k of a[b, m, k] * b[b, k, n] + bias[n], all strided. `batch` walks (y, a, b).
struct MatmulParams {
  Walk<3> batch;
  const void* a;
  const void* b;
  const void* bias;            ///< Null: zeros.
  const std::int64_t* expert;  ///< Not null: row m is multiplied with b moved on by expert[m] * expert_step.
  void* y;
  std::uint32_t* fault;
  std::int64_t m, n, k;
  std::int64_t a_row, a_column, b_row, b_column, y_row, y_column, bias_step, expert_step, expert_index_step, experts;
  ElementType type;
};

/// x[B, C, L] correlated with weight[N, C / groups, K].
struct Conv1dParams {
  const void* x;
  const void* weight;
  const void* bias;  ///< Null: zeros.
  void* y;
  std::int64_t batch, filters, positions;  ///< Of y.
  std::int64_t x_stride[3], weight_stride[3], y_stride[3], bias_step;
  std::int64_t length, channels, width;  ///< Of x; of a filter.
  std::int64_t filters_a_group, stride, padding, dilation;
  ElementType type;
};

}  // namespace tandem::gpu
