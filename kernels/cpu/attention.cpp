// Attention: blocks of query rows, each with its scores against all keys in float.
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <tandem/kernels/cpu/gemm.h>
#include <tandem/kernels/cpu/loop_nest.h>
#include <tandem/kernels/cpu/parallel.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/cpu/scratch.h>
#include <tandem/kernels/cpu/softmax.h>
#include <tandem/kernels/cpu/tensor_rows.h>

namespace tandem::cpu {
namespace {

/// Query rows of a task: its scores take block_rows * (number of keys) floats.
constexpr std::int64_t block_rows = 32;

/// Where batch `batch` (row-major over the axes before the last two) of `x` begins.
Matrix matrix_at(const TensorView& x, std::int64_t batch) {
  Matrix out = matrix_of(x);
  for (std::size_t axis = x.rank - 2U; axis-- > 0;) {
    out.data += batch % x.shape[axis] * x.strides[axis] * static_cast<std::int64_t>(byte_size(x.dtype));
    batch /= x.shape[axis];
  }
  return out;
}

template <class T>
class Attention {
 public:
  explicit Attention(const KernelCall& call)
      : q_(call.operands[0]),
        k_(call.operands[1]),
        v_(call.operands[2]),
        y_(call.results[0]),
        m_(q_.shape[q_.rank - 2U]),
        n_(k_.shape[k_.rank - 2U]),
        depth_(q_.shape[q_.rank - 1U]),
        value_depth_(y_.shape[y_.rank - 1U]),
        scale_(static_cast<T>(call.attr("scale").real())),
        causal_(call.attr("causal").boolean()),
        has_mask_(call.operands.size() > 3) {
    if (!has_mask_)
      return;
    std::array<std::int64_t, max_rank> shape = q_.shape;
    shape[q_.rank - 1U] = n_;
    mask_ = broadcast(call.operands[3], {shape.data(), q_.rank});
  }

  void run() const {
    if (y_.size() == 0)
      return;
    const std::int64_t batches = y_.size() / (m_ * value_depth_);
    const std::int64_t blocks = (m_ + block_rows - 1) / block_rows;
    const std::int64_t cost =
        std::min(m_, block_rows) * std::max<std::int64_t>(n_, 1) * (depth_ + value_depth_ + 16) / 8;
    parallel_for(batches * blocks, cost, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i)
        block(i / blocks, i % blocks * block_rows);
    });
  }

 private:
  void block(std::int64_t batch, std::int64_t first) const {
    const std::int64_t rows = std::min(block_rows, m_ - first);
    T* scores = scratch<T>(Scratch::c, rows * n_);
    const Matrix q = matrix_at(q_, batch).from(first, 0), keys = matrix_at(k_, batch).transposed();
    for (std::int64_t j = 0; j < n_; j += tile_side)
      multiply_tile(q, keys.from(0, j), scores + j, n_, rows, std::min(tile_side, n_ - j), depth_);
    for (std::int64_t i = 0; i < rows; ++i) {
      T* row = scores + i * n_;
      for (std::int64_t j = 0; j < n_; ++j)
        row[j] *= scale_;
      if (has_mask_)
        add_mask(row, batch * m_ + first + i);
      if (causal_) {
        const std::int64_t seen = std::clamp<std::int64_t>(first + i + n_ - m_ + 1, 0, n_);
        std::fill(row + seen, row + n_, -std::numeric_limits<T>::infinity());
      }
      // A query that keeps no key gives 0, not the NaN of a softmax over minus infinities.
      if (std::all_of(row, row + n_, [](T score) { return score == -std::numeric_limits<T>::infinity(); }))
        std::fill(row, row + n_, T{0});
      else
        softmax_row(row, n_);
    }
    const Matrix weights{reinterpret_cast<std::byte*>(scores), std::is_same_v<T, float> ? DType::f32 : DType::f64, n_,
                         1, nullptr};
    const Matrix values = matrix_at(v_, batch), y = matrix_at(y_, batch);
    T* out = scratch<T>(Scratch::d, rows * tile_side);
    for (std::int64_t e = 0; e < value_depth_; e += tile_side) {
      const std::int64_t columns = std::min(tile_side, value_depth_ - e);
      multiply_tile(weights, values.from(0, e), out, columns, rows, columns, n_);
      for (std::int64_t i = 0; i < rows; ++i) {
        const Matrix at = y.from(first + i, e);
        store_row({at.data, y.dtype, y.col_stride, columns}, out + i * columns);
      }
    }
  }

  void add_mask(T* row, std::int64_t r) const {
    const Row mask = last_axis_row(mask_, r);
    constexpr std::int64_t chunk = 256;
    if (is_boolean(mask.dtype)) {
      for (std::int64_t j = 0; j < n_; ++j)
        row[j] = std::to_integer<int>(mask.data[j * mask.stride]) != 0 ? row[j]
                                                                       : row[j] - std::numeric_limits<T>::infinity();
      return;
    }
    T buffer[chunk];
    const auto size = static_cast<std::int64_t>(byte_size(mask.dtype));
    for (std::int64_t j = 0; j < n_; j += chunk) {
      const std::int64_t count = std::min(chunk, n_ - j);
      load_row({mask.data + j * mask.stride * size, mask.dtype, mask.stride, count}, buffer);
      for (std::int64_t i = 0; i < count; ++i)
        row[j + i] += buffer[i];
    }
  }

  const TensorView &q_, &k_, &v_, &y_;
  TensorView mask_;
  std::int64_t m_, n_, depth_, value_depth_;
  T scale_;
  bool causal_, has_mask_;
};

void attention(const KernelCall& call) {
  if (call.operands[0].dtype == DType::f64)
    Attention<double>(call).run();
  else
    Attention<float>(call).run();
}

/// A mask of integers is no mask that attention takes; one of floats or bools is.
bool takes_mask(const KernelCall& call) {
  for (const TensorView& x : call.operands)
    if (is_integer(x.dtype))
      return false;
  return is_float(call.operands[0].dtype);
}

}  // namespace

void add_attention(Registry& r) {
  r.add("attention", attention, takes_mask);
}

}  // namespace tandem::cpu
