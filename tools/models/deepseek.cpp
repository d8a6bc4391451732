// The whole model: embedding, decoder layers, final norm, vocabulary projection.
#include <tandem/tools/models/deepseek.h>

#include <fmt/format.h>

#include <tandem/tools/models/deepseek_internal.h>

namespace tandem::models {

Value ModelBuilder::linear(Value x, const std::string& module, Dim out, Dim in, bool bias) const {
  const Value w = weight(module + ".weight", {out, in});
  if (!bias)
    return b.op("linear", {x, w});
  return b.op("linear", {x, w, weight(module + ".bias", {out})});
}

Value ModelBuilder::rms_norm(Value x, const std::string& module, Dim size, double eps) const {
  return b.op("rms_norm", {x, weight(module + ".weight", {size})}, {{"eps", eps}});
}

Value ModelBuilder::mlp(Value x, const std::string& module, std::int64_t intermediate_size) const {
  b.set_scope(module);
  const Value gate = linear(x, module + ".gate_proj", intermediate_size, config.hidden_size);
  const Value up = linear(x, module + ".up_proj", intermediate_size, config.hidden_size);
  const Value activated = b.op("mul", {b.op("silu", {gate}), up});
  return linear(activated, module + ".down_proj", config.hidden_size, intermediate_size);
}

Graph build_deepseek(std::shared_ptr<Context> context, const DeepseekConfig& config) {
  GraphBuilder b(std::move(context), config.name);
  const Dim tokens = b.dim("T", {.min = 1, .max = max_tokens});
  const Value input_ids = b.input("input_ids", DType::i64, {tokens});
  const Value positions = b.input("positions", DType::i64, {tokens});

  ModelBuilder m{b, config, tokens, {}, {}};
  build_rotary_angles(m, positions);
  b.set_scope("model.embed_tokens");
  const Value table = m.weight("model.embed_tokens.weight", {config.vocab_size, config.hidden_size});
  Value x = b.op("embedding", {table, input_ids});

  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string layer = fmt::format("model.layers.{}", i);
    b.set_scope(layer);
    const Value attention_input = m.rms_norm(x, layer + ".input_layernorm", config.hidden_size, config.rms_norm_eps);
    const Value attended = build_attention(m, attention_input, layer + ".self_attn");
    b.set_scope(layer);
    x = b.op("add", {x, attended});
    const Value mlp_input = m.rms_norm(x, layer + ".post_attention_layernorm", config.hidden_size, config.rms_norm_eps);
    const Value y = config.is_moe_layer(i) ? build_moe(m, mlp_input, layer + ".mlp")
                                           : m.mlp(mlp_input, layer + ".mlp", config.intermediate_size);
    b.set_scope(layer);
    x = b.op("add", {x, y});
  }

  b.set_scope("model.norm");
  x = m.rms_norm(x, "model.norm", config.hidden_size, config.rms_norm_eps);
  b.set_scope("lm_head");
  const Value head =
      config.tie_word_embeddings ? table : m.weight("lm_head.weight", {config.vocab_size, config.hidden_size});
  b.output(b.named("logits", b.op("linear", {x, head})));
  return std::move(b).finish();
}

}  // namespace tandem::models
