// layer_norm, and rms_norm of dtypes that rms_norm.hip has no kernel for: a block a row, types known at run time.
#include "device_math.h"
#include "element.h"
#include "index.h"
#include "row_norm_params.h"
#include "wave.h"

namespace tandem::gpu {

namespace {

constexpr int threads = 256;

template <class Real>
TANDEM_DEVICE Real load(const void* data, ElementType type, i64 at) {
  if constexpr (sizeof(Real) == 8)
    return load_real(data, type, at);
  else
    return load_f32(data, type, at);
}

/// The sum of what all threads hold. `room` has one use until the next barrier.
template <class Real>
TANDEM_DEVICE Real sum_of_block(Real* room, Real value) {
  value = wave_reduce(value, [](Real a, Real b) { return a + b; });
  if (lane_id() == 0)
    room[wave_id()] = value;
  block_barrier();
  Real total = room[0];
  for (int i = 1; i < threads / wave_size; ++i)
    total += room[i];
  return total;
}

template <class Real>
TANDEM_DEVICE void row_norm(const RowNormParams& p) {
  __shared__ Real room[2][threads / wave_size];
  begin_kernel();
  for (i64 row = block_x(); row < p.rows.size; row += grid_blocks()) {
    i64 at[2] = {};
    locate(p.rows, row, at);
    const auto x = [&](i64 i) { return load<Real>(p.x, p.type, at[1] + i * p.x_step); };
    const Real count = static_cast<Real>(p.length);
    Real mean = 0;
    if (p.rms == 0) {
      for (i64 i = thread_x(); i < p.length; i += threads)
        mean += x(i);
      mean = sum_of_block(room[0], mean) / count;
    }
    Real squares = 0;
    for (i64 i = thread_x(); i < p.length; i += threads) {
      const Real e = x(i) - mean;
      squares = fused_multiply_add(e, e, squares);
    }
    const Real deviation = square_root(sum_of_block(room[1], squares) / count + static_cast<Real>(p.epsilon));
    for (i64 i = thread_x(); i < p.length; i += threads) {
      Real e = (x(i) - mean) / deviation;
      if (p.round_before_weight != 0)
        e = static_cast<Real>(round_real(e, p.type));
      if (p.weight != nullptr)
        e *= load<Real>(p.weight, p.weight_type, i * p.weight_step);
      if (p.bias != nullptr)
        e += load<Real>(p.bias, p.bias_type, i * p.bias_step);
      store_real(p.y, p.type, at[0] + i * p.y_step, e);
    }
    block_barrier();
  }
}

}  // namespace

TANDEM_KERNEL(row_norm_f32, 256, RowNormParams) { row_norm<float>(p); }
TANDEM_KERNEL(row_norm_f64, 256, RowNormParams) { row_norm<double>(p); }

}  // namespace tandem::gpu
