// Type inference of ops that move elements without changing them.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/ops/checks.h>

namespace tandem {

using namespace inference;

namespace {

/// Product of the dims that are not marked. A 0 makes it 0, however large the others are.
Dim product_of_unmarked(std::span<const Dim> dims, std::uint32_t marked) {
  Dim product = 1;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if ((marked >> i & 1U) != 0)
      continue;
    if (dims[i].is(0))
      return 0;
  }
  for (std::size_t i = 0; i < dims.size(); ++i)
    if ((marked >> i & 1U) == 0)
      product = product * dims[i];
  return product;
}

/// True when both have provably as many elements. Dims that stand on both sides cancel: that loses nothing (polynomials
/// have no zero divisors, except for the constant 0) and keeps the products small.
bool same_element_count(std::span<const Dim> a, std::span<const Dim> b) {
  std::uint32_t marked_a = 0;
  std::uint32_t marked_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      if (a[i] != b[j] || (marked_b >> j & 1U) != 0)
        continue;
      if (a[i].is(0))
        return true;
      marked_a |= 1U << i;
      marked_b |= 1U << j;
      break;
    }
  }
  return product_of_unmarked(a, marked_a) == product_of_unmarked(b, marked_b);
}

/// The list attribute `shape` as a shape: sizes, and not too many.
Shape shape_attribute(const Inference& in) {
  const Shape shape = in.attr("shape").dims();
  if (shape.rank() > max_inferred_rank)
    in.fail(cat("'shape' has rank ", shape.rank(), "; the most is ", max_inferred_rank));
  require_sizes(in, "shape", shape.dims());
  return shape;
}

}  // namespace

void infer_split(Inference& in) {
  const TensorType& x = in.operands[0];
  const std::size_t axis = in.axis("axis", x.shape.rank());
  const std::span<const Dim> sizes = in.attr("sizes").dims().dims();
  if (sizes.empty())
    in.fail("'sizes' is empty; expected the size of each part");
  require_sizes(in, "sizes", sizes);
  Dim sum = 0;
  for (Dim size : sizes)
    sum = sum + size;
  if (sum != x.shape[axis]) {
    in.fail(cat("'sizes' ", in.attr("sizes").dims(), " add up to ", sum, "; expected ", x.shape[axis], ", dim ", axis,
                " of 'x', which is ", x));
  }
  DimBuffer dims(in, x.shape.dims());
  for (Dim size : sizes) {
    dims[axis] = size;
    push_result(in, x.dtype, dims, x.shape);
  }
}

void infer_slice(Inference& in) {
  const TensorType& x = in.operands[0];
  const std::size_t axis = in.axis("axis", x.shape.rank());
  const Dim start = in.attr("start").dim();
  const Dim end = in.attr("end").dim();
  const Dim length = x.shape[axis];
  const std::int64_t step = in.attr("step").integer();
  if (step < 1 || step > Dim::max_constant)
    in.fail(cat("'step' is ", step, "; expected 1 or more"));
  if (provably_negative(start))
    in.fail(cat("'start' is ", start, "; expected 0 or more"));
  if (provably_negative(end - start))
    in.fail(cat("'start' is ", start, ", beyond 'end', which is ", end));
  if (provably_negative(length - end))
    in.fail(cat("'end' is ", end, ", beyond ", length, ", dim ", axis, " of 'x', which is ", x));
  DimBuffer dims(in, x.shape.dims());
  dims[axis] = step == 1 ? end - start : ceildiv(end - start, step);
  push_result(in, x.dtype, dims, x.shape);
}

void infer_concat(Inference& in) {
  if (in.operands.empty())
    in.fail("there are no operands; expected one or more");
  const TensorType& first = in.operands[0];
  const std::size_t rank = first.shape.rank();
  const std::size_t axis = in.axis("axis", rank);
  Dim length = first.shape[axis];
  for (std::size_t i = 1; i < in.operands.size(); ++i) {
    require_same_dtype(in, 0, i);
    require_rank(in, i, rank);
    for (std::size_t d = 0; d < rank; ++d)
      if (d != axis)
        require_dim(in, i, d, first.shape[d], cat("as in '", in.op.operand_name(0), "'"));
    length = length + in.operands[i].shape[axis];
  }
  DimBuffer dims(in, first.shape.dims());
  dims[axis] = length;
  push_result(in, first.dtype, dims, first.shape);
}

void infer_reshape(Inference& in) {
  const TensorType& x = in.operands[0];
  const Shape shape = shape_attribute(in);
  if (x.shape.rank() > max_inferred_rank)
    fail_operand(in, 0, cat("a rank of at most ", max_inferred_rank));
  if (shape != x.shape && !same_element_count(x.shape.dims(), shape.dims())) {
    in.fail(cat(describe(in, 0), " with ", product_of_unmarked(x.shape.dims(), 0), " elements, and 'shape' is ", shape,
                " with ", product_of_unmarked(shape.dims(), 0), "; expected provably as many"));
  }
  in.result(x.dtype, shape);
}

void infer_transpose(Inference& in) {
  const TensorType& x = in.operands[0];
  const std::size_t rank = x.shape.rank();
  const Shape perm = in.attr("perm").dims();
  if (rank > max_inferred_rank)
    fail_operand(in, 0, cat("a rank of at most ", max_inferred_rank));
  if (perm.rank() != rank)
    in.fail(cat("'perm' is ", perm, " and ", describe(in, 0), "; expected ", rank, " axes"));
  DimBuffer dims(in);
  std::uint32_t seen = 0;
  for (Dim axis : perm.dims()) {
    if (!axis.is_constant() || axis.constant() < 0 || axis.constant() >= static_cast<std::int64_t>(rank) ||
        (seen >> axis.constant() & 1U) != 0) {
      in.fail(cat("'perm' is ", perm, "; expected each of the axes 0 to ", rank - 1, " once"));
    }
    dims.push(x.shape[static_cast<std::size_t>(axis.constant())]);
    seen |= 1U << axis.constant();
  }
  push_result(in, x.dtype, dims, x.shape);
}

void infer_expand(Inference& in) {
  const TensorType& x = in.operands[0];
  const Shape shape = shape_attribute(in);
  if (!broadcasts_to(x.shape.dims(), shape.dims())) {
    in.fail(cat(describe(in, 0), ", which does not broadcast to 'shape', ", shape,
                ": aligned at their ends, each dim of 'x' must be 1 or provably equal"));
  }
  in.result(x.dtype, shape);
}

void infer_pad(Inference& in) {
  const TensorType& x = in.operands[0];
  const Shape low = in.attr("low").dims();
  const Shape high = in.attr("high").dims();
  const auto require_one_each = [&](std::string_view name, Shape widths) {
    if (widths.rank() != x.shape.rank())
      in.fail(cat("'", name, "' is ", widths, " and ", describe(in, 0), "; expected one number for each axis"));
    require_sizes(in, name, widths.dims());
  };
  require_one_each("low", low);
  require_one_each("high", high);
  require_representable(in, "value", in.attr("value").real(), x.dtype);
  DimBuffer dims(in);
  for (std::size_t i = 0; i < x.shape.rank(); ++i)
    dims.push(low[i] + x.shape[i] + high[i]);
  push_result(in, x.dtype, dims, x.shape);
}

}  // namespace tandem
