// Type inference of matrix products. Operands are floats of one dtype, and so is the result.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/ops/checks.h>

namespace tandem {

using namespace inference;

namespace {

void require_one_float_dtype(const Inference& in, std::size_t operands) {
  require_float(in, 0);
  for (std::size_t i = 1; i < operands; ++i)
    require_same_dtype(in, 0, i);
}

/// The optional operand 2: bias[N].
void check_bias(const Inference& in, Dim n) {
  if (in.operands.size() < 3)
    return;
  require_rank(in, 2, 1);
  require_dim(in, 2, 0, n, "dim 0 of 'weight'");
}

std::int64_t integer_at_least(const Inference& in, std::string_view name, std::int64_t least) {
  const std::int64_t value = in.attr(name).integer();
  if (value < least || value > Dim::max_constant)
    in.fail(cat("'", name, "' is ", value, "; expected ", least, " or more"));
  return value;
}

}  // namespace

void infer_linear(Inference& in) {
  const TensorType& x = in.operands[0];
  const TensorType& weight = in.operands[1];
  require_one_float_dtype(in, in.operands.size());
  require_rank_at_least(in, 0, 1);
  require_rank(in, 1, 2);
  require_dim(in, 1, 1, x.shape.back(), "the last dim of 'x'");
  check_bias(in, weight.shape[0]);
  DimBuffer dims(in, x.shape.dims());
  dims[x.shape.rank() - 1] = weight.shape[0];
  push_result(in, x.dtype, dims, x.shape);
}

void infer_matmul(Inference& in) {
  const TensorType& a = in.operands[0];
  const TensorType& b = in.operands[1];
  require_one_float_dtype(in, 2);
  require_rank_at_least(in, 0, 2);
  require_rank_at_least(in, 1, 2);
  require_dim(in, 1, b.shape.rank() - 2, a.shape.back(), "the last dim of 'a'");
  DimBuffer dims(in);
  std::array<Dim, 2> mismatch;
  if (!broadcast(a.shape.dims().first(a.shape.rank() - 2), b.shape.dims().first(b.shape.rank() - 2), dims, mismatch)) {
    in.fail(cat(describe(in, 0), " and ", describe(in, 1), ", whose leading dims do not broadcast: ", mismatch[0],
                " and ", mismatch[1], " are not provably equal, and neither is 1"));
  }
  dims.push(a.shape[a.shape.rank() - 2]);
  dims.push(b.shape.back());
  push_result(in, a.dtype, dims);
}

void infer_batch_matmul(Inference& in) {
  const TensorType& a = in.operands[0];
  const TensorType& b = in.operands[1];
  require_one_float_dtype(in, 2);
  require_rank(in, 0, 3);
  require_rank(in, 1, 3);
  require_dim(in, 1, 0, a.shape[0], "dim 0 of 'a'");
  require_dim(in, 1, 1, a.shape[2], "the last dim of 'a'");
  const std::array<Dim, 3> dims{a.shape[0], a.shape[1], b.shape[2]};
  in.result(a.dtype, dims);
}

void infer_expert_linear(Inference& in) {
  const TensorType& x = in.operands[0];
  const TensorType& weight = in.operands[1];
  require_one_float_dtype(in, 2);
  require_rank(in, 0, 2);
  require_rank(in, 1, 3);
  require_dim(in, 1, 2, x.shape[1], "the last dim of 'x'");
  if (in.operands[2].dtype != DType::i64)
    fail_operand(in, 2, "i64");
  require_rank(in, 2, 1);
  require_dim(in, 2, 0, x.shape[0], "dim 0 of 'x'");
  const std::array<Dim, 2> dims{x.shape[0], weight.shape[1]};
  in.result(x.dtype, dims);
}

void infer_conv1d(Inference& in) {
  const TensorType& x = in.operands[0];
  const TensorType& weight = in.operands[1];
  require_one_float_dtype(in, in.operands.size());
  require_rank(in, 0, 3);
  require_rank(in, 1, 3);
  const Dim stride = integer_at_least(in, "stride", 1);
  const Dim padding = integer_at_least(in, "padding", 0);
  const Dim dilation = integer_at_least(in, "dilation", 1);
  const Dim groups = integer_at_least(in, "groups", 1);
  const Dim kernel = weight.shape[2];
  if (weight.shape[1] * groups != x.shape[1]) {
    in.fail(cat(describe(in, 1), " with 'groups' ", groups, ", which takes ", weight.shape[1] * groups,
                " channels; expected ", x.shape[1], ", dim 1 of 'x'"));
  }
  if (!mod(weight.shape[0], groups).is(0))
    in.fail(cat(describe(in, 1), ", and ", weight.shape[0], " is not provably a multiple of 'groups', ", groups));
  if (kernel.is(0))
    fail_operand(in, 1, "a kernel of 1 or more elements");
  check_bias(in, weight.shape[0]);
  // What is left of the padded input once the (dilated) kernel lies at its start.
  const Dim rest = x.shape[2] + 2 * padding - dilation * (kernel - 1) - 1;
  if (provably_negative(rest)) {
    in.fail(cat(describe(in, 0), ", whose padded length ", x.shape[2] + 2 * padding, " is below that of the kernel, ",
                dilation * (kernel - 1) + 1));
  }
  DimBuffer dims(in);
  dims.push(x.shape[0]);
  dims.push(weight.shape[0]);
  dims.push(floordiv(rest, stride) + 1);
  push_result(in, x.dtype, dims, x.shape);
}

}  // namespace tandem
