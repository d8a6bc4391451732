// Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434, section 2.1), with YaRN's rotary embedding.
//
// The prompt form: keys and values are expanded from the latent, not absorbed into the query.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include <tandem/tools/models/deepseek_internal.h>

namespace tandem::models {
namespace {

// DeepseekV3RMSNorm's default: q_a_layernorm and kv_a_layernorm are made without config.rms_norm_eps
// (transformers, modeling_deepseek_v3.py).
constexpr double latent_norm_eps = 1e-6;

double yarn_mscale(double factor, double mscale) {
  return factor <= 1.0 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

/// Radians a position, for each pair of the rotary part. YaRN leaves the fast pairs as they are, stretches the slow
/// ones by its factor and blends in between (transformers, modeling_rope_utils.py, _compute_yarn_parameters).
std::vector<double> inverse_frequencies(const DeepseekConfig& config) {
  const auto dim = static_cast<double>(config.qk_rope_head_dim);
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < config.qk_rope_head_dim; i += 2)
    frequencies.push_back(std::pow(config.rope_theta, -static_cast<double>(i) / dim));
  if (!config.yarn)
    return frequencies;

  const YarnScaling& yarn = *config.yarn;
  const auto pair_that_turns = [&](double rotations) {
    const auto length = static_cast<double>(yarn.original_max_position_embeddings);
    return dim * std::log(length / (rotations * 2.0 * std::numbers::pi)) / (2.0 * std::log(config.rope_theta));
  };
  const double low = std::max(std::floor(pair_that_turns(yarn.beta_fast)), 0.0);
  double high = std::min(std::ceil(pair_that_turns(yarn.beta_slow)), dim - 1.0);
  if (high == low)
    high += 0.001;  // as there: no division by zero
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double stretched = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] *= stretched / yarn.factor + (1.0 - stretched);
  }
  return frequencies;
}

/// What YaRN multiplies cos and sin by.
double rotary_scale(const DeepseekConfig& config) {
  if (!config.yarn)
    return 1.0;
  const YarnScaling& yarn = *config.yarn;
  if (yarn.mscale > 0.0 && yarn.mscale_all_dim > 0.0)
    return yarn_mscale(yarn.factor, yarn.mscale) / yarn_mscale(yarn.factor, yarn.mscale_all_dim);
  return yarn_mscale(yarn.factor, 1.0);
}

double softmax_scale(const DeepseekConfig& config) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(config.qk_nope_head_dim + config.qk_rope_head_dim));
  if (!config.yarn || config.yarn->mscale_all_dim == 0.0)
    return scale;
  const double mscale = yarn_mscale(config.yarn->factor, config.yarn->mscale_all_dim);
  return scale * mscale * mscale;
}

/// [T, heads * size] as [heads, T, size].
Value heads_first(const ModelBuilder& m, Value x, std::int64_t size) {
  const Value split = m.b.op("reshape", {x}, {{"shape", {m.tokens, m.config.num_attention_heads, size}}});
  return m.b.op("transpose", {split}, {{"perm", {1, 0, 2}}});
}

}  // namespace

void build_rotary_angles(ModelBuilder& m, Value positions) {
  GraphBuilder& b = m.b;
  b.set_scope("model.rotary_emb");
  const std::vector<double> frequencies = inverse_frequencies(m.config);
  const auto pairs = static_cast<std::int64_t>(frequencies.size());
  TensorLiteral literal{b.context().type(DType::f32, {1, pairs}), std::vector<std::byte>(frequencies.size() * 4)};
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const auto frequency = static_cast<float>(frequencies[i]);
    std::memcpy(literal.data.data() + i * sizeof(float), &frequency, sizeof(float));
  }
  const Value table = b.op("constant", {}, {{"value", std::move(literal)}});
  const Value as_float = b.op("cast", {positions}, {{"dtype", DType::f32}});
  const Value column = b.op("reshape", {as_float}, {{"shape", {m.tokens, 1}}});
  const Value angles = b.op("mul", {column, table});
  const double scale = rotary_scale(m.config);
  const auto scaled = [&](std::string_view function) {
    Value y = b.op(function, {angles});
    if (scale != 1.0)
      y = b.op("mul", {y, b.scalar(DType::f32, scale)});
    if (m.config.dtype != DType::f32)
      y = b.op("cast", {y}, {{"dtype", m.config.dtype}});
    return y;
  };
  m.cos = scaled("cos");
  m.sin = scaled("sin");
}

