// config.json -> DeepseekConfig: parsing, overrides, and the checks that make every config that passes buildable.
#include <array>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tandem/tools/models/config_reader.h>
#include <tandem/tools/models/deepseek.h>

namespace tandem::models {
namespace {

using nlohmann::json;

// Far above every published model, far below what would overflow a product of two dims or exhaust memory.
constexpr std::int64_t max_dim = std::int64_t{1} << 24;
constexpr std::int64_t max_layers = 10'000;
constexpr std::int64_t max_experts = 65'536;
constexpr int max_nesting = 64;

// Fields that --set may add although the config at hand does not have them.
constexpr std::array<std::string_view, 31> known_fields = {"attention_bias",
                                                           "dtype",
                                                           "first_k_dense_replace",
                                                           "hidden_act",
                                                           "hidden_size",
                                                           "intermediate_size",
                                                           "kv_lora_rank",
                                                           "model_type",
                                                           "moe_intermediate_size",
                                                           "moe_layer_freq",
                                                           "n_group",
                                                           "n_routed_experts",
                                                           "n_shared_experts",
                                                           "norm_topk_prob",
                                                           "num_attention_heads",
                                                           "num_experts_per_tok",
                                                           "num_hidden_layers",
                                                           "q_lora_rank",
                                                           "qk_nope_head_dim",
                                                           "qk_rope_head_dim",
                                                           "rms_norm_eps",
                                                           "rope_scaling",
                                                           "rope_theta",
                                                           "routed_scaling_factor",
                                                           "scoring_func",
                                                           "tie_word_embeddings",
                                                           "topk_group",
                                                           "topk_method",
                                                           "torch_dtype",
                                                           "v_head_dim",
                                                           "vocab_size"};

[[noreturn]] void fail(std::string_view code, std::string_view file, std::string path, std::string message,
                       std::string help = {}) {
  Diagnostic finding;
  finding.code = code;
  finding.where.file = file;
  finding.where.path = std::move(path);
  finding.message = std::move(message);
  finding.help = std::move(help);
  throw Error(std::move(finding));
}

/// The place of a byte in a text, 1-based.
std::pair<std::uint32_t, std::uint32_t> line_and_column(std::string_view text, std::size_t offset) {
  std::uint32_t line = 1, column = 1;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
  }
  return {line, column};
}

json parse_object(std::string_view text, std::string_view file) {
  if (text.size() > max_config_bytes)
    fail("config.json", file, {},
         fmt::format("a config of {} bytes; at most {} are read", text.size(), max_config_bytes),
         "is this the config.json of a model?");
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    fail("config.json", file, {}, "the file is empty; expected a JSON object", "give a model's config.json");
  // nlohmann keeps the last of two equal keys; a config with two answers to one question is a mistake.
  std::vector<std::set<std::string>> keys;
  const json::parser_callback_t watch = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > max_nesting)
      fail("config.json", file, {}, fmt::format("nested deeper than {} levels", max_nesting));
    if (event == json::parse_event_t::object_start)
      keys.emplace_back();
    if (event == json::parse_event_t::object_end && !keys.empty())
      keys.pop_back();
    if (event == json::parse_event_t::key && !keys.empty() && !keys.back().insert(value.get<std::string>()).second)
      fail("config.duplicate-key", file, value.get<std::string>(), "this key stands twice in one object");
    return true;
  };
  json root;
  try {
    root = json::parse(text, watch);
  } catch (const json::parse_error& error) {
    Diagnostic finding;
    finding.code = "config.json";
    finding.where.file = file;
    const auto [line, column] = line_and_column(text, error.byte == 0 ? 0 : error.byte - 1);
    finding.where.line = line;
    finding.where.column = column;
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ..." -> "syntax error ..."
    const std::string_view what = error.what();
    const auto cut = what.find(": ");
    finding.message = fmt::format("not JSON: {}", cut == std::string_view::npos ? what : what.substr(cut + 2));
    finding.help = "give a model's config.json";
    throw Error(std::move(finding));
  }
  if (!root.is_object())
    fail("config.json", file, {}, fmt::format("the config is of type {}; expected an object", root.type_name()),
         "give a model's config.json");
  return root;
}

