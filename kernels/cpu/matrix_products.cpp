// linear, matmul, batch_matmul and expert_linear: cut into tiles, one task each.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/cpu/gemm.h>
#include <tandem/kernels/cpu/loop_nest.h>
#include <tandem/kernels/cpu/parallel.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/cpu/scratch.h>

namespace tandem::cpu {
namespace {

std::int64_t bytes(const TensorView& v) {
  return static_cast<std::int64_t>(byte_size(v.dtype));
}

/// y[m, n] = a[m, k] b[k, n] + bias[n]; y as a matrix, with the rows that `y.rows` names.
struct Product {
  Matrix a, b, y;
  std::int64_t m = 0, n = 0, k = 0;
  const TensorView* bias = nullptr;
};

/// Rounds a tile of sums into the result.
template <class T>
void store_tile(const Product& p, T* c, std::int64_t i0, std::int64_t j0, std::int64_t m, std::int64_t n) {
  const auto size = static_cast<std::int64_t>(byte_size(p.y.dtype));
  T bias[tile_side];
  if (p.bias)
    load_row({p.bias->data + j0 * p.bias->strides[0] * bytes(*p.bias), p.bias->dtype, p.bias->strides[0], n}, bias);
  for (std::int64_t i = 0; i < m; ++i) {
    T* row = c + i * n;
    if (p.bias)
      for (std::int64_t j = 0; j < n; ++j)
        row[j] += bias[j];
    const std::int64_t at = p.y.rows ? p.y.rows[i0 + i] : i0 + i;
    store_row({p.y.data + (at * p.y.row_stride + j0 * p.y.col_stride) * size, p.y.dtype, p.y.col_stride, n}, row);
  }
}

/// The tile at (i0, j0).
template <class T>
void compute_tile(const Product& p, const T* dense_rows, std::int64_t i0, std::int64_t j0) {
  const std::int64_t m = std::min(tile_side, p.m - i0), n = std::min(tile_side, p.n - j0);
  T* c = scratch<T>(Scratch::c, m * n);
  if (dense_rows)
    multiply_few_rows(dense_rows, p.b.from(0, j0), c, n, m, n, p.k);
  else
    multiply_tile(p.a.from(i0, 0), p.b.from(0, j0), c, n, m, n, p.k);
  store_tile(p, c, i0, j0, m, n);
}

/// One product on several threads.
template <class T>
void multiply(const Product& p) {
  const T* dense_rows = nullptr;
  if (p.m <= few_rows && p.b.row_stride == 1) {
    T* rows = scratch<T>(Scratch::shared, p.m * p.k);
    const auto size = static_cast<std::int64_t>(byte_size(p.a.dtype));
    for (std::int64_t i = 0; i < p.m; ++i)
      load_row({p.a.data + (p.a.rows ? p.a.rows[i] : i) * p.a.row_stride * size, p.a.dtype, p.a.col_stride, p.k},
               rows + i * p.k);
    dense_rows = rows;
  }
  const std::int64_t tiles_n = (p.n + tile_side - 1) / tile_side, tiles_m = (p.m + tile_side - 1) / tile_side;
  const std::int64_t cost = std::min(p.m, tile_side) * tile_side * p.k / 8;  // BLAS does some 8 products a cycle
  parallel_for(tiles_m * tiles_n, std::max<std::int64_t>(cost, 1), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t)
      compute_tile(p, dense_rows, t / tiles_n * tile_side, t % tiles_n * tile_side);
  });
}

void multiply_as(DType dtype, const Product& p) {
  if (p.m == 0 || p.n == 0)
    return;
  if (dtype == DType::f64)
    multiply<double>(p);
  else
    multiply<float>(p);
}

/// The leading axes of `x` merged, as rows of a matrix; false when their strides do not allow it.
bool as_rows(const TensorView& x, Matrix& out) {
  out = {x.data, x.dtype, 0, x.strides[x.rank - 1U], nullptr};
  std::int64_t rows = 1;
  for (std::size_t axis = x.rank - 1U; axis-- > 0;) {
    if (x.shape[axis] == 1)
      continue;
    if (rows == 1)
      out.row_stride = x.strides[axis];
    else if (x.strides[axis] != out.row_stride * rows)
      return false;
    rows *= x.shape[axis];
  }
  return true;
}

/// A view of one index of the first axis.
TensorView slice_first(const TensorView& x, std::int64_t i) {
  TensorView out = x;
  out.data += i * x.strides[0] * bytes(x);
  --out.rank;
  for (std::size_t axis = 0; axis < out.rank; ++axis) {
    out.shape[axis] = x.shape[axis + 1];
    out.strides[axis] = x.strides[axis + 1];
  }
  return out;
}

void linear_on(const TensorView& x, const TensorView& weight, const TensorView* bias, const TensorView& y) {
  Product p;
  if (!as_rows(x, p.a) || !as_rows(y, p.y)) {  // leading axes that do not merge: one after the other
    for (std::int64_t i = 0; i < x.shape[0]; ++i)
      linear_on(slice_first(x, i), weight, bias, slice_first(y, i));
    return;
  }
  p.b = matrix_of(weight).transposed();
  p.k = weight.shape[1];
  p.n = weight.shape[0];
  p.m = 1;
  for (std::size_t axis = 0; axis + 1 < x.rank; ++axis)
    p.m *= x.shape[axis];
  p.bias = bias;
  multiply_as(y.dtype, p);
}

