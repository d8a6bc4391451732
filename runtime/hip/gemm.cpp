// From views to leading dimensions.
#include <tandem/runtime/hip/gemm.h>

#include <algorithm>
#include <limits>
#include <span>

#include <tandem/ir/op_table.h>
#include <tandem/runtime/hip/blas_api.h>

namespace tandem::hip {
namespace {

/// Axes [first, last) of a view as one: its length and stride. None when strides do not allow it.
struct Axis {
  std::int64_t length = 1, stride = 0;
};
std::optional<Axis> collapse(const TensorView& v, std::size_t first, std::size_t last) {
  Axis out;
  for (std::size_t i = last; i-- > first;) {
    if (v.shape[i] == 1)
      continue;
    if (out.length != 1 && v.strides[i] != out.stride * out.length)
      return std::nullopt;
    if (out.length == 1)
      out.stride = v.strides[i];
    out.length *= v.shape[i];
  }
  return out;
}

/// The last two axes of a view, stored by rows or by columns.
struct Matrix {
  bool transposed = false;
  std::int64_t row = 0;
};
std::optional<Matrix> as_matrix(const TensorView& v, const Axis& rows) {
  const std::size_t last = v.rank - 1U;
  const std::int64_t columns = v.shape[last];
  const std::int64_t inner = columns == 1 ? 1 : v.strides[last];
  const std::int64_t outer = rows.length == 1 ? std::max<std::int64_t>(columns, 1) : rows.stride;
  if (inner == 1 && outer >= columns)
    return Matrix{false, outer};
  const std::int64_t down = rows.length == 1 ? 1 : rows.stride;
  if (down == 1 && v.strides[last] >= rows.length)
    return Matrix{true, v.strides[last]};
  return std::nullopt;
}

Axis row_axis(const TensorView& v) {
  return {v.shape[v.rank - 2U], v.strides[v.rank - 2U]};
}

/// The stride of a batch axis of `length`: 0 for a matrix that is the same for all.
std::optional<std::int64_t> batch_stride(const TensorView& v, std::int64_t length) {
  const std::optional<Axis> axis = collapse(v, 0, v.rank - 2U);
  if (!axis || (axis->length != 1 && axis->length != length))
    return std::nullopt;
  return axis->length == 1 ? 0 : axis->stride;
}

bool fill(GemmCall& out, const TensorView& a, const Axis& a_rows, const TensorView& b, const TensorView& d,
          const Axis& d_rows) {
  const std::optional<Matrix> ma = as_matrix(a, a_rows), mb = as_matrix(b, row_axis(b)), md = as_matrix(d, d_rows);
  if (!ma || !mb || !md || md->transposed)
    return false;
  Gemm& g = out.gemm;
  g.a_transposed = ma->transposed;
  g.b_transposed = mb->transposed;
  g.row_a = ma->row;
  g.row_b = mb->row;
  g.row_d = md->row;
  out.operands.a = a.data;
  out.operands.b = b.data;
  out.operands.d = d.data;
  g.in = a.dtype;
  g.out = d.dtype;
  const std::int64_t largest = std::numeric_limits<std::int32_t>::max();
  return g.m > 0 && g.n > 0 && g.k > 0 && g.batch > 0 && std::max({g.m, g.n, g.k, g.batch}) <= largest;
}

void set_alignment(GemmCall& call) {
  std::uintptr_t bits = 256;
  for (const void* p :
       {call.operands.a, call.operands.b, static_cast<const void*>(call.operands.d), call.operands.bias})
    bits |= reinterpret_cast<std::uintptr_t>(p);
  call.gemm.alignment = static_cast<std::int64_t>(bits & (~bits + 1));
}

std::optional<GemmCall> linear(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& weight = call.operands[1];
  const TensorView& y = call.results[0];
  const std::optional<Axis> x_rows = collapse(x, 0, x.rank - 1U), y_rows = collapse(y, 0, y.rank - 1U);
  if (!x_rows || !y_rows)
    return std::nullopt;
  GemmCall out;
  out.gemm.m = x_rows->length;
  out.gemm.n = weight.shape[0];
  out.gemm.k = weight.shape[1];
  if (!fill(out, x, *x_rows, weight, y, *y_rows))
    return std::nullopt;
  out.gemm.b_transposed = !out.gemm.b_transposed;  // the weight is [n, k]
  if (call.operands.size() > 2) {
    const TensorView& bias = call.operands[2];
    if (bias.shape[0] != 1 && bias.strides[0] != 1)
      return std::nullopt;
    out.gemm.has_bias = true;
    out.operands.bias = bias.data;
  }
  return out;
}

std::optional<GemmCall> matmul(const KernelCall& call) {
  const TensorView& a = call.operands[0];
  const TensorView& b = call.operands[1];
  const TensorView& y = call.results[0];
  GemmCall out;
  Gemm& g = out.gemm;
  g.m = y.shape[y.rank - 2U];
  g.n = y.shape[y.rank - 1U];
  g.k = a.shape[a.rank - 1U];
  for (std::size_t i = 0; i + 2 < y.rank; ++i)
    g.batch *= y.shape[i];
  const auto batch_a = batch_stride(a, g.batch), batch_b = batch_stride(b, g.batch), batch_d = batch_stride(y, g.batch);
  if (!batch_a || !batch_b || !batch_d || !fill(out, a, row_axis(a), b, y, row_axis(y)))
    return std::nullopt;
  g.batch_a = *batch_a;
  g.batch_b = *batch_b;
  g.batch_d = *batch_d;
  return out;
}

}  // namespace

bool is_matrix_product(OpId op) {
  return op == op::linear || op == op::matmul || op == op::batch_matmul;
}

std::optional<GemmCall> as_gemm(OpId op, const KernelCall& call) {
  if (blas_type(call.operands[0].dtype) < 0)
    return std::nullopt;
  std::optional<GemmCall> out = op == op::linear ? linear(call) : matmul(call);
  if (out)
    set_alignment(*out);
  return out;
}

}  // namespace tandem::hip
