// How the lowerings of views say what they look at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tandem/ir/io/torch/call.h>

namespace tandem::torch::lower {

View to_shape(Dims shape);
View to_slice(std::size_t axis, Dim start, Dim end, std::int64_t step = 1);
View to_order(std::vector<std::int64_t> perm);

Dims dims_of(Call& call, const Tensor& t);

/// A position along an axis as Python writes it, from the end when negative.
Dim from_front(Dim position, Dim length);

/// Where a slice starts and ends, clamped as Python does; `count` is its length as PyTorch traced it.
void slice_bounds(Call& call, Dim length, Dim count, std::int64_t step, Dim& start, Dim& end);

}  // namespace tandem::torch::lower