Value build_attention(const ModelBuilder& m, Value x, const std::string& module) {
  const DeepseekConfig& c = m.config;
  GraphBuilder& b = m.b;
  b.set_scope(module);
  const std::int64_t heads = c.num_attention_heads;
  const std::int64_t qk_head_dim = c.qk_nope_head_dim + c.qk_rope_head_dim;

  // Down to the latents: the queries' (where there is one), the keys' and values', and the shared rotary key.
  Value q, kv;
  if (c.q_lora_rank) {
    const std::int64_t sizes = *c.q_lora_rank + c.kv_lora_rank + c.qk_rope_head_dim;
    const Value latents = m.linear(x, module + ".fused_qkv_a_proj", sizes, c.hidden_size, c.attention_bias);
    const auto [q_latent, kv_latent] =
        b.op<2>("split", {latents}, {{"axis", -1}, {"sizes", {*c.q_lora_rank, c.kv_lora_rank + c.qk_rope_head_dim}}});
    q = q_latent;
    kv = kv_latent;
  } else {
    kv = m.linear(x, module + ".kv_a_proj_with_mqa", c.kv_lora_rank + c.qk_rope_head_dim, c.hidden_size,
                  c.attention_bias);
  }
  const auto [kv_c, k_pe] = b.op<2>("split", {kv}, {{"axis", -1}, {"sizes", {c.kv_lora_rank, c.qk_rope_head_dim}}});

  if (c.q_lora_rank) {
    const Value q_normed = m.rms_norm(q, module + ".q_a_layernorm", *c.q_lora_rank, latent_norm_eps);
    q = m.linear(q_normed, module + ".q_b_proj", heads * qk_head_dim, *c.q_lora_rank);
  } else {
    q = m.linear(x, module + ".q_proj", heads * qk_head_dim, c.hidden_size);
  }
  const Value kv_normed = m.rms_norm(kv_c, module + ".kv_a_layernorm", c.kv_lora_rank, latent_norm_eps);
  const Value kv_up =
      m.linear(kv_normed, module + ".kv_b_proj", heads * (c.qk_nope_head_dim + c.v_head_dim), c.kv_lora_rank);

  // Up to heads; the rotary part of the key is one for all heads.
  const auto [q_nope, q_pe] = b.op<2>("split", {heads_first(m, q, qk_head_dim)},
                                      {{"axis", -1}, {"sizes", {c.qk_nope_head_dim, c.qk_rope_head_dim}}});
  const auto [k_nope, v] = b.op<2>("split", {heads_first(m, kv_up, c.qk_nope_head_dim + c.v_head_dim)},
                                   {{"axis", -1}, {"sizes", {c.qk_nope_head_dim, c.v_head_dim}}});
  const Value q_rotated = b.op("rope", {q_pe, m.cos, m.sin}, {{"interleaved", true}});
  const Value k_rotated = b.op("rope", {k_pe, m.cos, m.sin}, {{"interleaved", true}});
  const Value k_shared = b.op("reshape", {k_rotated}, {{"shape", {1, m.tokens, c.qk_rope_head_dim}}});
  const Value k_pe_heads = b.op("expand", {k_shared}, {{"shape", {heads, m.tokens, c.qk_rope_head_dim}}});
  const Value query = b.op("concat", {q_nope, q_rotated}, {{"axis", -1}});
  const Value key = b.op("concat", {k_nope, k_pe_heads}, {{"axis", -1}});

  const Value attended = b.op("attention", {query, key, v}, {{"scale", softmax_scale(c)}, {"causal", true}});
  const Value tokens_first = b.op("transpose", {attended}, {{"perm", {1, 0, 2}}});
  const Value joined = b.op("reshape", {tokens_first}, {{"shape", {m.tokens, heads * c.v_head_dim}}});
  return m.linear(joined, module + ".o_proj", c.hidden_size, heads * c.v_head_dim, c.attention_bias);
}

}  // namespace tandem::models
