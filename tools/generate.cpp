// `tandem generate`: the graph of a DeepSeek-V2/V3 or Kimi-K2 model, from its Hugging Face config.json.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>
#include <tandem/tools/console.h>
#include <tandem/tools/exit_status.h>
#include <tandem/tools/graph_file.h>
#include <tandem/tools/models/builtin_configs.h>
#include <tandem/tools/models/deepseek.h>
#include <tandem/tools/named_files.h>
#include <tandem/tools/verb.h>

namespace tandem::cli {
namespace {

struct GenerateOptions {
  std::string model;
  std::string layers;
  bool tiny = false;
  std::vector<std::string> settings;
  std::string format = "json";
  std::string output = "-";
};

// What --tiny leaves as the model has it: what makes it that model, rather than its size.
constexpr std::string_view kept_by_tiny[] = {
    "architectures", "model_type",  "attention_bias",          "hidden_act",   "norm_topk_prob",
    "rms_norm_eps",  "rope_theta",  "max_position_embeddings", "rope_scaling", "routed_scaling_factor",
    "scoring_func",  "topk_method", "tie_word_embeddings",     "torch_dtype",  "moe_layer_freq",
    "n_group",       "topk_group"};

/// The overrides that make any model as small as the tiny one.
std::vector<models::ConfigOverride> tiny_overrides() {
  std::vector<models::ConfigOverride> overrides;
  const auto tiny = nlohmann::ordered_json::parse(*models::builtin_config("deepseek-v3-tiny"));
  for (const auto& [key, value] : tiny.items())
    if (std::find(std::begin(kept_by_tiny), std::end(kept_by_tiny), key) == std::end(kept_by_tiny))
      overrides.push_back({key, value.dump()});
  return overrides;
}

models::ConfigOverride parse_setting(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string::npos)
    throw Error("usage.set", fmt::format("'--set {}': expected KEY=VALUE", text), "--set num_hidden_layers=4");
  return {text.substr(0, equals), text.substr(equals + 1)};
}

struct ConfigText {
  std::string json;
  std::string name;
};

/// A built-in config, or a file. A name that is neither is taken for a misspelt built-in where it has no extension.
ConfigText find_config(const std::string& model) {
  if (const auto builtin = models::builtin_config(model))
    return {std::string(*builtin), model};
  std::error_code ignored;
  if (model != "-" && model.find_first_of("./") == std::string::npos && !std::filesystem::exists(model, ignored)) {
    const auto names = models::builtin_config_names();
    throw Error("generate.unknown-model",
                fmt::format("'{}' is neither a built-in model nor a file{}", model, did_you_mean(model, names)),
                fmt::format("built in are {}; or give the path of a config.json", fmt::join(names, ", ")));
  }
  return {read_file(model, models::max_config_bytes), model};
}

int run_generate(const GenerateOptions& o) {
  const GraphForm form = parse_form(o.format);
  if (!models::builtin_config(o.model))
    NamedFiles().reads("MODEL", o.model).writes("-o", o.output).check();
  const ConfigText config = find_config(o.model);
  std::vector<models::ConfigOverride> overrides;
  if (o.tiny) {
    overrides = tiny_overrides();
    // A model without the query latent stays one without.
    const auto json = nlohmann::json::parse(config.json, nullptr, false);
    if (json.is_object() && (!json.contains("q_lora_rank") || json["q_lora_rank"].is_null()))
      overrides.push_back({"q_lora_rank", "null"});
    if (json.is_object() && (!json.contains("n_routed_experts") || json["n_routed_experts"].is_null()))
      overrides.push_back({"n_routed_experts", "null"});
  }
  if (!o.layers.empty())
    overrides.push_back({"num_hidden_layers", o.layers});
  for (const std::string& setting : o.settings)
    overrides.push_back(parse_setting(setting));
  const auto parsed = models::parse_deepseek_config(config.json, config.name, overrides);
  write_result(o.output, render(models::build_deepseek(Context::create(), parsed), form));
  return exit_done;
}

}  // namespace

Runner setup_generate(CLI::App& app) {
  auto o = std::make_shared<GenerateOptions>();
  app.add_option("MODEL", o->model, "deepseek-v3, kimi-k2, deepseek-v3-tiny, or a config.json (- is standard input)")
      ->required();
  app.add_option("--layers", o->layers, "Number of layers, in place of num_hidden_layers")->type_name("N");
  app.add_flag("--tiny", o->tiny, "The same architecture with small dims and 4 layers");
  app.add_option("--set", o->settings, "Replace a field of the config; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--format", o->format, "json (default), text, dot or html");
  app.add_option("-o,--output", o->output, "Where the graph goes; - (default) is standard output");
  app.footer(
      "\nExample:\n"
      "  tandem generate deepseek-v3 -o v3.json\n"
      "  tandem generate deepseek-v3 --tiny --set torch_dtype=float32 --format text");
  return [o] { return run_generate(*o); };
}

}  // namespace tandem::cli
