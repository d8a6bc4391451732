// What the host tells the kernels that move elements; read by host and device.
#pragma once

#include <cstdint>

#include "element_type.h"
#include "walk.h"

namespace tandem::gpu {

/// to[..] = from[..], bit by bit. Tensor 0 of the walk is `to`, 1 is `from`.
struct CopyParams {
  Walk<2> walk;
  const void* from;
  void* to;
};

/// to[i] = bits, for all elements of a walk.
struct FillParams {
  Walk<1> walk;
  void* to;
  std::uint64_t bits;
  std::int32_t element_bytes;
};

/// to[i] = start + step * i (wrapping around) in an element type.
struct IotaParams {
  void* to;
  std::int64_t to_step, length;
  std::uint64_t start, step;
  ElementType type;
};

/// to[.., c] = 1 where x[..] == c, else 0. The walk is over `to`; tensor 1 is x, with step 0 along the last axis;
/// tensor 2 counts along the last axis.
struct OneHotParams {
  Walk<3> walk;
  void* to;
  const void* x;
  ElementType type, x_type;
};

constexpr int max_index_parts = 8;

/// Elements moved between `near` (walked) and `far` (indexed): at each step of the walk `part[i].length` bounds index
/// i, and its value times `part[i].step` is added to the place in `far`. Tensors of the walk: near, far, index.
struct IndexedParams {
  Walk<3> walk;
  void* near;
  void* far;
  const void* index;
  std::uint32_t* fault;
  struct Part {
    std::int64_t length;
    std::int64_t step;        ///< In `far`, elements.
    std::int64_t index_step;  ///< From one index of a coordinate to the next.
    std::int64_t place_step;  ///< In the row-major order of `far` (scatter).
  } part[max_index_parts];
  std::int32_t parts;
  std::int32_t element_bytes;
  ElementType index_type, type;
  // Scatter only. The walk's tensor 3 would be the place in row-major order of `far`; it has its own steps:
  std::int64_t place_step[max_axes];
  std::uint64_t* winners;  ///< By place: 1 + the last update that writes there, or 0.
  void* sums;              ///< By place: f64 or i64.
};

}  // namespace tandem::gpu
