// Rotary position embedding, a row at a time. (Su et al., RoFormer, 2021.)
#include <array>
#include <cstdint>

#include <tandem/kernels/cpu/loop_nest.h>
#include <tandem/kernels/cpu/parallel.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/cpu/scratch.h>
#include <tandem/kernels/cpu/tensor_rows.h>

namespace tandem::cpu {
namespace {

template <class T>
void rope_as(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const bool interleaved = call.attr("interleaved").boolean();
  std::array<std::int64_t, max_rank> pairs = x.shape;
  const std::int64_t half = pairs[x.rank - 1U] /= 2;
  const TensorView cosines = broadcast(call.operands[1], {pairs.data(), x.rank});
  const TensorView sines = broadcast(call.operands[2], {pairs.data(), x.rank});
  // Element i of the first of each pair, and of the second: half a row apart, or side by side.
  const std::int64_t step = interleaved ? 2 : 1, apart = interleaved ? 1 : half;
  parallel_for(num_last_axis_rows(x), 4 * half, [&](std::int64_t first, std::int64_t last) {
    T* out = scratch<T>(Scratch::a, 2 * half);
    T* in_buffer = scratch<T>(Scratch::b, 2 * half);
    T* cos_buffer = scratch<T>(Scratch::c, half);
    T* sin_buffer = scratch<T>(Scratch::d, half);
    for (std::int64_t r = first; r < last; ++r) {
      const T* in = row_as(last_axis_row(x, r), in_buffer);
      const T* c = row_as(last_axis_row(cosines, r), cos_buffer);
      const T* s = row_as(last_axis_row(sines, r), sin_buffer);
      for (std::int64_t i = 0; i < half; ++i) {
        const T a = in[i * step], b = in[i * step + apart];
        out[i * step] = a * c[i] - b * s[i];
        out[i * step + apart] = b * c[i] + a * s[i];
      }
      store_row(last_axis_row(y, r), out);
    }
  });
}

void rope(const KernelCall& call) {
  if (call.operands[0].dtype == DType::f64)
    rope_as<double>(call);
  else
    rope_as<float>(call);
}

}  // namespace

void add_rope(Registry& r) {
  r.add("rope", rope, takes_floats);
}

}  // namespace tandem::cpu
