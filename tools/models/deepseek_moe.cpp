// The mixture of experts (DeepSeek-V3, arXiv 2412.19437, section 2.1.2): a float32 router limited to the best groups,
// the chosen experts' gated MLPs, and the experts that every token shares.
#include <algorithm>

#include <tandem/tools/models/deepseek_internal.h>

namespace tandem::models {
namespace {

struct Routing {
  Value experts;  ///< i64[T, num_experts_per_tok]
  Value weights;  ///< f32[T, num_experts_per_tok]
};

/// Scores with those of all but the best groups set to 0, as transformers does it (DeepSeek's own code sets them to
/// minus infinity; the two differ only where a correction bias makes a kept score negative).
Value keep_best_groups(const ModelBuilder& m, Value scores) {
  const DeepseekConfig& c = m.config;
  GraphBuilder& b = m.b;
  const std::int64_t group_size = c.n_routed_experts / c.n_group;
  const Value grouped = b.op("reshape", {scores}, {{"shape", {m.tokens, c.n_group, group_size}}});
  Value group_scores;
  if (c.score_correction_bias) {
    const auto [best, where] = b.op<2>("topk", {grouped}, {{"k", std::min<std::int64_t>(2, group_size)}, {"axis", -1}});
    group_scores = b.op("sum", {best}, {{"axes", {-1}}});
  } else {
    group_scores = b.op("reduce_max", {grouped}, {{"axes", {-1}}});
  }
  const auto [best_scores, best_groups] = b.op<2>("topk", {group_scores}, {{"k", c.topk_group}, {"axis", -1}});
  const Value chosen = b.op("one_hot", {best_groups}, {{"classes", c.n_group}, {"dtype", DType::boolean}});
  const Value group_mask = b.op("any", {chosen}, {{"axes", {1}}});  // [T, n_group]
  const Value mask_column = b.op("reshape", {group_mask}, {{"shape", {m.tokens, c.n_group, 1}}});
  const Value mask_wide = b.op("expand", {mask_column}, {{"shape", {m.tokens, c.n_group, group_size}}});
  const Value mask = b.op("reshape", {mask_wide}, {{"shape", {m.tokens, c.n_routed_experts}}});
  return b.op("where", {mask, scores, b.scalar(DType::f32, 0.0)});
}

Routing route(const ModelBuilder& m, Value x, const std::string& module) {
  const DeepseekConfig& c = m.config;
  GraphBuilder& b = m.b;
  b.set_scope(module);
  const auto as_float = [&](Value v) { return c.dtype == DType::f32 ? v : b.op("cast", {v}, {{"dtype", DType::f32}}); };
  const Value gate = m.weight(module + ".weight", {c.n_routed_experts, c.hidden_size});
  const Value logits = b.op("linear", {as_float(x), as_float(gate)});
  const Value scores = c.sigmoid_scores ? b.op("sigmoid", {logits}) : b.op("softmax", {logits}, {{"axis", -1}});

  // The bias balances the load: it decides who is chosen, never how much the chosen count.
  Value for_choice = scores;
  if (c.score_correction_bias) {
    const std::string key = module + ".e_score_correction_bias";
    for_choice = b.op("add", {scores, b.weight(key, DType::f32, {c.n_routed_experts}, key)});
  }
  if (c.n_group > 1)
    for_choice = keep_best_groups(m, for_choice);
  const auto [best, experts] = b.op<2>("topk", {for_choice}, {{"k", c.num_experts_per_tok}, {"axis", -1}});
  Value weights = b.op("gather", {scores, experts}, {{"axis", 1}});
  if (c.norm_topk_prob && c.num_experts_per_tok > 1) {
    const Value total = b.op("sum", {weights}, {{"axes", {-1}}, {"keepdims", true}});
    // 1e-20: as there, against a sum of zero.
    weights = b.op("div", {weights, b.op("add", {total, b.scalar(DType::f32, 1e-20)})});
  }
  if (c.routed_scaling_factor != 1.0)
    weights = b.op("mul", {weights, b.scalar(DType::f32, c.routed_scaling_factor)});
  return {experts, weights};
}

/// Every token through each of its experts: rows T * num_experts_per_tok, [rows, hidden_size] in and out.
Value run_experts(const ModelBuilder& m, Value x, Value experts, const std::string& module) {
  const DeepseekConfig& c = m.config;
  GraphBuilder& b = m.b;
  b.set_scope(module);
  const Dim rows = m.tokens * Dim(c.num_experts_per_tok);
  const Value column = b.op("reshape", {x}, {{"shape", {m.tokens, 1, c.hidden_size}}});
  const Value wide = b.op("expand", {column}, {{"shape", {m.tokens, c.num_experts_per_tok, c.hidden_size}}});
  const Value flat = b.op("reshape", {wide}, {{"shape", {rows, c.hidden_size}}});
  const Value expert_of_row = b.op("reshape", {experts}, {{"shape", {rows}}});

  const std::int64_t intermediate = c.moe_intermediate_size;
  const Value gate_up_weight =
      m.weight(module + ".gate_up_proj", {c.n_routed_experts, 2 * intermediate, c.hidden_size});
  const Value down_weight = m.weight(module + ".down_proj", {c.n_routed_experts, c.hidden_size, intermediate});
  const Value gate_up = b.op("expert_linear", {flat, gate_up_weight, expert_of_row});
  const auto [gate, up] = b.op<2>("split", {gate_up}, {{"axis", -1}, {"sizes", {intermediate, intermediate}}});
  const Value activated = b.op("mul", {b.op("silu", {gate}), up});
  return b.op("expert_linear", {activated, down_weight, expert_of_row});
}

}  // namespace

Value build_moe(const ModelBuilder& m, Value x, const std::string& module) {
  const DeepseekConfig& c = m.config;
  GraphBuilder& b = m.b;
  const Routing routing = route(m, x, module + ".gate");
  const Value rows = run_experts(m, x, routing.experts, module + ".experts");

  // Weighted and summed in float32, rounded once.
  b.set_scope(module);
  const Value per_token = b.op("reshape", {rows}, {{"shape", {m.tokens, c.num_experts_per_tok, c.hidden_size}}});
  const Value in_float = c.dtype == DType::f32 ? per_token : b.op("cast", {per_token}, {{"dtype", DType::f32}});
  const Value weights = b.op("reshape", {routing.weights}, {{"shape", {m.tokens, c.num_experts_per_tok, 1}}});
  Value y = b.op("sum", {b.op("mul", {in_float, weights})}, {{"axes", {1}}});
  if (c.dtype != DType::f32)
    y = b.op("cast", {y}, {{"dtype", c.dtype}});

  if (c.n_shared_experts > 0)
    y = b.op("add", {y, m.mlp(x, module + ".shared_experts", c.moe_intermediate_size * c.n_shared_experts)});
  return y;
}

}  // namespace tandem::models
