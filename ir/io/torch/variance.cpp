#include <tandem/ir/io/torch/variance.h>

namespace tandem::torch::lower {

namespace {

Dim count_over(Emitter& e, Value v, const std::vector<std::int64_t>& axes) {
  Dim n = 1;
  for (const std::int64_t a : axes)
    n = n * e.dims(v)[static_cast<std::size_t>(a)];
  return n;
}

}  // namespace

Value variance_of(Emitter& e, Value v, const std::vector<std::int64_t>& axes, double correction, bool keepdims) {
  const Value center = e.reduce(op::mean, v, axes, true);
  const Value squares = e.reduce(op::sum, e.op(op::square, {e.sub(v, center)}), axes, keepdims);
  const DType dtype = e.dtype(v);
  const Value count = e.dim(count_over(e, v, axes), dtype);
  const Value freedom = e.op(op::maximum, {e.sub(count, e.scalar(dtype, correction)), e.scalar(dtype, 0.0)});
  return e.div(squares, freedom);
}

}  // namespace tandem::torch::lower
