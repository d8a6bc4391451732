// Type inference of elementwise ops: results have the broadcast of the operands' shapes.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/ops/checks.h>

namespace tandem {

using namespace inference;

namespace {

void require_integer_or_boolean(const Inference& in, std::size_t operand) {
  const DType dtype = in.operands[operand].dtype;
  if (!is_integer(dtype) && !is_boolean(dtype))
    fail_operand(in, operand, "an integer dtype or bool");
}

/// The result of two operands of one dtype: that dtype, broadcast.
void push_binary(Inference& in) {
  require_same_dtype(in, 0, 1);
  in.result(in.operands[0].dtype, broadcast_operands(in));
}

}  // namespace

void infer_unary_arithmetic(Inference& in) {
  require_number(in, 0);
  in.results.push_back(in.operands[0]);
}

void infer_unary_float(Inference& in) {
  require_float(in, 0);
  in.results.push_back(in.operands[0]);
}

void infer_unary_bitwise(Inference& in) {
  require_integer_or_boolean(in, 0);
  in.results.push_back(in.operands[0]);
}

void infer_unary_test(Inference& in) {
  in.result(DType::boolean, in.operands[0].shape);
}

void infer_cast(Inference& in) {
  in.result(in.attr("dtype").dtype(), in.operands[0].shape);
}

void infer_identity(Inference& in) {
  in.results.push_back(in.operands[0]);
}

// Arithmetic that bools have, too: or, and, larger, smaller.
void infer_binary_arithmetic(Inference& in) {
  push_binary(in);
}

void infer_binary_number(Inference& in) {
  require_number(in, 0);
  require_number(in, 1);
  push_binary(in);
}

void infer_binary_float(Inference& in) {
  require_float(in, 0);
  require_float(in, 1);
  push_binary(in);
}

void infer_binary_bitwise(Inference& in) {
  require_integer_or_boolean(in, 0);
  require_integer_or_boolean(in, 1);
  push_binary(in);
}

void infer_compare(Inference& in) {
  require_same_dtype(in, 0, 1);
  in.result(DType::boolean, broadcast_operands(in));
}

void infer_where(Inference& in) {
  if (!is_boolean(in.operands[0].dtype))
    fail_operand(in, 0, "bool");
  require_same_dtype(in, 1, 2);
  in.result(in.operands[1].dtype, broadcast_operands(in));
}

}  // namespace tandem
