// Device side of walk.h: where in its tensors a linear index stands.
#pragma once

#include "device.h"
#include "walk.h"

namespace tandem::gpu {

/// Adds to `offset[t]` the place of element `linear` in tensor t.
template <int tensors>
TANDEM_DEVICE void locate(const Walk<tensors>& walk, i64 linear, i64 (&offset)[tensors]) {
  for (int axis = walk.axes - 1; axis >= 0; --axis) {
    const auto& a = walk.axis[axis];
    i64 at = linear;
    if (axis > 0) {
      // A division of 64 bits is many times one of 32.
      i64 rest;
      if (((static_cast<u64>(linear) | static_cast<u64>(a.count)) >> 32) == 0)
        rest = static_cast<u32>(linear) / static_cast<u32>(a.count);
      else
        rest = linear / a.count;
      at = linear - rest * a.count;
      linear = rest;
    }
#pragma unroll
    for (int t = 0; t < tensors; ++t)
      offset[t] += at * a.step[t];
  }
}

/// The first item of this thread, in blocks of 256 threads; the next ones are `item_step` apart.
TANDEM_DEVICE i64 first_item() {
  return static_cast<i64>(block_x()) * 256 + thread_x();
}
TANDEM_DEVICE i64 item_step() {
  return grid_threads();
}
/// Blocks of the grid.
TANDEM_DEVICE i64 grid_blocks() {
  return item_step() / 256;
}

}  // namespace tandem::gpu
