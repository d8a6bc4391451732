// Type inference of reductions and scans.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/ops/checks.h>

namespace tandem {

using namespace inference;

namespace {

/// Adds a result of x's shape without the axes in `reduced`, or with 1 in their places.
void push_reduced(Inference& in, DType dtype, std::uint32_t reduced) {
  const Shape shape = in.operands[0].shape;
  const bool keepdims = in.attr("keepdims").boolean();
  DimBuffer dims(in);
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if ((reduced >> i & 1U) == 0) {
      dims.push(shape[i]);
    } else if (keepdims) {
      dims.push(1);
    }
  }
  push_result(in, dtype, dims, shape);
}

void push_reduced(Inference& in, DType dtype) {
  push_reduced(in, dtype, axis_set(in, "axes", in.operands[0].shape.rank()));
}

}  // namespace

void infer_reduce_arithmetic(Inference& in) {
  require_number(in, 0);
  push_reduced(in, in.operands[0].dtype);
}

void infer_reduce_float(Inference& in) {
  require_float(in, 0);
  push_reduced(in, in.operands[0].dtype);
}

void infer_reduce_test(Inference& in) {
  push_reduced(in, DType::boolean);
}

void infer_arg_reduce(Inference& in) {
  const Shape shape = in.operands[0].shape;
  const std::size_t axis = in.axis("axis", shape.rank());
  if (axis >= max_inferred_rank)
    fail_operand(in, 0, cat("a rank of at most ", max_inferred_rank));
  if (shape[axis].is(0))
    fail_operand(in, 0, cat("one or more elements along axis ", axis));
  push_reduced(in, DType::i64, 1U << axis);
}

void infer_cumsum(Inference& in) {
  require_number(in, 0);
  in.axis("axis", in.operands[0].shape.rank());
  in.results.push_back(in.operands[0]);
}

}  // namespace tandem
