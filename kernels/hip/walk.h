// Walking several tensors together by a linear index; read by host and device.
#pragma once

#include <cstdint>

namespace tandem::gpu {

constexpr int max_axes = 8;

/// Loops over the elements of `tensors` tensors, the last axis innermost. Steps count elements.
template <int tensors>
struct Walk {
  struct Axis {
    std::int64_t count;
    std::int64_t step[tensors];
  };
  Axis axis[max_axes];
  std::int64_t size;  ///< Product of the counts; 1 without axes.
  std::int32_t axes;
};

}  // namespace tandem::gpu
