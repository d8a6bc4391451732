// `tandem generate`
#include <string>

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_dir.h"

using namespace tandem::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

json summary_of(const std::string& graph) {
  return json::parse(run_tandem({"show", "-", "--summary", "--json"}, {.input = graph}).out);
}

/// generate, with more arguments; the graph.
std::string generated(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "generate");
  const auto result = run_tandem(arguments);
  INFO(result.err);
  REQUIRE(result.status == 0);
  REQUIRE(result.err == "");
  return result.out;
}

}  // namespace

TEST_CASE("the built-in configs are those of tests/data") {
  const TempDir dir;
  for (const auto& [name, file] : {std::pair{"deepseek-v3", "deepseek_v3_config.json"},
                                   {"kimi-k2", "kimi_k2_config.json"},
                                   {"deepseek-v3-tiny", "deepseek_v3_tiny_config.json"}}) {
    INFO(name);
    CHECK(generated({name, "--layers", "4"}) == generated({data_file(file), "--layers", "4"}));
  }
}

TEST_CASE("DeepSeek-V3 has 61 dual norms, all of which are fused for gfx942") {
  const std::string graph = generated({"deepseek-v3"});
  const json summary = summary_of(graph);
  CHECK(summary.at("ops").at("attention") == 61);
  CHECK(summary.at("ops").at("rms_norm") == 4 * 61 + 1);
  CHECK(summary.at("ops").at("expert_linear") == 2 * 58);
  CHECK(summary.at("symbols") == json::array({"T in 1..131072"}));
  CHECK(summary.at("outputs") == json::array({"logits: bf16[T, 129280]"}));
  const auto fused =
      run_tandem({"opt", "-", "--target", "rocm:gfx942", "--expect", "mla_dual_rms_norm=61"}, {.input = graph});
  INFO(fused.err);
  CHECK(fused.status == 0);
  CHECK(summary_of(fused.out).at("ops").at("fused_mla_dual_rms_norm") == 61);
  CHECK(summary_of(fused.out).at("ops").at("rms_norm") == 2 * 61 + 1);
}

TEST_CASE("DeepSeek-V3 has 671 billion parameters, Kimi-K2 a trillion") {
  // Two bytes each. The published totals: 671 B without the multi-token prediction layer, 1.03 T.
  const double v3 = summary_of(generated({"deepseek-v3"})).at("weights").at("bytes");
  CHECK(v3 / 2 == Approx(671.0e9).epsilon(0.001));
  const double k2 = summary_of(generated({"kimi-k2"})).at("weights").at("bytes");
  CHECK(k2 / 2 == Approx(1.026e12).epsilon(0.002));
}

TEST_CASE("the attention of a layer has the weights, dims and scale of DeepSeek-V3") {
  const json graph = json::parse(generated({"deepseek-v3", "--layers", "1"}));
  const auto type_of = [&](const std::string& key) -> std::string {
    for (const json& weight : graph.at("weights"))
      if (weight.value("key", weight.at("name").get<std::string>()) == key)
        return weight.at("type");
    return "absent";
  };
  const std::string attention = "model.layers.0.self_attn.";
  CHECK(type_of(attention + "fused_qkv_a_proj.weight") == "bf16[2112, 7168]");
  CHECK(type_of(attention + "q_a_layernorm.weight") == "bf16[1536]");
  CHECK(type_of(attention + "kv_a_layernorm.weight") == "bf16[512]");
  CHECK(type_of(attention + "q_b_proj.weight") == "bf16[24576, 1536]");
  CHECK(type_of(attention + "kv_b_proj.weight") == "bf16[32768, 512]");
  CHECK(type_of(attention + "o_proj.weight") == "bf16[7168, 16384]");
  CHECK(type_of("lm_head.weight") == "bf16[129280, 7168]");
  double scale = 0;
  for (const json& node : graph.at("nodes"))
    if (node.at("op") == "attention")
      scale = node.at("attrs").at("scale");
  // 192^-0.5 * (0.1 ln 40 + 1)^2
  CHECK(scale == Approx(0.1352337788608801).epsilon(1e-12));
}

TEST_CASE("the tiny model runs, fused and unfused, near the oracle") {
  const TempDir dir;
  const std::string graph = dir.write("tiny.json", generated({"deepseek-v3-tiny"}));
  for (const std::vector<std::string>& how : {std::vector<std::string>{"-O0"}, {"--target", "rocm:gfx942"}}) {
    std::vector<std::string> arguments = {"run",    graph,  "--random-weights", "1", "--random-inputs", "2",
                                          "--bind", "T=13", "--compare-oracle"};
    arguments.insert(arguments.end(), how.begin(), how.end());
    const auto result = run_tandem(arguments);
    INFO(result.out + result.err);
    CHECK(result.status == 0);
  }
}

TEST_CASE("in float32 the tiny model comes within 1e-5 of the oracle, at several lengths") {
  const TempDir dir;
  const std::string graph = dir.write("tiny.json", generated({"deepseek-v3-tiny", "--set", "torch_dtype=float32"}));
  for (const char* binding : {"T=1", "T=2", "T=33"}) {
    INFO(binding);
    CHECK(run_tandem({"run", graph, "--random-weights", "1", "--random-inputs", "2", "--bind", binding,
                      "--compare-oracle", "--rtol", "1e-5"})
              .status == 0);
  }
}

TEST_CASE("option --tiny keeps the architecture") {
  const std::string v3 = generated({"deepseek-v3", "--tiny"});
  const json summary = summary_of(v3);
  CHECK(summary.at("ops").at("attention") == 4);
  CHECK(summary.at("weights").at("bytes") < 1e6);
  // Kimi-K2 has one group of experts: no masking of groups.
  CHECK(summary.at("ops").contains("one_hot"));
  CHECK_FALSE(summary_of(generated({"kimi-k2", "--tiny"})).at("ops").contains("one_hot"));
}

