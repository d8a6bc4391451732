// Type inference of ops without operands, and of `return`, which has no results.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/ops/checks.h>

namespace tandem {

using namespace inference;

namespace {

void require_number_dtype(const Inference& in, DType dtype) {
  if (is_boolean(dtype))
    in.fail("'dtype' is bool; expected a float or integer dtype");
}

/// Fails when start + step * (length - 1) is known and does not fit `dtype`.
void require_last_representable(const Inference& in, std::int64_t start, std::int64_t step, std::int64_t length,
                                DType dtype) {
  std::int64_t last = 0;
  if (__builtin_mul_overflow(step, length - 1, &last) || __builtin_add_overflow(last, start, &last))
    in.fail(cat("the last of ", length, " elements from ", start, " in steps of ", step, " is no 64-bit integer"));
  require_representable(in, "start + step * (length - 1)", last, dtype);
}

}  // namespace

void infer_return(Inference&) {}

void infer_constant(Inference& in) {
  const TensorLiteral& value = in.attr("value").tensor();
  std::size_t bytes = byte_size(value.type.dtype);
  for (Dim dim : value.type.shape.dims()) {
    if (!dim.is_constant() || dim.constant() < 0)
      in.fail(cat("'value' is of type ", value.type, "; expected a shape of constants, none negative"));
    if (__builtin_mul_overflow(bytes, static_cast<std::size_t>(dim.constant()), &bytes))
      in.fail(cat("'value' is of type ", value.type, ", which is too large"));
  }
  if (value.data.size() != bytes)
    in.fail(cat("'value' is of type ", value.type, ", which takes ", bytes, " bytes, but has ", value.data.size()));
  in.results.push_back(value.type);
}

void infer_full(Inference& in) {
  const Shape shape = in.attr("shape").dims();
  const DType dtype = in.attr("dtype").dtype();
  if (shape.rank() > max_inferred_rank)
    in.fail(cat("'shape' has rank ", shape.rank(), "; the most is ", max_inferred_rank));
  require_sizes(in, "shape", shape.dims());
  require_representable(in, "value", in.attr("value").real(), dtype);
  in.result(dtype, shape);
}

void infer_iota(Inference& in) {
  const Dim length = in.attr("length").dim();
  const Dim start = in.attr("start").dim();
  const DType dtype = in.attr("dtype").dtype();
  require_number_dtype(in, dtype);
  require_size(in, "length", length);
  if (start.is_constant() && !length.is(0)) {
    require_representable(in, "start", start.constant(), dtype);
    if (length.is_constant())
      require_last_representable(in, start.constant(), in.attr("step").integer(), length.constant(), dtype);
  }
  in.result(dtype, {&length, 1});
}

void infer_dim_value(Inference& in) {
  const Dim value = in.attr("value").dim();
  const DType dtype = in.attr("dtype").dtype();
  require_number_dtype(in, dtype);
  if (value.is_constant())
    require_representable(in, "value", value.constant(), dtype);
  in.result(dtype, Shape());
}

}  // namespace tandem
