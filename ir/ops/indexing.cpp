// Type inference of ops that read or write where an index tensor says, and of those that yield such indices.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/context.h>
#include <tandem/ir/ops/checks.h>

namespace tandem {

using namespace inference;

namespace {

/// Operand 1 points into operand 0 along `axis`: it has its dims but for that axis. Returns the axis.
std::size_t check_gather_index(const Inference& in) {
  const Shape x = in.operands[0].shape;
  const std::size_t axis = in.axis("axis", x.rank());
  require_integer(in, 1);
  require_rank(in, 1, x.rank());
  for (std::size_t i = 0; i < x.rank(); ++i)
    if (i != axis)
      require_dim(in, 1, i, x[i], "as in 'x'");
  return axis;
}

/// Operand 1 holds coordinates of operand 0 in its last dim. Returns the shape of what they select.
DimBuffer check_coordinates(const Inference& in) {
  const Shape x = in.operands[0].shape;
  const Shape indices = in.operands[1].shape;
  require_integer(in, 1);
  require_rank_at_least(in, 1, 1);
  const Dim k = indices.back();
  if (!k.is_constant() || k.constant() < 1 || k.constant() > static_cast<std::int64_t>(x.rank()))
    fail_operand(in, 1, cat("a constant last dim from 1 to ", x.rank(), ", the rank of 'x'"));
  DimBuffer dims(in, indices.dims().first(indices.rank() - 1));
  dims.append(x.dims().subspan(static_cast<std::size_t>(k.constant())));
  return dims;
}

void check_scatter_mode(const Inference& in) {
  const Symbol mode = in.attr("mode").string();
  if (mode.view() != "set" && mode.view() != "add")
    in.fail(cat("'mode' is ", in.attr("mode"), "; expected \"set\" or \"add\""));
  if (mode.view() == "add")
    require_number(in, 0);
  require_same_dtype(in, 0, 2);
}

/// Adds the result of a sort: values of x's dtype and i64 indices.
void push_sorted(Inference& in, Shape shape) {
  in.result(in.operands[0].dtype, shape);
  in.result(DType::i64, shape);
}

}  // namespace

void infer_embedding(Inference& in) {
  const TensorType& table = in.operands[0];
  require_rank(in, 0, 2);
  require_integer(in, 1);
  DimBuffer dims(in, in.operands[1].shape.dims());
  dims.push(table.shape[1]);
  push_result(in, table.dtype, dims, table.shape);
}

void infer_take(Inference& in) {
  const TensorType& x = in.operands[0];
  const std::size_t axis = in.axis("axis", x.shape.rank());
  require_integer(in, 1);
  DimBuffer dims(in, x.shape.dims().first(axis));
  dims.append(in.operands[1].shape.dims());
  dims.append(x.shape.dims().subspan(axis + 1));
  push_result(in, x.dtype, dims, x.shape);
}

void infer_gather(Inference& in) {
  check_gather_index(in);
  in.result(in.operands[0].dtype, in.operands[1].shape);
}

void infer_gather_nd(Inference& in) {
  const DimBuffer dims = check_coordinates(in);
  push_result(in, in.operands[0].dtype, dims);
}

void infer_scatter(Inference& in) {
  check_gather_index(in);
  require_same_shape(in, 1, 2);
  check_scatter_mode(in);
  in.results.push_back(in.operands[0]);
}

void infer_scatter_nd(Inference& in) {
  const DimBuffer dims = check_coordinates(in);
  require_rank(in, 2, dims.dims().size());
  for (std::size_t i = 0; i < dims.dims().size(); ++i)
    require_dim(in, 2, i, dims.dims()[i], "as gather_nd would give it");
  check_scatter_mode(in);
  in.results.push_back(in.operands[0]);
}

void infer_topk(Inference& in) {
  const TensorType& x = in.operands[0];
  const std::size_t axis = in.axis("axis", x.shape.rank());
  const Dim k = in.attr("k").dim();
  require_size(in, "k", k);
  if (provably_negative(x.shape[axis] - k))
    in.fail(cat("'k' is ", k, ", beyond ", x.shape[axis], ", dim ", axis, " of 'x', which is ", x));
  const Symbol order = in.attr("order").string();
  if (order.view() != "stable" && order.view() != "torch" && order.view() != "torch_unsorted")
    in.fail(cat("'order' is ", in.attr("order"), "; expected \"stable\", \"torch\" or \"torch_unsorted\""));
  DimBuffer dims(in, x.shape.dims());
  dims[axis] = k;
  push_sorted(in, in.context.shape(dims.dims()));
}

void infer_sort(Inference& in) {
  in.axis("axis", in.operands[0].shape.rank());
  push_sorted(in, in.operands[0].shape);
}

void infer_one_hot(Inference& in) {
  require_integer(in, 0);
  const Dim classes = in.attr("classes").dim();
  require_size(in, "classes", classes);
  DimBuffer dims(in, in.operands[0].shape.dims());
  dims.push(classes);
  push_result(in, in.attr("dtype").dtype(), dims);
}

}  // namespace tandem
