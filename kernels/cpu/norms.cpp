// rms_norm, layer_norm and the dual norm of MLA: a row at a time, in float (f64 in double), rounded once.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include <tandem/kernels/cpu/clones.h>
#include <tandem/kernels/cpu/parallel.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/cpu/scratch.h>
#include <tandem/kernels/cpu/tensor_rows.h>

namespace tandem::cpu {
namespace {

/// Sums in 16 lanes, added up pairwise: the order depends on the length alone.
template <class T, class Term>
inline T sum_of(std::int64_t n, const Term& term) {
  T lanes[16] = {};
  std::int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int j = 0; j < 16; ++j)
      lanes[j] += term(i + j);
  for (int j = 0; i + j < n; ++j)
    lanes[j] += term(i + j);
  for (int width = 8; width > 0; width /= 2)
    for (int j = 0; j < width; ++j)
      lanes[j] += lanes[j + width];
  return lanes[0];
}

TANDEM_CPU_CLONES float sum_of_squares(const float* x, std::int64_t n) {
  return sum_of<float>(n, [x](std::int64_t i) { return x[i] * x[i]; });
}
TANDEM_CPU_CLONES double sum_of_squares(const double* x, std::int64_t n) {
  return sum_of<double>(n, [x](std::int64_t i) { return x[i] * x[i]; });
}

/// A norm's tensors: weight and bias may be absent.
struct NormArguments {
  const TensorView& x;
  const TensorView* weight;
  const TensorView* bias;
  const TensorView& y;
  double eps;
  bool round_before_weight;
};

Row vector_row(const TensorView& v) {
  return {v.data, v.dtype, v.strides[0], v.shape[0]};
}

template <class T>
void rms_norm_row(const NormArguments& norm, const T* weight, std::int64_t r) {
  const Row from = last_axis_row(norm.x, r), to = last_axis_row(norm.y, r);
  const std::int64_t n = from.count;
  T* y = scratch<T>(Scratch::b, n);
  const T* x = row_as(from, scratch<T>(Scratch::a, n));
  const T scale = T{1} / std::sqrt(sum_of_squares(x, n) / static_cast<T>(n) + static_cast<T>(norm.eps));
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = x[i] * scale;
  if (norm.round_before_weight && norm.x.dtype != DType::f32 && norm.x.dtype != DType::f64) {
    T* rounded = scratch<T>(Scratch::c, n);  // to the input's dtype and back
    const Row dense{reinterpret_cast<std::byte*>(rounded), norm.x.dtype, 1, n};
    store_row(dense, y);
    load_row(dense, y);
  }
  if (weight)
    for (std::int64_t i = 0; i < n; ++i)
      y[i] *= weight[i];
  store_row(to, y);
}

template <class T>
void layer_norm_row(const NormArguments& norm, const T* weight, const T* bias, std::int64_t r) {
  const Row from = last_axis_row(norm.x, r), to = last_axis_row(norm.y, r);
  const std::int64_t n = from.count;
  T* y = scratch<T>(Scratch::b, n);
  const T* x = row_as(from, scratch<T>(Scratch::a, n));
  const T mean = sum_of<T>(n, [x](std::int64_t i) { return x[i]; }) / static_cast<T>(n);
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = x[i] - mean;
  const T scale = T{1} / std::sqrt(sum_of_squares(y, n) / static_cast<T>(n) + static_cast<T>(norm.eps));
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = y[i] * scale * (weight ? weight[i] : T{1}) + (bias ? bias[i] : T{0});
  store_row(to, y);
}

/// The weight as T, in the piece of scratch that the threads share.
template <class T>
const T* shared_vector(const TensorView* v, Scratch piece) {
  return v ? row_as(vector_row(*v), scratch<T>(piece, v->shape[0])) : nullptr;
}

template <class T>
void rms_norm_as(const NormArguments& norm) {
  const T* weight = shared_vector<T>(norm.weight, Scratch::shared);
  parallel_for(num_last_axis_rows(norm.x), norm.x.shape[norm.x.rank - 1U], [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      rms_norm_row(norm, weight, r);
  });
}

void rms_norm(const KernelCall& call) {
  const NormArguments norm{call.operands[0],
                           call.operands.size() > 1 ? &call.operands[1] : nullptr,
                           nullptr,
                           call.results[0],
                           call.attr("eps").real(),
                           call.attr("round_before_weight").boolean()};
  if (norm.x.dtype == DType::f64)
    rms_norm_as<double>(norm);
  else
    rms_norm_as<float>(norm);
}

template <class T>
void layer_norm_as(const NormArguments& norm) {
  const T* weight = shared_vector<T>(norm.weight, Scratch::shared);
  const T* bias = shared_vector<T>(norm.bias, Scratch::shared_second);
  parallel_for(num_last_axis_rows(norm.x), norm.x.shape[norm.x.rank - 1U], [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      layer_norm_row(norm, weight, bias, r);
  });
}

void layer_norm(const KernelCall& call) {
  const NormArguments norm{call.operands[0],
                           call.operands.size() > 1 ? &call.operands[1] : nullptr,
                           call.operands.size() > 2 ? &call.operands[2] : nullptr,
                           call.results[0],
                           call.attr("eps").real(),
                           false};
  if (norm.x.dtype == DType::f64)
    layer_norm_as<double>(norm);
  else
    layer_norm_as<float>(norm);
}

/// Both norms in one loop: item r is row r of q, then those of kv follow.
template <class T>
void dual_rms_norm_as(const NormArguments& q, const NormArguments& kv) {
  const T* q_weight = shared_vector<T>(q.weight, Scratch::shared);
  const T* kv_weight = shared_vector<T>(kv.weight, Scratch::shared_second);
  const std::int64_t q_rows = num_last_axis_rows(q.x), kv_rows = num_last_axis_rows(kv.x);
  const std::int64_t cost = std::max(q.x.shape[q.x.rank - 1U], kv.x.shape[kv.x.rank - 1U]);
  parallel_for(q_rows + kv_rows, cost, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      if (r < q_rows)
        rms_norm_row(q, q_weight, r);
      else
        rms_norm_row(kv, kv_weight, r - q_rows);
    }
  });
}

void fused_mla_dual_rms_norm(const KernelCall& call) {
  const bool round = call.attr("round_before_weight").boolean();
  const NormArguments q{call.operands[0], &call.operands[1],         nullptr,
                        call.results[0],  call.attr("eps_q").real(), round};
  const NormArguments kv{call.operands[2], &call.operands[3],          nullptr,
                         call.results[1],  call.attr("eps_kv").real(), round};
  if (q.x.dtype == DType::f64)
    dual_rms_norm_as<double>(q, kv);
  else
    dual_rms_norm_as<float>(q, kv);
}

}  // namespace

void add_norms(Registry& r) {
  r.add("rms_norm", rms_norm, takes_floats);
  r.add("layer_norm", layer_norm, takes_floats);
  r.add("fused_mla_dual_rms_norm", fused_mla_dual_rms_norm,
        [](const KernelCall& c) { return takes_floats(c) && c.operands[0].dtype == c.operands[2].dtype; });
}

}  // namespace tandem::cpu
