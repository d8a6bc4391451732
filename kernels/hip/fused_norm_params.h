// What the host tells the kernels that join a norm with what follows or precedes it; read by host and device.
#pragma once

#include <cstdint>

#include "element_type.h"
#include "walk.h"

namespace tandem::gpu {

/// sum = x + residual; y = rms_norm(sum). Rows of 16-byte vectors; strides count elements.
struct AddNormParams {
  const void* x;
  const void* residual;
  const void* weight;
  void* sum;
  void* y;
  std::int64_t x_row, residual_row, sum_row, y_row;
  std::int64_t rows;
  std::int32_t length, threads;
  float inverse_length, epsilon;
  std::uint32_t weight_is_f32, round_before_weight;
};

/// y = n / scale for n = rms_norm(x), clamped to +-limit and rounded to an 8-bit float.
struct NormQuantParams {
  Walk<3> rows;  ///< y, x, scale
  const void* x;
  const void* weight;
  void* y;
  float* scale;                ///< Read (static), or written.
  std::int64_t length, group;  ///< Elements that share a scale; dynamic only.
  std::int64_t x_step, weight_step, y_step, scale_step;
  float epsilon, limit, least_scale;
  ElementType type, weight_type, y_type;
  std::uint8_t dynamic, round_before_weight;
};

/// y = rope(rms_norm(x)) of heads of `half` pairs.
struct NormRopeParams {
  Walk<4> heads;  ///< y, x, cos, sin
  const void* x;
  const void* weight;
  const void* cosine;
  const void* sine;
  void* y;
  std::int64_t half;
  std::int64_t x_pair, x_second, y_pair, y_second;  ///< From a pair to the next; from a pair's first to its second.
  std::int64_t weight_pair, weight_second, cosine_step, sine_step;
  double epsilon;
  ElementType type, weight_type, cosine_type, sine_type;
  std::uint8_t round_before_weight;
};

}  // namespace tandem::gpu