void linear(const KernelCall& call) {
  linear_on(call.operands[0], call.operands[1], call.operands.size() > 2 ? &call.operands[2] : nullptr,
            call.results[0]);
}

/// matmul and batch_matmul: small products in one task each, large ones cut into tiles.
void matmul(const KernelCall& call) {
  const TensorView& y = call.results[0];
  TensorView a = call.operands[0], b = call.operands[1];
  Product p;
  p.m = a.shape[a.rank - 2U];
  p.k = a.shape[a.rank - 1U];
  p.n = b.shape[b.rank - 1U];
  if (y.size() == 0)
    return;
  std::array<std::int64_t, max_rank> shape = y.shape;
  shape[y.rank - 1U] = p.k;
  a = broadcast(a, {shape.data(), y.rank});
  shape[y.rank - 2U] = p.k;
  shape[y.rank - 1U] = p.n;
  b = broadcast(b, {shape.data(), y.rank});
  std::int64_t batches = 1;
  for (std::size_t axis = 0; axis + 2 < y.rank; ++axis)
    batches *= y.shape[axis];
  const auto at_batch = [&](std::int64_t batch) {
    Product q = p;
    std::int64_t offset_a = 0, offset_b = 0, offset_y = 0;
    for (std::size_t axis = y.rank - 2U; axis-- > 0;) {
      const std::int64_t i = batch % y.shape[axis];
      batch /= y.shape[axis];
      offset_a += i * a.strides[axis];
      offset_b += i * b.strides[axis];
      offset_y += i * y.strides[axis];
    }
    q.a = matrix_of(a);
    q.b = matrix_of(b);
    q.y = matrix_of(y);
    q.a.data += offset_a * bytes(a);
    q.b.data += offset_b * bytes(b);
    q.y.data += offset_y * bytes(y);
    return q;
  };
  if (batches == 1)
    return multiply_as(y.dtype, at_batch(0));
  // One list of all tiles of all batches.
  const std::int64_t tiles_n = (p.n + tile_side - 1) / tile_side, tiles_m = (p.m + tile_side - 1) / tile_side;
  const std::int64_t tiles = tiles_n * tiles_m;
  const std::int64_t cost = std::max<std::int64_t>(1, std::min(p.m, tile_side) * std::min(p.n, tile_side) * p.k / 8);
  parallel_for(batches * tiles, cost, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = first; t < last; ++t) {
      const Product q = at_batch(t / tiles);
      const std::int64_t i0 = t % tiles / tiles_n * tile_side, j0 = t % tiles_n * tile_side;
      if (y.dtype == DType::f64)
        compute_tile<double>(q, nullptr, i0, j0);
      else
        compute_tile<float>(q, nullptr, i0, j0);
    }
  });
}

/// Rows that go to one expert are gathered into one product.
void expert_linear(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& weight = call.operands[1];
  const TensorView& experts = call.operands[2];
  const TensorView& y = call.results[0];
  const std::int64_t rows = x.shape[0], count = weight.shape[0];
  auto* expert_of = scratch<std::int64_t>(Scratch::shared_indices, 2 * rows);
  std::int64_t* order = expert_of + rows;
  load_row({experts.data, experts.dtype, experts.strides[0], rows}, expert_of);
  for (std::int64_t r = 0; r < rows; ++r) {
    if (expert_of[r] < 0 || expert_of[r] >= count)
      throw Error("run.index", "expert_linear: row " + std::to_string(r) + " asks for expert " +
                                   std::to_string(expert_of[r]) + " of " + std::to_string(count));
    order[r] = r;
  }
  std::sort(order, order + rows, [&](std::int64_t i, std::int64_t j) {
    return expert_of[i] != expert_of[j] ? expert_of[i] < expert_of[j] : i < j;
  });
  for (std::int64_t first = 0; first < rows;) {
    const std::int64_t expert = expert_of[order[first]];
    std::int64_t last = first;
    while (last < rows && expert_of[order[last]] == expert)
      ++last;
    Product p;
    p.a = {x.data, x.dtype, x.strides[0], x.strides[1], order + first};
    p.y = {y.data, y.dtype, y.strides[0], y.strides[1], order + first};
    p.b = matrix_of(slice_first(weight, expert)).transposed();
    p.m = last - first;
    p.n = weight.shape[1];
    p.k = weight.shape[2];
    multiply_as(y.dtype, p);
    first = last;
  }
}

bool takes_float_rows(const KernelCall& call) {
  return is_float(call.operands[0].dtype) && is_float(call.operands[1].dtype);
}

}  // namespace

void add_matrix_products(Registry& r) {
  r.add("linear", linear, takes_floats);
  r.add("matmul", matmul, takes_floats);
  r.add("batch_matmul", matmul, takes_floats);
  r.add("expert_linear", expert_linear, takes_float_rows);
}

}  // namespace tandem::cpu