void apply_overrides(json& root, const std::vector<ConfigOverride>& overrides) {
  for (const auto& [key, text] : overrides) {
    // "rope_scaling.factor" reaches into an object.
    const auto dot = key.find('.');
    const std::string head = key.substr(0, dot);
    const bool known = std::find(known_fields.begin(), known_fields.end(), head) != known_fields.end();
    if (!known && !root.contains(head)) {
      std::vector<std::string_view> names(known_fields.begin(), known_fields.end());
      fail("config.unknown-key", "--set", key,
           fmt::format("'{}' is no field of a config{}", head, did_you_mean(head, names)),
           "a field that shapes the graph, such as num_hidden_layers=4 or q_lora_rank=null");
    }
    json value = json::parse(text, nullptr, false);
    if (value.is_discarded())
      value = text;
    if (dot == std::string::npos) {
      root[head] = std::move(value);
    } else {
      if (!root[head].is_object())
        root[head] = json::object();
      root[head][key.substr(dot + 1)] = std::move(value);
    }
  }
}

std::optional<YarnScaling> read_yarn(const json& root, ConfigReader& reader, const std::string& file,
                                     std::vector<Diagnostic>& findings) {
  if (!reader.has("rope_scaling"))
    return std::nullopt;
  const json& object = root.at("rope_scaling");
  if (!object.is_object()) {
    reader.fail("config.type", "rope_scaling", "'rope_scaling' is not an object; expected an object or null");
    return std::nullopt;
  }
  ConfigReader fields(object, file, "rope_scaling", findings);
  const std::string_view type_key = fields.has("rope_type") ? "rope_type" : "type";
  const std::string type = fields.string(type_key, "default");
  if (type == "default")
    return std::nullopt;
  if (type != "yarn") {
    fields.fail("config.unsupported", type_key, fmt::format("rope scaling '{}'; expected yarn or default", type));
    return std::nullopt;
  }
  YarnScaling yarn;
  yarn.factor = fields.real("factor", 1.0, 1e6);
  yarn.beta_fast = fields.real("beta_fast", 1e-3, 1e6, 32.0);
  yarn.beta_slow = fields.real("beta_slow", 1e-3, 1e6, 1.0);
  yarn.mscale = fields.real("mscale", 0.0, 1e3, 0.0);
  yarn.mscale_all_dim = fields.real("mscale_all_dim", 0.0, 1e3, 0.0);
  yarn.original_max_position_embeddings =
      fields.integer("original_max_position_embeddings", 1, std::int64_t{1} << 32, 4096);
  return yarn;
}

DType read_dtype(ConfigReader& reader) {
  // transformers 5 writes "dtype".
  const std::string_view key = reader.has("torch_dtype") || !reader.has("dtype") ? "torch_dtype" : "dtype";
  const std::string text = reader.string(key, "bfloat16");
  if (text == "bfloat16")
    return DType::bf16;
  if (text == "float16")
    return DType::f16;
  if (text == "float32")
    return DType::f32;
  if (text == "float64")
    return DType::f64;
  reader.fail("config.unsupported", key,
              fmt::format("'{}' is \"{}\"; expected bfloat16, float16, float32 or float64", key, text));
  return DType::bf16;
}