TEST_CASE("without q_lora_rank there is no query latent, and nothing to fuse") {
  const std::string graph = generated({"deepseek-v3", "--layers", "2", "--set", "q_lora_rank=null"});
  CHECK_THAT(graph, ContainsSubstring("self_attn.q_proj.weight") && !ContainsSubstring("q_a_layernorm"));
  CHECK(
      run_tandem({"opt", "-", "--target", "rocm:gfx942", "--expect", "mla_dual_rms_norm=0"}, {.input = graph}).status ==
      0);
}

TEST_CASE("fields of the config shape the graph") {
  CHECK(summary_of(generated({"deepseek-v3", "--layers", "5"})).at("ops").at("attention") == 5);
  CHECK_FALSE(summary_of(generated({"deepseek-v3", "--layers", "5", "--set", "first_k_dense_replace=5"}))
                  .at("ops")
                  .contains("expert_linear"));
  CHECK_THAT(generated({"deepseek-v3", "--layers", "1", "--set", "torch_dtype=float16"}),
             ContainsSubstring("f16[T, 2112]"));
  CHECK_THAT(generated({"deepseek-v3", "--layers", "1", "--set", "tie_word_embeddings=true"}),
             !ContainsSubstring("lm_head.weight"));
  CHECK_THAT(generated({"deepseek-v3", "--layers", "1", "--set", "attention_bias=true"}),
             ContainsSubstring("fused_qkv_a_proj.bias") && ContainsSubstring("o_proj.bias"));
  CHECK_THAT(generated({"deepseek-v3-tiny", "--set", "scoring_func=softmax", "--set", "topk_method=greedy"}),
             !ContainsSubstring("e_score_correction_bias") && !ContainsSubstring("one_hot"));
  CHECK_THAT(generated({"deepseek-v3", "--layers", "1", "--format", "text"}), Catch::Matchers::StartsWith("graph @"));
}

TEST_CASE("wrong fields are named, all at once, with what was expected") {
  const TempDir dir;
  json config = json::parse(read_file(data_file("deepseek_v3_tiny_config.json")));
  config["hidden_size"] = "many";
  config["vocab_size"] = -1;
  config["rms_norm_eps"] = true;
  config["rope_scaling"]["factor"] = 0.5;
  config.erase("kv_lora_rank");
  const std::string path = dir.write("config.json", config.dump());
  const auto result = run_tandem({"generate", path});
  CHECK(result.status == 2);
  CHECK(result.out == "");
  for (const char* expected : {"hidden_size", "vocab_size", "rms_norm_eps", "rope_scaling.factor", "kv_lora_rank",
                               "config.json", "config.type", "config.range", "config.missing"})
    CHECK_THAT(result.err, ContainsSubstring(expected));
}

TEST_CASE("absurd values are refused") {
  for (const char* setting :
       {"num_hidden_layers=0", "num_hidden_layers=1000000000", "hidden_size=1e30", "hidden_size=4.5",
        "hidden_size=99999999999999999999", "qk_rope_head_dim=7", "n_group=3", "topk_group=9", "num_experts_per_tok=17",
        "hidden_act=gelu", "torch_dtype=int4", "scoring_func=dice", "model_type=llama", "rope_theta=0",
        "rope_scaling=7", "rope_scaling.type=linear", "hidden_sise=64", "=3", "hidden_size"}) {
    INFO(setting);
    const auto result = run_tandem({"generate", "deepseek-v3-tiny", "--set", setting});
    CHECK(result.status == 2);
    CHECK(result.out == "");
  }
}

TEST_CASE("a config that does not say what model it is of is refused, unless the command does") {
  json config = json::parse(read_file(data_file("deepseek_v3_tiny_config.json")));
  config.erase("model_type");
  const auto result = run_tandem({"generate", "-"}, {.input = config.dump()});
  CHECK(result.status == 2);
  CHECK(result.out == "");
  CHECK_THAT(result.err, ContainsSubstring("config.missing") && ContainsSubstring("--set model_type=deepseek_v3"));
  CHECK(run_tandem({"generate", "-", "--set", "model_type=deepseek_v3"}, {.input = config.dump()}).status == 0);
}

TEST_CASE("a config with a key twice is refused") {
  const auto result = run_tandem({"generate", "-"}, {.input = R"({"hidden_size": 1, "hidden_size": 2})"});
  CHECK(result.status == 2);
  CHECK_THAT(result.err, ContainsSubstring("config.duplicate-key") && ContainsSubstring("hidden_size"));
}

TEST_CASE("an endless config is refused") {
  const auto result = run_tandem({"generate", "/dev/zero"});
  CHECK(result.status == 2);
  CHECK_THAT(result.err, ContainsSubstring("/dev/zero") && ContainsSubstring("file.too-large"));
}

TEST_CASE("a config that is not JSON is shown where") {
  const auto result = run_tandem({"generate", "-"}, {.input = "{\n  \"hidden_size\": ,\n}"});
  CHECK(result.status == 2);
  CHECK_THAT(result.err, ContainsSubstring("-:2:"));
}

TEST_CASE("a misspelt model is answered with the right one") {
  const auto result = run_tandem({"generate", "deepsek-v3"});
  CHECK(result.status == 2);
  CHECK_THAT(result.err, ContainsSubstring("did you mean 'deepseek-v3'") && ContainsSubstring("kimi-k2"));
}
