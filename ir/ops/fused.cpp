// Type inference of ops that fusions make, and what each means in core ops.
#include <tandem/ir/ops/infer.h>

#include <tandem/ir/builder.h>
#include <tandem/ir/ops/checks.h>

namespace tandem {

using namespace inference;

// q[.., Q], q_weight[Q], kv[.., C], kv_weight[C] -> like q, like kv. Narrower than two rms_norms: one dtype for both
// tensors and weights in it or in f32, because no kernel for other mixes exists to fuse for.
void infer_fused_mla_dual_rms_norm(Inference& in) {
  constexpr std::size_t q = 0;
  constexpr std::size_t kv = 2;
  const TensorType& q_type = in.operands[q];
  const TensorType& kv_type = in.operands[kv];
  if (!is_float(q_type.dtype) || is_float8(q_type.dtype))
    fail_operand(in, q, "f64, f32, f16 or bf16");
  require_same_dtype(in, q, kv);
  require_rank_at_least(in, q, 1);
  require_rank(in, kv, q_type.shape.rank());
  for (std::size_t i = 0; i + 1 < q_type.shape.rank(); ++i)
    require_dim(in, kv, i, q_type.shape[i], "as in 'q'");
  const auto check_weight = [&](std::size_t tensor, std::string_view why) {
    const std::size_t weight = tensor + 1;
    const DType dtype = in.operands[weight].dtype;
    if (dtype != q_type.dtype && dtype != DType::f32)
      fail_operand(in, weight, cat(q_type.dtype, ", as 'q' has it, or f32"));
    require_rank(in, weight, 1);
    require_dim(in, weight, 0, in.operands[tensor].shape.back(), why);
  };
  check_weight(q, "the last dim of 'q'");
  check_weight(kv, "the last dim of 'kv'");
  require_epsilon(in, "eps_q");
  require_epsilon(in, "eps_kv");
  in.results.push_back(q_type);
  in.results.push_back(kv_type);
}

std::vector<Value> decompose_fused_mla_dual_rms_norm(GraphBuilder& builder, std::span<const Value> operands,
                                                     std::span<const Attribute> attrs) {
  const Attribute round_before_weight = attrs[2];
  const auto rms_norm = [&](std::size_t tensor, Attribute eps) {
    const std::array<Attribute, 2> norm_attrs{eps, round_before_weight};
    const Node norm = builder.node_with(op::rms_norm, operands.subspan(tensor, 2), norm_attrs);
    return builder.graph().result(norm, 0);
  };
  const Value q_normed = rms_norm(0, attrs[0]);
  const Value kv_normed = rms_norm(2, attrs[1]);
  return {q_normed, kv_normed};
}

}  // namespace tandem
