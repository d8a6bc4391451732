// Softmax along any axis.
#include <tandem/kernels/cpu/softmax.h>

#include <limits>

#include <tandem/kernels/cpu/clones.h>
#include <tandem/kernels/cpu/math.h>
#include <tandem/kernels/cpu/parallel.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/cpu/scratch.h>
#include <tandem/kernels/cpu/tensor_rows.h>

namespace tandem::cpu {
namespace {

template <class T>
inline void softmax_of(T* x, std::int64_t n) {
  T largest[16];
  for (T& v : largest)
    v = -std::numeric_limits<T>::infinity();
  std::int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int j = 0; j < 16; ++j)
      largest[j] = x[i + j] > largest[j] ? x[i + j] : largest[j];
  for (int j = 0; i + j < n; ++j)
    largest[j] = x[i + j] > largest[j] ? x[i + j] : largest[j];
  for (int width = 8; width > 0; width /= 2)
    for (int j = 0; j < width; ++j)
      largest[j] = largest[j + width] > largest[j] ? largest[j + width] : largest[j];
  const T top = largest[0];
  T sums[16] = {};
  for (i = 0; i + 16 <= n; i += 16)
    for (int j = 0; j < 16; ++j)
      sums[j] += x[i + j] = exponential(x[i + j] - top);
  for (int j = 0; i + j < n; ++j)
    sums[j] += x[i + j] = exponential(x[i + j] - top);
  for (int width = 8; width > 0; width /= 2)
    for (int j = 0; j < width; ++j)
      sums[j] += sums[j + width];
  const T scale = T{1} / sums[0];
  for (i = 0; i < n; ++i)
    x[i] *= scale;
}

template <class T>
void softmax_as(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const std::size_t axis = call.axis("axis", x.rank);
  const std::int64_t length = x.shape[axis];
  parallel_for(num_lines(x, axis), length * 4, [&](std::int64_t first, std::int64_t last) {
    T* row = scratch<T>(Scratch::a, length);
    for (std::int64_t r = first; r < last; ++r) {
      load_row(line(x, axis, r), row);
      softmax_row(row, length);
      store_row(line(y, axis, r), row);
    }
  });
}

void softmax(const KernelCall& call) {
  if (call.operands[0].dtype == DType::f64)
    softmax_as<double>(call);
  else
    softmax_as<float>(call);
}

}  // namespace

TANDEM_CPU_CLONES void softmax_row(float* x, std::int64_t n) {
  softmax_of(x, n);
}
void softmax_row(double* x, std::int64_t n) {
  softmax_of(x, n);
}

void add_softmax(Registry& r) {
  r.add("softmax", softmax, takes_floats);
}

}  // namespace tandem::cpu
