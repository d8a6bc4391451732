// The parts of a DeepSeek model, one function each; `build_deepseek` puts them together.
#pragma once

#include <string>
#include <string_view>

#include <tandem/ir/builder.h>
#include <tandem/tools/models/deepseek.h>

namespace tandem::models {

/// What every part needs: where it adds nodes, the config, and what all layers share.
struct ModelBuilder {
  GraphBuilder& b;
  const DeepseekConfig& config;
  Dim tokens;  ///< T
  Value cos;   ///< [T, qk_rope_head_dim / 2]
  Value sin;   ///< [T, qk_rope_head_dim / 2]

  /// A weight of the model's dtype, named as its key.
  Value weight(const std::string& key, std::initializer_list<Dim> shape) const {
    return b.weight(key, config.dtype, shape, key);
  }
  /// x times the transposed `<module>.weight` [out, in], plus `<module>.bias` [out] where `bias`.
  Value linear(Value x, const std::string& module, Dim out, Dim in, bool bias = false) const;
  /// rms_norm of x with `<module>.weight` [size].
  Value rms_norm(Value x, const std::string& module, Dim size, double eps) const;
  /// down(silu(gate(x)) * up(x)), the gated MLP of one layer.
  Value mlp(Value x, const std::string& module, std::int64_t intermediate_size) const;
};

/// cos and sin of the angles of all positions (i64[T]): sets `m.cos` and `m.sin`.
void build_rotary_angles(ModelBuilder& m, Value positions);

/// Multi-head latent attention over x [T, hidden_size]; `module` is "model.layers.0.self_attn".
Value build_attention(const ModelBuilder& m, Value x, const std::string& module);

/// The mixture of experts over x [T, hidden_size]; `module` is "model.layers.3.mlp".
Value build_moe(const ModelBuilder& m, Value x, const std::string& module);

}  // namespace tandem::models
