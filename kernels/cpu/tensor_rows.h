// Lines of a tensor along one axis.
#pragma once

#include <cstdint>

#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/tensor.h>

namespace tandem::cpu {

/// Line `r` along `axis`, counting row-major over the other axes.
inline Row line(const TensorView& x, std::size_t axis, std::int64_t r) {
  std::int64_t offset = 0;
  for (std::size_t i = x.rank; i-- > 0 && r > 0;) {
    if (i == axis)
      continue;
    offset += r % x.shape[i] * x.strides[i];
    r /= x.shape[i];
  }
  return {x.data + offset * static_cast<std::int64_t>(byte_size(x.dtype)), x.dtype, x.strides[axis], x.shape[axis]};
}
/// How many there are; 0 for a tensor without elements.
inline std::int64_t num_lines(const TensorView& x, std::size_t axis) {
  return x.size() == 0 ? 0 : x.size() / x.shape[axis];
}

inline Row last_axis_row(const TensorView& x, std::int64_t r) {
  return line(x, x.rank - 1U, r);
}
inline std::int64_t num_last_axis_rows(const TensorView& x) {
  return num_lines(x, x.rank - 1U);
}

}  // namespace tandem::cpu
