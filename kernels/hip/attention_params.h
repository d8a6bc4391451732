// What the host tells the attention kernel; read by host and device.
#pragma once

#include <cstdint>

#include "element_type.h"
#include "walk.h"

namespace tandem::gpu {

constexpr int attention_threads = 256;
constexpr int attention_keys = 64;    ///< Keys that a block takes at a time.
constexpr int attention_columns = 4;  ///< Columns of the result that a thread keeps: 1,024 a block.

/// y[b, m, :] = softmax(q[b, m, :] k[b, :, :]^T * scale + mask[b, m, :]) v[b, :, :]
struct AttentionParams {
  Walk<5> batch;  ///< y, q, k, v, mask; the leading axes.
  const void* q;
  const void* k;
  const void* v;
  const void* mask;  ///< Null: none. Of bools: keeps where true.
  void* y;
  std::int64_t rows, keys, depth, columns;
  std::int64_t y_row, y_step, q_row, q_step, k_row, k_step, v_row, v_step, mask_row, mask_step;
  double scale;
  ElementType type, mask_type;
  std::uint8_t causal;
};

}  // namespace tandem::gpu
