// Loops over several tensors of one shape: axes that lie alike in all of them are merged, so that the innermost loop is
// as long as can be.
//
//     y[8, 4, 16], a[8, 4, 16], b[1, 1, 16]   ->   rows: 32, of 16 elements: y, a dense, b dense with row stride 0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/tensor.h>

namespace tandem::cpu {

inline constexpr std::size_t max_nest_tensors = 4;

class LoopNest {
 public:
  /// `tensors[0]` has the shape of the loops; the others broadcast to it.
  explicit LoopNest(std::span<const TensorView> tensors);

  std::int64_t rows() const { return rows_; }
  std::int64_t row_length() const { return row_length_; }
  /// Elements [begin, begin + count) of row `r` of tensor `t`.
  Row row(std::size_t t, std::int64_t r, std::int64_t begin, std::int64_t count) const {
    std::int64_t offset = begin * inner_[t];
    for (std::size_t axis = rank_; axis-- > 0 && r > 0;) {
      offset += r % shape_[axis] * strides_[t][axis];
      r /= shape_[axis];
    }
    const auto size = static_cast<std::int64_t>(byte_size(dtypes_[t]));
    return {data_[t] + offset * size, dtypes_[t], inner_[t], count};
  }

 private:
  std::size_t rank_ = 0;  ///< Of the outer loops.
  std::int64_t rows_ = 1, row_length_ = 1;
  std::array<std::int64_t, max_rank> shape_{};  ///< Of the outer loops.
  std::array<std::array<std::int64_t, max_rank>, max_nest_tensors> strides_{};
  std::array<std::int64_t, max_nest_tensors> inner_{};
  std::array<std::byte*, max_nest_tensors> data_{};
  std::array<DType, max_nest_tensors> dtypes_{};
};

/// `view` seen with a shape that it broadcasts to (NumPy's rules).
TensorView broadcast(const TensorView& view, std::span<const std::int64_t> shape);

}  // namespace tandem::cpu
