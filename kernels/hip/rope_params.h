// What the host tells the rope kernel; read by host and device.
#pragma once

#include <cstdint>

#include "element_type.h"
#include "walk.h"

namespace tandem::gpu {

/// Each pair (a, b) of x becomes (a cos - b sin, b cos + a sin).
struct RopeParams {
  Walk<4> pairs;  ///< y, x, cos, sin; the first of a pair.
  const void* x;
  const void* cosine;
  const void* sine;
  void* y;
  std::int64_t x_second, y_second;  ///< From the first of a pair to the second.
  ElementType type, cosine_type, sine_type;
};

}  // namespace tandem::gpu
