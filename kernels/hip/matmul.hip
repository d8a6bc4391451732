// Matrix products without matrix units: what keeps graphs correct where no vendor library is to be had.
//
//   matmul         a block computes 64 x 64 elements from tiles in shared memory, a thread 4 x 4 of them
//   expert_linear  a wave computes an element: rows go to different matrices
#include "element.h"
#include "index.h"
#include "matmul_params.h"
#include "wave.h"

namespace tandem::gpu {

namespace {

constexpr int threads = 256;
constexpr int tile = matmul_tile;
constexpr int depth = matmul_depth;
constexpr int each = 4;  ///< Rows, and columns, of a thread.

template <class Real>
TANDEM_DEVICE Real load(const void* data, ElementType type, i64 at) {
  if constexpr (sizeof(Real) == 8)
    return load_real(data, type, at);
  else
    return load_f32(data, type, at);
}
template <class Real>
TANDEM_DEVICE void store(void* data, ElementType type, i64 at, Real value) {
  if constexpr (sizeof(Real) == 8)
    store_real(data, type, at, value);
  else
    store_f32(data, type, at, value);
}

template <class Real>
TANDEM_DEVICE void matmul(const MatmulParams& p) {
  __shared__ Real a_tile[depth][tile + 1];
  __shared__ Real b_tile[depth][tile + 1];
  begin_kernel();
  i64 at[3] = {};
  locate(p.batch, static_cast<i64>(block_z()), at);
  const i64 first_row = static_cast<i64>(block_y()) * tile;
  const i64 first_column = static_cast<i64>(block_x()) * tile;
  const int thread = static_cast<int>(thread_x());
  const int row = thread / (tile / each) * each;
  const int column = thread % (tile / each) * each;
  // Neighbouring threads read neighbouring elements along whichever axis is contiguous.
  const bool a_along_k = p.a_column == 1;
  const bool b_along_k = p.b_row == 1;
  Real sum[each][each] = {};
  for (i64 k = 0; k < p.k; k += depth) {
#pragma unroll
    for (int i = 0; i < tile * depth / threads; ++i) {
      const int item = thread + i * threads;
      const int ak = a_along_k ? item % depth : item / tile;
      const int am = a_along_k ? item / depth : item % tile;
      const bool a_inside = first_row + am < p.m && k + ak < p.k;
      a_tile[ak][am] =
          a_inside ? load<Real>(p.a, p.type, at[1] + (first_row + am) * p.a_row + (k + ak) * p.a_column) : Real(0);
      const int bk = b_along_k ? item % depth : item / tile;
      const int bn = b_along_k ? item / depth : item % tile;
      const bool b_inside = first_column + bn < p.n && k + bk < p.k;
      b_tile[bk][bn] =
          b_inside ? load<Real>(p.b, p.type, at[2] + (k + bk) * p.b_row + (first_column + bn) * p.b_column) : Real(0);
    }
    block_barrier();
#pragma unroll
    for (int d = 0; d < depth; ++d) {
      Real a[each];
      Real b[each];
#pragma unroll
      for (int i = 0; i < each; ++i) {
        a[i] = a_tile[d][row + i];
        b[i] = b_tile[d][column + i];
      }
#pragma unroll
      for (int i = 0; i < each; ++i)
#pragma unroll
        for (int j = 0; j < each; ++j)
          sum[i][j] = fused_multiply_add(a[i], b[j], sum[i][j]);
    }
    block_barrier();
  }
#pragma unroll
  for (int i = 0; i < each; ++i)
#pragma unroll
    for (int j = 0; j < each; ++j) {
      const i64 m = first_row + row + i;
      const i64 n = first_column + column + j;
      if (m >= p.m || n >= p.n)
        continue;
      const Real bias = p.bias == nullptr ? Real(0) : load<Real>(p.bias, p.type, n * p.bias_step);
      store(p.y, p.type, at[0] + m * p.y_row + n * p.y_column, sum[i][j] + bias);
    }
}

template <class Real>
TANDEM_DEVICE void expert_linear(const MatmulParams& p) {
  begin_kernel();
  const i64 n = static_cast<i64>(block_x()) * (threads / wave_size) + wave_id();
  const i64 m = block_y() + static_cast<i64>(block_z()) * 32768;
  if (n >= p.n || m >= p.m)
    return;
  const i64 expert = p.expert[m * p.expert_index_step];
  if (expert < 0 || expert >= p.experts) {
    *p.fault = 1;
    return;
  }
  Real sum = 0;
  const i64 b_at = expert * p.expert_step + n * p.b_column;
  for (i64 k = lane_id(); k < p.k; k += wave_size)
    sum = fused_multiply_add(load<Real>(p.a, p.type, m * p.a_row + k * p.a_column),
                             load<Real>(p.b, p.type, b_at + k * p.b_row), sum);
  sum = wave_reduce(sum, [](Real x, Real y) { return x + y; });
  if (lane_id() == 0)
    store(p.y, p.type, m * p.y_row + n * p.y_column, sum);
}

template <class Real>
TANDEM_DEVICE void conv1d(const Conv1dParams& p) {
  begin_kernel();
  for (i64 item = first_item(); item < p.batch * p.filters * p.positions; item += item_step()) {
    const i64 position = item % p.positions;
    const i64 filter = item / p.positions % p.filters;
    const i64 batch = item / p.positions / p.filters;
    const i64 first_channel = filter / p.filters_a_group * p.channels;
    Real sum = p.bias == nullptr ? Real(0) : load<Real>(p.bias, p.type, filter * p.bias_step);
    for (i64 c = 0; c < p.channels; ++c) {
      for (i64 i = 0; i < p.width; ++i) {
        const i64 at = position * p.stride + i * p.dilation - p.padding;
        if (at < 0 || at >= p.length)
          continue;
        const Real x = load<Real>(p.x, p.type, batch * p.x_stride[0] + (first_channel + c) * p.x_stride[1] + at * p.x_stride[2]);
        const Real w = load<Real>(p.weight, p.type, filter * p.weight_stride[0] + c * p.weight_stride[1] + i * p.weight_stride[2]);
        sum = fused_multiply_add(x, w, sum);
      }
    }
    store(p.y, p.type, batch * p.y_stride[0] + filter * p.y_stride[1] + position * p.y_stride[2], sum);
  }
}

}  // namespace

TANDEM_KERNEL(matmul_f32, 256, MatmulParams) { matmul<float>(p); }
TANDEM_KERNEL(matmul_f64, 256, MatmulParams) { matmul<double>(p); }
TANDEM_KERNEL(expert_linear_f32, 256, MatmulParams) { expert_linear<float>(p); }
TANDEM_KERNEL(expert_linear_f64, 256, MatmulParams) { expert_linear<double>(p); }
TANDEM_KERNEL(conv1d_f32, 256, Conv1dParams) { conv1d<float>(p); }
TANDEM_KERNEL(conv1d_f64, 256, Conv1dParams) { conv1d<double>(p); }

}  // namespace tandem::gpu
