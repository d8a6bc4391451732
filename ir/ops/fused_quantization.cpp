// Type inference of ops that fusions make and that quantise to an 8-bit float, and what each means in core ops.
//
// All of them divide in f32: y = cast(clamp(f32(v) / scale)), v being what the unfused op computes, rounded to x's
// dtype as it would be in memory. Limits are those of quantization.h; NaN stays NaN.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/builder.h>
#include <tandem/ir/ops/fused_checks.h>
#include <tandem/ir/ops/quantization.h>

namespace tandem {

using namespace inference;

namespace {

/// What is divided in f32 must not be wider than that.
void require_quantizable(const Inference& in, std::size_t operand) {
  const DType dtype = in.operands[operand].dtype;
  if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
    fail_operand(in, operand, "f32, f16 or bf16");
  require_rank_at_least(in, operand, 1);
}

DType require_float8_attr(const Inference& in) {
  const DType dtype = in.attr("dtype").dtype();
  if (!is_float8(dtype))
    in.fail(cat("'dtype' is ", dtype, "; expected f8e4m3, f8e4m3fnuz or f8e5m2"));
  return dtype;
}

void require_scale(const Inference& in, std::size_t operand) {
  const TensorType& scale = in.operands[operand];
  if (scale.dtype != DType::f32 || scale.shape.rank() > 1 || (scale.shape.rank() == 1 && !scale.shape[0].is(1)))
    fail_operand(in, operand, "f32[] or f32[1]");
}

void require_norm(const Inference& in) {
  require_quantizable(in, 0);
  require_norm_weight(in, 1, 0, "the last dim of 'x'");
  require_epsilon(in, "eps");
}

Value as_f32(GraphBuilder& b, Value x) {
  return b.graph().type(x).dtype == DType::f32 ? x : b.op("cast", {x}, {{"dtype", DType::f32}});
}

Value quantize(GraphBuilder& b, Value x, Value scale, DType dtype) {
  const double limit = quantization_limit(dtype);
  const Value scaled = b.op("div", {x, scale});
  const Value low = b.op("maximum", {scaled, b.scalar(DType::f32, -limit)});
  const Value clamped = b.op("minimum", {low, b.scalar(DType::f32, limit)});
  return b.op("cast", {clamped}, {{"dtype", dtype}});
}

Value normalize(GraphBuilder& b, std::span<const Value> operands, Attribute eps, Attribute round_before_weight) {
  const std::array<Attribute, 2> attrs{eps, round_before_weight};
  return b.graph().result(b.node_with(op::rms_norm, operands.first(2), attrs), 0);
}

}  // namespace

// --- fused_rms_norm_static_quant: x[.., H], weight[H], scale f32 -> float8 like x
// -------------------------------------

void infer_fused_rms_norm_static_quant(Inference& in) {
  require_norm(in);
  require_scale(in, 2);
  in.result(require_float8_attr(in), in.operands[0].shape);
}

std::vector<Value> decompose_fused_rms_norm_static_quant(GraphBuilder& b, std::span<const Value> operands,
                                                         std::span<const Attribute> attrs) {
  const Value normed = normalize(b, operands, attrs[0], attrs[2]);
  return {quantize(b, as_f32(b, normed), operands[2], attrs[1].dtype())};
}

// --- fused_rms_norm_dynamic_quant: x[.., H], weight[H] -> float8 like x, f32[.., 1] or f32[.., H / group]
// -------------

void infer_fused_rms_norm_dynamic_quant(Inference& in) {
  require_norm(in);
  const DType dtype = require_float8_attr(in);
  const std::int64_t group = in.attr("group").integer();
  in.require(group >= 0, "'group' is negative; expected a number of elements, or 0 for whole rows");
  const Shape shape = in.operands[0].shape;
  const Dim length = shape.back();
  if (group > 0 && mod(length, Dim(group)) != Dim(0))
    fail_operand(in, 0, cat("a last dim of whole groups, but ", length, " is not provably divisible by ", group));
  DimBuffer dims(in, shape.dims());
  dims[shape.rank() - 1] = group == 0 ? Dim(1) : floordiv(length, Dim(group));
  in.result(dtype, shape);
  push_result(in, DType::f32, dims);
}

std::vector<Value> decompose_fused_rms_norm_dynamic_quant(GraphBuilder& b, std::span<const Value> operands,
                                                          std::span<const Attribute> attrs) {
  const DType dtype = attrs[1].dtype();
  const std::int64_t group = attrs[2].integer();
  const Shape shape = b.graph().type(operands[0]).shape;
  std::vector<Dim> scales(shape.begin(), shape.end());
  scales.back() = group == 0 ? Dim(1) : floordiv(scales.back(), Dim(group));

  Value x = as_f32(b, normalize(b, operands, attrs[0], attrs[3]));
  if (group > 0) {
    std::vector<Dim> groups = scales;
    groups.push_back(Dim(group));
    x = b.op("reshape", {x}, {{"shape", groups}});
  }
  const Value largest = b.op("reduce_max", {b.op("abs", {x})}, {{"axes", {-1}}, {"keepdims", true}});
  const Value ratio = b.op("div", {largest, b.scalar(DType::f32, quantization_limit(dtype))});
  Value scale = b.op("maximum", {ratio, b.scalar(DType::f32, quantization_min_scale(dtype))});
  Value y = quantize(b, x, scale, dtype);
  if (group > 0) {
    y = b.op("reshape", {y}, {{"shape", std::vector<Dim>(shape.begin(), shape.end())}});
    scale = b.op("reshape", {scale}, {{"shape", scales}});
  }
  return {y, scale};
}

// --- fused_silu_and_mul_static_quant: x[.., 2 * H], scale f32 -> float8[.., H]
// ----------------------------------------

void infer_fused_silu_and_mul_static_quant(Inference& in) {
  require_quantizable(in, 0);
  require_scale(in, 1);
  const DType dtype = require_float8_attr(in);
  DimBuffer dims(in, in.operands[0].shape.dims());
  dims[in.operands[0].shape.rank() - 1] = half_of_last(in, 0);
  push_result(in, dtype, dims);
}

std::vector<Value> decompose_fused_silu_and_mul_static_quant(GraphBuilder& b, std::span<const Value> operands,
                                                             std::span<const Attribute> attrs) {
  const Value activated = decompose_fused_silu_and_mul(b, operands.first(1), {}).front();
  return {quantize(b, as_f32(b, activated), operands[1], attrs[0].dtype())};
}

}  // namespace tandem
