// Exported programs against what PyTorch computed: imported, unchanged by a round trip, run.
#include <tandem/ir/io/torch_export.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>
#include <tandem/runtime/executor.h>
#include <tandem/runtime/safetensors.h>
#include <tandem/runtime/torch_weights.h>
#include <tests/support/catch.h>
#include <tests/support/temp_dir.h>

using namespace tandem;
using namespace tandem::test;

namespace {

struct Case {
  std::string_view program, tensors;  ///< Without ".pt2" and "_io.safetensors".
};

const std::vector<Case> cases{
    {"mla_down_small", "mla_down_small"},
    {"mla_down_bf16", "mla_down_bf16"},
    {"deepseek_v3_attention", "deepseek_v3_attention"},
    {"deepseek_v3_attention_bf16", "deepseek_v3_attention_bf16"},
    {"deepseek_v3_lm_dynamic", "deepseek_v3_lm_dynamic"},
    {"deepseek_v3_lm_bf16", "deepseek_v3_lm_bf16"},
    {"deepseek_v32_lm_dynamic", "deepseek_v32_lm_dynamic"},
    {"deepseek_v32_lm_dynamic", "deepseek_v32_lm_dynamic_2"},
    {"youtu_lm_dynamic", "youtu_lm_dynamic"},
    {"minicpm3_lm_bf16", "minicpm3_lm_bf16"},
    {"deepseek_v2_attention", "deepseek_v2_attention"},
    {"glm_moe_dsa_attention", "glm_moe_dsa_attention"},
    {"longcat_flash_attention", "longcat_flash_attention"},
    {"minicpm3_attention_decomposed", "minicpm3_attention_decomposed"},
    {"ops_elementwise", "ops_elementwise"},
    {"ops_elementwise_decomposed", "ops_elementwise"},
    {"ops_arithmetic", "ops_arithmetic"},
    {"ops_arithmetic_decomposed", "ops_arithmetic"},
    {"ops_reductions", "ops_reductions"},
    {"ops_reductions_decomposed", "ops_reductions"},
    {"ops_shapes", "ops_shapes"},
    {"ops_shapes_decomposed", "ops_shapes"},
    {"ops_products", "ops_products"},
    {"ops_products_decomposed", "ops_products"},
    {"ops_indexing", "ops_indexing"},
    {"ops_indexing_decomposed", "ops_indexing"},
};

std::string path_of(std::string_view name) {
  return data_file("torch_export/" + std::string(name));
}

ImportedProgram import(std::string_view name) {
  return import_torch_export(Context::create(), path_of(name));
}

std::vector<Tensor> tensors_of(const SafetensorsFile& file, const std::string& prefix) {
  std::vector<Tensor> out;
  while (auto tensor = file.find(prefix + std::to_string(out.size())))
    out.push_back(std::move(*tensor));
  return out;
}

/// The largest difference relative to the largest finite element wanted; infinite where only one is finite, or NaN.
double difference(const TensorView& got, const TensorView& want) {
  double largest = 0, apart = 0;
  for (std::int64_t i = 0; i < want.size(); ++i) {
    const double a = load_element(got, i), b = load_element(want, i);
    if (std::isfinite(b))
      largest = std::max(largest, std::abs(b));
    if ((std::isnan(a) && std::isnan(b)) || a == b)
      continue;
    apart = std::max(apart, std::isfinite(a) && std::isfinite(b) ? std::abs(a - b) : HUGE_VAL);
  }
  return apart == 0 ? 0 : apart / std::max(largest, 1e-30);
}

/// What PyTorch computed is what the graph computes: f32 within 1e-5 of the largest element, bf16 and f16 within 2e-2,
/// integers exactly.
void check_outputs(const Graph& graph, const ImportedProgram& program, const SafetensorsFile& file) {
  TensorStore weights;
  add_program_weights(weights, program.weights);
  Executor executor(Plan::compile(graph, weights));
  const std::vector<Tensor> inputs = tensors_of(file, "input."), wanted = tensors_of(file, "output.");
  const std::vector<Tensor> outputs = executor.run(inputs);
  REQUIRE(wanted.size() > 0);
  REQUIRE(outputs.size() == wanted.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const TensorView &got = outputs[i].view, &want = wanted[i].view;
    INFO("output." << i << ", " << graph.name(graph.output(i)).view());
    REQUIRE(got.dtype == want.dtype);
    REQUIRE(std::ranges::equal(got.dims(), want.dims()));
    const bool narrow = got.dtype == DType::bf16 || got.dtype == DType::f16;
    CHECK(difference(got, want) <= (narrow ? 2e-2 : is_float(got.dtype) ? 1e-5 : 0.0));
  }
}

}  // namespace

TEST_CASE("torch_export: every program imports, verifies and survives JSON and text", "[torch_export]") {
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path_of(""))) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".pt2") && !name.ends_with(".json"))
      continue;
    INFO(name);
    ++seen;
    const ImportedProgram program = import(name);
    CHECK(verify(program.graph).empty());
    const std::string text = to_text(program.graph), json = to_json(program.graph);
    CHECK(to_text(parse_text(Context::create(), text, name)) == text);
    CHECK(to_json(parse_json(Context::create(), json, name)) == json);
  }
  CHECK(seen >= cases.size());
}

TEST_CASE("torch_export: programs compute what PyTorch computed", "[torch_export]") {
  for (const Case& c : cases) {
    INFO(c.program << " with " << c.tensors);
    const ImportedProgram program = import(std::string(c.program) + ".pt2");
    check_outputs(program.graph, program, SafetensorsFile::open(path_of(std::string(c.tensors) + "_io.safetensors")));
  }
}

TEST_CASE("torch_export: optimised programs compute what PyTorch computed", "[torch_export]") {
  for (const Case& c : cases) {
    INFO(c.program << " with " << c.tensors);
    ImportedProgram program = import(std::string(c.program) + ".pt2");
    PassConfig config;
    config.level = OptLevel::O3;
    const FusionSet fusions = FusionSet::shipped(program.graph.shared_context());
    PipelineOptions options;
    options.fusions = &fusions;
    run_pipeline(program.graph, config, parse_target("rocm:gfx942"), options);
    CHECK(verify(program.graph).empty());
    check_outputs(program.graph, program, SafetensorsFile::open(path_of(std::string(c.tensors) + "_io.safetensors")));
  }
}
