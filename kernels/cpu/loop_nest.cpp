// Merging axes.
#include <tandem/kernels/cpu/loop_nest.h>

#include <tandem/ir/diagnostic.h>

namespace tandem::cpu {

TensorView broadcast(const TensorView& view, std::span<const std::int64_t> shape) {
  TensorView out = view;
  out.rank = static_cast<std::uint8_t>(shape.size());
  out.strides.fill(0);
  const std::size_t lead = shape.size() - view.rank;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out.shape[i] = shape[i];
    if (i >= lead && view.shape[i - lead] != 1)
      out.strides[i] = view.strides[i - lead];
  }
  return out;
}

LoopNest::LoopNest(std::span<const TensorView> tensors) {
  if (tensors.size() > max_nest_tensors)
    internal_error("too many tensors in one loop nest");
  std::array<TensorView, max_nest_tensors> views;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    views[t] = t == 0 ? tensors[0] : broadcast(tensors[t], tensors[0].dims());
    data_[t] = views[t].data;
    dtypes_[t] = views[t].dtype;
  }
  // From the innermost axis outwards: merge with the axis before it where all tensors allow.
  std::array<std::int64_t, max_rank> sizes{};
  std::array<std::array<std::int64_t, max_rank>, max_nest_tensors> strides{};
  std::size_t n = 0;  // merged axes, innermost first
  for (std::size_t axis = views[0].rank; axis-- > 0;) {
    const std::int64_t size = views[0].shape[axis];
    if (size == 1)
      continue;
    bool merges = n > 0;
    for (std::size_t t = 0; merges && t < tensors.size(); ++t)
      merges = views[t].strides[axis] == strides[t][n - 1] * sizes[n - 1];
    if (merges) {
      sizes[n - 1] *= size;
      continue;
    }
    sizes[n] = size;
    for (std::size_t t = 0; t < tensors.size(); ++t)
      strides[t][n] = views[t].strides[axis];
    ++n;
  }
  if (n == 0)
    return;  // one element
  row_length_ = sizes[0];
  for (std::size_t t = 0; t < tensors.size(); ++t)
    inner_[t] = strides[t][0];
  rank_ = n - 1;
  for (std::size_t i = 0; i < rank_; ++i) {
    shape_[i] = sizes[n - 1 - i];
    rows_ *= shape_[i];
    for (std::size_t t = 0; t < tensors.size(); ++t)
      strides_[t][i] = strides[t][n - 1 - i];
  }
  if (rows_ == 0 || row_length_ == 0)
    rows_ = 0;
}

}  // namespace tandem::cpu
