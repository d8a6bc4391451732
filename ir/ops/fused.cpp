// Type inference of ops that fusions make, and what each means in core ops: norms and activations. Those that quantise
// stand in fused_quantization.cpp.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/builder.h>
#include <tandem/ir/ops/fused_checks.h>

namespace tandem {

using namespace inference;

namespace inference {

void require_activation(const Inference& in, std::size_t operand) {
  const DType dtype = in.operands[operand].dtype;
  if (!is_float(dtype) || is_float8(dtype))
    fail_operand(in, operand, "f64, f32, f16 or bf16");
}

void require_norm_weight(const Inference& in, std::size_t weight, std::size_t tensor, std::string_view why) {
  const DType wanted = in.operands[tensor].dtype;
  const DType dtype = in.operands[weight].dtype;
  if (dtype != wanted && dtype != DType::f32)
    fail_operand(in, weight, cat(wanted, ", as '", in.op.operand_name(tensor), "' has it, or f32"));
  require_rank(in, weight, 1);
  require_dim(in, weight, 0, in.operands[tensor].shape.back(), why);
}

Dim half_of_last(const Inference& in, std::size_t operand) {
  const Dim length = in.operands[operand].shape.back();
  if (mod(length, 2) != Dim(0))
    fail_operand(in, operand, cat("an even last dim, but ", length, " is not provably even"));
  return floordiv(length, 2);
}

}  // namespace inference

namespace {

Value add_node(GraphBuilder& builder, OpId op, std::initializer_list<Value> operands,
               std::initializer_list<Attribute> attrs) {
  const Node node = builder.node_with(op, {operands.begin(), operands.size()}, {attrs.begin(), attrs.size()});
  return builder.graph().result(node, 0);
}

}  // namespace

// --- fused_mla_dual_rms_norm: q[.., Q], q_weight[Q], kv[.., C], kv_weight[C] -> like q, like kv
// -----------------------

void infer_fused_mla_dual_rms_norm(Inference& in) {
  constexpr std::size_t q = 0;
  constexpr std::size_t kv = 2;
  const TensorType& q_type = in.operands[q];
  const TensorType& kv_type = in.operands[kv];
  require_activation(in, q);
  require_same_dtype(in, q, kv);
  require_rank_at_least(in, q, 1);
  require_rank(in, kv, q_type.shape.rank());
  for (std::size_t i = 0; i + 1 < q_type.shape.rank(); ++i)
    require_dim(in, kv, i, q_type.shape[i], "as in 'q'");
  require_norm_weight(in, q + 1, q, "the last dim of 'q'");
  require_norm_weight(in, kv + 1, kv, "the last dim of 'kv'");
  require_epsilon(in, "eps_q");
  require_epsilon(in, "eps_kv");
  in.results.push_back(q_type);
  in.results.push_back(kv_type);
}

std::vector<Value> decompose_fused_mla_dual_rms_norm(GraphBuilder& builder, std::span<const Value> operands,
                                                     std::span<const Attribute> attrs) {
  const Value q_normed = add_node(builder, op::rms_norm, {operands[0], operands[1]}, {attrs[0], attrs[2]});
  const Value kv_normed = add_node(builder, op::rms_norm, {operands[2], operands[3]}, {attrs[1], attrs[2]});
  return {q_normed, kv_normed};
}

// --- fused_add_rms_norm: x[.., H], residual like x, weight[H] -> like x, like x
// ---------------------------------------

void infer_fused_add_rms_norm(Inference& in) {
  require_activation(in, 0);
  require_same_dtype(in, 0, 1);
  require_rank_at_least(in, 0, 1);
  require_same_shape(in, 0, 1);
  require_norm_weight(in, 2, 0, "the last dim of 'x'");
  require_epsilon(in, "eps");
  in.results.push_back(in.operands[0]);
  in.results.push_back(in.operands[0]);
}

std::vector<Value> decompose_fused_add_rms_norm(GraphBuilder& builder, std::span<const Value> operands,
                                                std::span<const Attribute> attrs) {
  const Value sum = add_node(builder, op::add, {operands[0], operands[1]}, {});
  const Value normed = add_node(builder, op::rms_norm, {sum, operands[2]}, {attrs[0], attrs[1]});
  return {normed, sum};
}

// --- fused_silu_and_mul: x[.., 2 * H] -> [.., H]
// ----------------------------------------------------------------------

void infer_fused_silu_and_mul(Inference& in) {
  require_activation(in, 0);
  require_rank_at_least(in, 0, 1);
  DimBuffer dims(in, in.operands[0].shape.dims());
  dims[in.operands[0].shape.rank() - 1] = half_of_last(in, 0);
  push_result(in, in.operands[0].dtype, dims);
}

std::vector<Value> decompose_fused_silu_and_mul(GraphBuilder& builder, std::span<const Value> operands,
                                                std::span<const Attribute>) {
  const Dim half = floordiv(builder.graph().type(operands[0]).shape.back(), 2);
  const auto [gate, up] = builder.op<2>("split", {operands[0]}, {{"axis", -1}, {"sizes", {half, half}}});
  const Value activated = add_node(builder, op::silu, {gate}, {});
  return {add_node(builder, op::mul, {activated, up}, {})};
}

// --- fused_qk_norm_rope: q[.., D], k[.., D], q_weight[D], k_weight[D], cos, sin[.., D / 2] -> like q, like k
// ----------

void infer_fused_qk_norm_rope(Inference& in) {
  const TensorType& q = in.operands[0];
  const TensorType& k = in.operands[1];
  require_activation(in, 0);
  require_same_dtype(in, 0, 1);
  require_rank_at_least(in, 0, 1);
  require_rank(in, 1, q.shape.rank());
  require_dim(in, 1, q.shape.rank() - 1, q.shape.back(), "the last dim of 'q'");
  require_norm_weight(in, 2, 0, "the last dim of 'q'");
  require_norm_weight(in, 3, 1, "the last dim of 'k'");
  require_float(in, 4);
  require_same_dtype(in, 4, 5);
  const Dim half = half_of_last(in, 0);
  for (const std::size_t angles : {std::size_t{4}, std::size_t{5}}) {
    const Shape shape = in.operands[angles].shape;
    require_rank_at_least(in, angles, 1);
    require_dim(in, angles, shape.rank() - 1, half, "half of the last dim of 'q'");
    for (const TensorType* x : {&q, &k}) {
      if (!broadcasts_to(shape.dims().first(shape.rank() - 1), x->shape.dims().first(x->shape.rank() - 1)))
        in.fail(cat(describe(in, angles), ", whose leading dims do not broadcast to those of '", x == &q ? "q" : "k",
                    "', which is ", *x));
    }
  }
  require_epsilon(in, "eps_q");
  require_epsilon(in, "eps_k");
  in.results.push_back(q);
  in.results.push_back(k);
}

std::vector<Value> decompose_fused_qk_norm_rope(GraphBuilder& builder, std::span<const Value> operands,
                                                std::span<const Attribute> attrs) {
  const auto rotate = [&](std::size_t tensor) {
    const Value normed =
        add_node(builder, op::rms_norm, {operands[tensor], operands[tensor + 2]}, {attrs[tensor], attrs[3]});
    return add_node(builder, op::rope, {normed, operands[4], operands[5]}, {attrs[2]});
  };
  const Value q = rotate(0);
  const Value k = rotate(1);
  return {q, k};
}

}  // namespace tandem