void read_attention(ConfigReader& reader, DeepseekConfig& c) {
  c.num_attention_heads = reader.integer("num_attention_heads", 1, 65'536);
  if (reader.has("q_lora_rank"))
    c.q_lora_rank = reader.integer("q_lora_rank", 1, max_dim);
  c.kv_lora_rank = reader.integer("kv_lora_rank", 1, max_dim);
  c.qk_nope_head_dim = reader.integer("qk_nope_head_dim", 1, 65'536);
  c.qk_rope_head_dim = reader.integer("qk_rope_head_dim", 2, 65'536);
  c.v_head_dim = reader.integer("v_head_dim", 1, 65'536);
  c.attention_bias = reader.boolean("attention_bias", false);
  if (c.qk_rope_head_dim % 2 != 0)
    reader.fail("config.inconsistent", "qk_rope_head_dim",
                fmt::format("'qk_rope_head_dim' is {}; rotary embedding needs an even number", c.qk_rope_head_dim));
}

void read_experts(ConfigReader& reader, DeepseekConfig& c) {
  if (!reader.has("n_routed_experts"))
    return;
  c.n_routed_experts = reader.integer("n_routed_experts", 1, max_experts);
  c.n_shared_experts = reader.integer("n_shared_experts", 0, 1024, 0);
  c.num_experts_per_tok = reader.integer("num_experts_per_tok", 1, max_experts);
  c.moe_intermediate_size = reader.integer("moe_intermediate_size", 1, max_dim);
  c.first_k_dense_replace = reader.integer("first_k_dense_replace", 0, max_layers, 0);
  c.moe_layer_freq = reader.integer("moe_layer_freq", 1, max_layers, 1);
  c.n_group = reader.integer("n_group", 1, max_experts, 1);
  c.topk_group = reader.integer("topk_group", 1, max_experts, 1);
  c.norm_topk_prob = reader.boolean("norm_topk_prob", true);
  c.routed_scaling_factor = reader.real("routed_scaling_factor", 0.0, 1e6, 1.0);
  const std::string scoring = reader.string("scoring_func", "sigmoid");
  c.sigmoid_scores = scoring == "sigmoid";
  if (scoring != "sigmoid" && scoring != "softmax")
    reader.fail("config.unsupported", "scoring_func",
                fmt::format("'scoring_func' is \"{}\"; expected sigmoid or softmax", scoring));
  const std::string method = reader.string("topk_method", "noaux_tc");
  c.score_correction_bias = method == "noaux_tc";
  if (method == "greedy")
    c.n_group = c.topk_group = 1;
  if (method != "noaux_tc" && method != "group_limited_greedy" && method != "greedy")
    reader.fail("config.unsupported", "topk_method",
                fmt::format("'topk_method' is \"{}\"; expected noaux_tc, group_limited_greedy or greedy", method));

  if (c.n_routed_experts % c.n_group != 0)
    reader.fail("config.inconsistent", "n_group",
                fmt::format("{} experts do not divide into {} groups", c.n_routed_experts, c.n_group),
                "make n_group a divisor of n_routed_experts");
  else if (c.topk_group > c.n_group)
    reader.fail("config.inconsistent", "topk_group",
                fmt::format("{} groups are chosen among {}; expected at most that many", c.topk_group, c.n_group));
  else if (c.num_experts_per_tok > c.topk_group * (c.n_routed_experts / c.n_group))
    reader.fail("config.inconsistent", "num_experts_per_tok",
                fmt::format("{} experts a token are chosen among the {} of {} groups; expected at most that many",
                            c.num_experts_per_tok, c.topk_group * (c.n_routed_experts / c.n_group), c.topk_group));
}

}  // namespace

DeepseekConfig parse_deepseek_config(std::string_view text, std::string_view file,
                                     const std::vector<ConfigOverride>& overrides) {
  json root = parse_object(text, file);
  apply_overrides(root, overrides);

  std::vector<Diagnostic> findings;
  ConfigReader reader(root, std::string(file), {}, findings);
  DeepseekConfig c;
  c.name = reader.string("model_type", "");
  if (!reader.has("model_type")) {
    reader.fail("config.missing", "model_type", "'model_type' is missing; expected deepseek_v2, deepseek_v3 or kimi_k2",
                "is this the config.json of such a model? If so, --set model_type=deepseek_v3");
    throw Error(std::move(findings));
  }
  if (c.name != "deepseek_v2" && c.name != "deepseek_v3" && c.name != "kimi_k2") {
    reader.fail("config.unsupported", "model_type",
                fmt::format("'model_type' is \"{}\"; expected deepseek_v2, deepseek_v3 or kimi_k2", c.name),
                "other architectures come in as torch.export archives");
    throw Error(std::move(findings));  // The fields of another architecture would only give noise.
  }
  c.num_hidden_layers = reader.integer("num_hidden_layers", 1, max_layers);
  c.vocab_size = reader.integer("vocab_size", 1, max_dim);
  c.hidden_size = reader.integer("hidden_size", 1, max_dim);
  c.intermediate_size = reader.integer("intermediate_size", 1, max_dim);
  c.rms_norm_eps = reader.real("rms_norm_eps", 0.0, 1.0, 1e-6);
  c.rope_theta = reader.real("rope_theta", 1.0 + 1e-6, 1e12, 10000.0);
  c.tie_word_embeddings = reader.boolean("tie_word_embeddings", false);
  c.dtype = read_dtype(reader);
  c.yarn = read_yarn(root, reader, std::string(file), findings);
  if (const std::string act = reader.string("hidden_act", "silu"); act != "silu")
    reader.fail("config.unsupported", "hidden_act", fmt::format("'hidden_act' is \"{}\"; expected silu", act));
  read_attention(reader, c);
  read_experts(reader, c);
  if (!findings.empty())
    throw Error(std::move(findings));
  return c;
}

}  // namespace tandem::models
