#include <tandem/kernels/hip/loops.h>

#include <algorithm>

#include <tandem/ir/diagnostic.h>

namespace tandem::hip {

std::vector<Loop> merged_loops(std::span<const TensorView> tensors, std::size_t rank) {
  std::vector<Loop> loops;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    Loop loop;
    loop.count = tensors[0].shape[axis];
    if (loop.count == 1)
      continue;
    for (const TensorView& tensor : tensors)
      loop.steps.push_back(tensor.strides[axis]);
    if (loop.count == 0)
      return {loop};
    // The loop before it goes on where this one ends, in every tensor: one longer loop.
    const bool merges = !loops.empty() &&
                        std::ranges::equal(loops.back().steps, loop.steps, [&](std::int64_t outer, std::int64_t inner) {
                          return outer == inner * loop.count;
                        });
    if (merges) {
      loop.count *= loops.back().count;
      loops.back() = std::move(loop);
    } else {
      loops.push_back(std::move(loop));
    }
  }
  return loops;
}

TensorView broadcast_to(const TensorView& view, std::span<const std::int64_t> shape) {
  TensorView out;
  out.data = view.data;
  out.dtype = view.dtype;
  out.rank = static_cast<std::uint8_t>(shape.size());
  const std::size_t added = shape.size() - view.rank;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out.shape[i] = shape[i];
    const bool repeated = i < added || (view.shape[i - added] == 1 && shape[i] != 1);
    out.strides[i] = repeated ? 0 : view.strides[i - added];
    if (!repeated && view.shape[i - added] != shape[i])
      internal_error("a GPU kernel broadcasts to a shape that does not fit");
  }
  return out;
}

}  // namespace tandem::hip
