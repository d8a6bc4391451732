// DeepSeek-V2/V3 and Kimi-K2 as graphs, from the fields of their Hugging Face config.json.
//
// The graph is the forward pass of a whole prompt: token ids and positions in, logits out, one symbol T for the number
// of tokens. The down projections of query and key/value are one weight, `fused_qkv_a_proj`, as vLLM serves the model
// (vllm/models/deepseek_v2.py, MergedReplicatedLinear); everything else follows transformers' modeling_deepseek_v3.py,
// and weight keys are its parameter names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/dtype.h>
#include <tandem/ir/graph.h>

namespace tandem::models {

/// YaRN (arXiv 2309.00071): how a model trained on short contexts stretches its rotary embedding.
struct YarnScaling {
  double factor = 1.0;
  double beta_fast = 32.0;
  double beta_slow = 1.0;
  double mscale = 0.0;          ///< 0: not given.
  double mscale_all_dim = 0.0;  ///< 0: not given.
  std::int64_t original_max_position_embeddings = 4096;
};

/// The fields of config.json that shape the graph, under their own names.
struct DeepseekConfig {
  std::string name;  ///< Of the graph: the config's model_type.
  std::int64_t num_hidden_layers = 0;
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  double rms_norm_eps = 1e-6;
  DType dtype = DType::bf16;
  bool tie_word_embeddings = false;

  // Multi-head latent attention.
  std::int64_t num_attention_heads = 0;
  std::optional<std::int64_t> q_lora_rank;  ///< Empty: queries are projected in one step and there is no q norm.
  std::int64_t kv_lora_rank = 0;
  std::int64_t qk_nope_head_dim = 0;
  std::int64_t qk_rope_head_dim = 0;
  std::int64_t v_head_dim = 0;
  bool attention_bias = false;
  double rope_theta = 10000.0;
  std::optional<YarnScaling> yarn;

  // Mixture of experts; n_routed_experts = 0: every layer is dense.
  std::int64_t n_routed_experts = 0;
  std::int64_t n_shared_experts = 0;
  std::int64_t num_experts_per_tok = 0;
  std::int64_t moe_intermediate_size = 0;
  std::int64_t first_k_dense_replace = 0;
  std::int64_t moe_layer_freq = 1;
  std::int64_t n_group = 1;
  std::int64_t topk_group = 1;
  bool norm_topk_prob = true;
  double routed_scaling_factor = 1.0;
  bool sigmoid_scores = true;         ///< scoring_func: sigmoid or softmax.
  bool score_correction_bias = true;  ///< topk_method noaux_tc: experts are chosen by score plus a learned bias.

  bool is_moe_layer(std::int64_t layer) const {
    return n_routed_experts > 0 && layer >= first_k_dense_replace && layer % moe_layer_freq == 0;
  }
};

/// A change to a config: `key=value`, the value as JSON or, where that does not parse, as a string.
struct ConfigOverride {
  std::string key;
  std::string value;
};

/// The longest config that is read.
inline constexpr std::size_t max_config_bytes = std::size_t{16} << 20;

/// Reads a config.json; `file` names it in diagnostics. Throws Error with everything that is wrong: "config.json" (not
/// JSON), "config.missing", "config.type", "config.range", "config.unsupported", "config.inconsistent",
/// "config.unknown-key" (an override that names no field), each with its JSON path.
DeepseekConfig parse_deepseek_config(std::string_view text, std::string_view file,
                                     const std::vector<ConfigOverride>& overrides = {});

/// The largest T of a generated graph.
inline constexpr std::int64_t max_tokens = 131072;

/// Inputs `input_ids` and `positions` (i64[T]), output `logits` ([T, vocab_size]).
Graph build_deepseek(std::shared_ptr<Context> context, const DeepseekConfig& config);

}  // namespace tandem::models
