// softmax: a wave a line; cumsum: a thread a line.
#include "device_math.h"
#include "element.h"
#include "index.h"
#include "reduce_params.h"
#include "wave.h"

namespace tandem::gpu {

namespace {

constexpr int waves = 256 / wave_size;

TANDEM_DEVICE void load(const LineParams& p, i64 at, float& value) {
  value = load_f32(p.x, p.x_type, at);
}
TANDEM_DEVICE void load(const LineParams& p, i64 at, double& value) {
  value = load_real(p.x, p.x_type, at);
}
TANDEM_DEVICE void store(const LineParams& p, i64 at, float value) {
  store_f32(p.y, p.y_type, at, value);
}
TANDEM_DEVICE void store(const LineParams& p, i64 at, double value) {
  store_real(p.y, p.y_type, at, value);
}

/// exp(x - largest) / sum. Lines of up to `kept` elements a lane are read once; of longer ones the rest is read again.
template <class Real, int kept>
TANDEM_DEVICE void softmax(const LineParams& p) {
  begin_kernel();
  for (i64 line = static_cast<i64>(block_x()) * waves + wave_id(); line < p.lines.size; line += grid_blocks() * waves) {
    i64 at[2] = {};
    locate(p.lines, line, at);
    const i64 first = lane_id();
    const i64 rest = first + kept * wave_size;
    const Real lowest = -static_cast<Real>(infinity);
    Real x[kept];
    Real largest = lowest;
  #pragma unroll
    for (int i = 0; i < kept; ++i) {
      x[i] = lowest;
      if (first + i * wave_size < p.length)
        load(p, at[1] + (first + i * wave_size) * p.x_step, x[i]);
      largest = x[i] > largest ? x[i] : largest;
    }
    for (i64 i = rest; i < p.length; i += wave_size) {
      Real e;
      load(p, at[1] + i * p.x_step, e);
      largest = e > largest ? e : largest;
    }
    largest = wave_reduce(largest, [](Real a, Real b) { return a > b ? a : b; });
    Real sum = 0;
  #pragma unroll
    for (int i = 0; i < kept; ++i) {
      x[i] = first + i * wave_size < p.length ? exponential(x[i] - largest) : Real(0);
      sum += x[i];
    }
    for (i64 i = rest; i < p.length; i += wave_size) {
      Real e;
      load(p, at[1] + i * p.x_step, e);
      sum += exponential(e - largest);
    }
    sum = wave_reduce(sum, [](Real a, Real b) { return a + b; });
  #pragma unroll
    for (int i = 0; i < kept; ++i)
      if (first + i * wave_size < p.length)
        store(p, at[0] + (first + i * wave_size) * p.y_step, x[i] / sum);
    for (i64 i = rest; i < p.length; i += wave_size) {
      Real e;
      load(p, at[1] + i * p.x_step, e);
      store(p, at[0] + i * p.y_step, exponential(e - largest) / sum);
    }
  }
}

}  // namespace

TANDEM_KERNEL_RESIDENT(softmax_f32, 256, 4, LineParams) { softmax<float, 8>(p); }
TANDEM_KERNEL(softmax_f64, 256, LineParams) { softmax<double, 1>(p); }

TANDEM_KERNEL(cumsum, 256, LineParams) {
  begin_kernel();
  for (i64 line = first_item(); line < p.lines.size; line += item_step()) {
    i64 at[2] = {};
    locate(p.lines, line, at);
    double real = 0;
    u64 integer = 0;
    for (i64 i = 0; i < p.length; ++i) {
      if (is_float(p.x_type)) {
        real += load_real(p.x, p.x_type, at[1] + i * p.x_step);
        store_real(p.y, p.y_type, at[0] + i * p.y_step, real);
      } else {
        integer += static_cast<u64>(load_integer(p.x, p.x_type, at[1] + i * p.x_step));
        store_integer(p.y, p.y_type, at[0] + i * p.y_step, static_cast<i64>(integer));
      }
    }
  }
}

}  // namespace tandem::gpu
