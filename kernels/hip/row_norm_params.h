// What the host tells the norms of any dtype; read by host and device.
#pragma once

#include <cstdint>

#include "element_type.h"
#include "walk.h"

namespace tandem::gpu {

/// y = (x - mean) / sqrt(variance + epsilon) * weight + bias along the last axis; with `rms` no mean is taken away.
struct RowNormParams {
  Walk<2> rows;  ///< y, x
  const void* x;
  const void* weight;  ///< Null: ones.
  const void* bias;    ///< Null: zeros.
  void* y;
  std::int64_t length, x_step, y_step, weight_step, bias_step;
  double epsilon;
  ElementType type, weight_type, bias_type;
  std::uint8_t rms, round_before_weight;
};

}  // namespace tandem::gpu
