// The axes that several tensors are walked along together, merged where that changes nothing for any of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tandem/kernels/tensor.h>

namespace tandem::hip {

/// One loop: how often, and by how many elements each tensor moves on.
struct Loop {
  std::int64_t count = 1;
  std::vector<std::int64_t> steps;  ///< By tensor.
};

/// The loops over the first `rank` axes of tensors of one shape (strides of 0 where they broadcast), outermost first;
/// axes of length 1 are left out and neighbours merged. Empty for a single element. One loop of count 0 where there are
/// no elements.
std::vector<Loop> merged_loops(std::span<const TensorView> tensors, std::size_t rank);

/// `view` under a shape that it broadcasts to: strides are 0 where it is repeated.
TensorView broadcast_to(const TensorView& view, std::span<const std::int64_t> shape);

/// `view` with its data moved on by `elements`.
inline TensorView advanced(TensorView view, std::int64_t elements) {
  view.data += elements * static_cast<std::int64_t>(byte_size(view.dtype));
  return view;
}

/// ceil(a / b) for a >= 0, b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

}  // namespace tandem::hip
