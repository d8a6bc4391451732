// The order in which PyTorch's CPU kernel puts equal elements (aten/src/ATen/native/TopKImpl.h, topk_impl_loop).
//
// It is that of the C++ library's partial_sort, nth_element and sort over pairs compared by their values alone, which
// are fixed algorithms in libstdc++. A model that selects by scores among which many are exactly 0 depends on it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>

namespace tandem {

/// Brings the `k` chosen elements of (value, position) to the front of `line`, whose positions ascend; 1 <= k <= size.
/// `sorted`: in order; else as the selection leaves them.
template <class T>
void torch_topk(std::span<std::pair<T, std::int64_t>> line, std::int64_t k, bool largest, bool sorted) {
  using Element = std::pair<T, std::int64_t>;
  const auto is_nan = [](T x) {
    if constexpr (std::is_floating_point_v<T>)
      return std::isnan(x);
    else
      return false;
  };
  const auto greater = [&](const Element& a, const Element& b) {
    return (is_nan(a.first) && !is_nan(b.first)) || a.first > b.first;
  };
  const auto less = [&](const Element& a, const Element& b) {
    return (!is_nan(a.first) && is_nan(b.first)) || a.first < b.first;
  };
  const auto select = [&](const auto& before) {
    if (k * 64 <= static_cast<std::int64_t>(line.size())) {
      std::partial_sort(line.begin(), line.begin() + k, line.end(), before);
      return;
    }
    std::nth_element(line.begin(), line.begin() + (k - 1), line.end(), before);
    if (sorted)
      std::sort(line.begin(), line.begin() + (k - 1), before);
  };
  if (largest)
    select(greater);
  else
    select(less);
}

}  // namespace tandem
