// What the host tells reductions, scans and softmax; read by host and device.
#pragma once

#include <cstdint>

#include "element_type.h"
#include "walk.h"

namespace tandem::gpu {

enum class Reduction : std::uint8_t { sum, mean, prod, max, min, any, all, argmax, argmin };

/// How many threads work on one result.
enum class ReduceBy : std::uint8_t { thread, wave, block };

/// y[kept] = reduction of x[kept, reduced]. `kept` walks (y, x), `reduced` walks x.
struct ReduceParams {
  Walk<2> kept;
  Walk<1> reduced;
  const void* x;
  void* y;
  ElementType x_type, y_type;
  Reduction reduction;
  ReduceBy by;
};

/// Along one axis: softmax, running sums. `lines` walks (y, x) over the first elements of the lines.
struct LineParams {
  Walk<2> lines;
  const void* x;
  void* y;
  std::int64_t length, x_step, y_step;
  ElementType x_type, y_type;
};

}  // namespace tandem::gpu
