// Extents of views.
#include <tandem/runtime/buffer_extent.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace tandem {

Extent extent(const TensorView& v) {
  const auto address = reinterpret_cast<std::uintptr_t>(v.data);
  std::int64_t low = 0, high = 1;
  for (std::size_t i = 0; i < v.rank; ++i) {
    if (v.shape[i] == 0)
      return {address, address};
    (v.strides[i] < 0 ? low : high) += (v.shape[i] - 1) * v.strides[i];
  }
  const auto size = static_cast<std::int64_t>(byte_size(v.dtype));
  return {address + static_cast<std::uintptr_t>(low * size), address + static_cast<std::uintptr_t>(high * size)};
}

bool elements_are_distinct(const TensorView& v) {
  std::array<std::pair<std::int64_t, std::int64_t>, max_rank> axes;
  std::size_t n = 0;
  for (std::size_t i = 0; i < v.rank; ++i) {
    if (v.shape[i] == 0)
      return true;
    if (v.shape[i] > 1)
      axes[n++] = {v.strides[i], v.shape[i]};
  }
  std::sort(axes.begin(), axes.begin() + static_cast<std::ptrdiff_t>(n));
  std::int64_t reached = 1;
  for (std::size_t i = 0; i < n; ++i) {
    if (axes[i].first < reached)
      return false;
    reached += axes[i].first * (axes[i].second - 1);
  }
  return true;
}

}  // namespace tandem
