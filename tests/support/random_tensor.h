// Random tensors for tests: any dtype, any strides, edge values among the data.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include <tandem/kernels/tensor.h>

namespace tandem::test {

using Random = std::mt19937_64;

inline std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

/// Which data: ordinary numbers of about 1, or with zeros, infinities, NaN, subnormals and large numbers among them.
enum class Values { ordinary, positive, with_edges };

inline double random_value(Random& random, DType dtype, Values values) {
  if (dtype == DType::boolean)
    return static_cast<double>(random() % 2);
  if (is_integer(dtype)) {
    if (values == Values::with_edges && random() % 8 == 0)
      return dtype == DType::u8 ? 255 : -128;
    return static_cast<double>(pick(random, dtype == DType::u8 ? 0 : -9, 9));
  }
  if (values == Values::with_edges && random() % 6 == 0) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const std::array<double, 10> edges{
        0.0,      -0.0,     infinity, -infinity, std::numeric_limits<double>::quiet_NaN(),
        0x1p-130, -0x1p-24, 60000.0,  -448.0,    1.0};
    return edges[random() % edges.size()];
  }
  const double v = std::normal_distribution<double>()(random);
  return values == Values::positive ? std::abs(v) + 0.01 : v;
}

/// A view of `shape` whose axes may lie in any order, with gaps between elements and an offset, as slices and
/// transpositions leave them. `dense`: row-major instead.
inline Tensor strided_tensor(Random& random, DType dtype, std::vector<std::int64_t> shape, bool dense) {
  std::vector<std::size_t> order(shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!dense && random() % 2 == 0)
    std::shuffle(order.begin(), order.end(), random);
  std::array<std::int64_t, max_rank> strides{};
  std::int64_t stride = dense ? 1 : pick(random, 1, 2);
  for (std::size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = stride;
    stride *= shape[order[i]] + (dense ? 0 : pick(random, 0, 2));
  }
  const std::int64_t offset = dense ? 0 : pick(random, 0, 5);
  Tensor out = Tensor::zeros(dtype, std::vector<std::int64_t>{std::max<std::int64_t>(stride, 1) + offset});
  out.view.data += offset * static_cast<std::int64_t>(byte_size(dtype));
  out.view.rank = static_cast<std::uint8_t>(shape.size());
  out.view.shape = {};
  std::copy(shape.begin(), shape.end(), out.view.shape.begin());
  out.view.strides = strides;
  return out;
}

inline Tensor random_tensor(Random& random, DType dtype, std::vector<std::int64_t> shape,
                            Values values = Values::ordinary, bool dense = false) {
  Tensor out = strided_tensor(random, dtype, std::move(shape), dense);
  for (std::int64_t i = 0; i < out.view.size(); ++i)
    store_element(out.view, i, random_value(random, dtype, values));
  return out;
}

}  // namespace tandem::test
