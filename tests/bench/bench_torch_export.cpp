// Importing an exported program of DeepSeek-V3's size, and the pipeline over it.
//
//     bench_torch_export --benchmark_min_time=2
//     TANDEM_BENCH_PROGRAM=model.json bench_torch_export          also a program of one's own
//
// The program is the decoder layer of tests/data/torch_export/deepseek_v3_1layer_real_dims.json, 61 times, with names
// of its own for each layer.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include <tandem/ir/io/torch_export.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>

namespace {

using namespace tandem;
using nlohmann::json;

constexpr int num_layers = 61;

std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Gives every name in an argument the layer's prefix.
void rename(json& value, const std::string& prefix) {
  if (value.is_array()) {
    for (json& element : value)
      rename(element, prefix);
  } else if (value.is_object()) {
    for (const char* key : {"name", "as_name"})
      if (const auto it = value.find(key); it != value.end() && it->is_string())
        *it = prefix + it->get<std::string>();
    for (auto& [key, inner] : value.items())
      if (key != "metadata" && key != "target")
        rename(inner, prefix);
  }
}

/// The layer `num_layers` times, side by side.
std::string stacked(const std::string& layer_text) {
  json out = json::parse(layer_text);
  const json layer = out["graph_module"];
  json& graph = out["graph_module"]["graph"];
  json& signature = out["graph_module"]["signature"];
  for (const char* key : {"inputs", "outputs", "nodes"})
    graph[key] = json::array();
  for (const char* key : {"tensor_values", "sym_int_values"})
    graph[key] = json::object();
  signature = {{"input_specs", json::array()}, {"output_specs", json::array()}};
  for (int i = 0; i < num_layers; ++i) {
    const std::string prefix = "l" + std::to_string(i) + "_";
    for (const json& node : layer["graph"]["nodes"]) {
      json copy = node;
      rename(copy["outputs"], prefix);
      for (json& argument : copy["inputs"])
        rename(argument["arg"], prefix);
      if (copy["name"].is_string())
        copy["name"] = prefix + copy["name"].get<std::string>();
      graph["nodes"].push_back(std::move(copy));
    }
    for (const char* key : {"tensor_values", "sym_int_values"})
      for (const auto& [name, meta] : layer["graph"][key].items())
        graph[key][prefix + name] = meta;
    for (const char* key : {"inputs", "outputs"})
      for (json argument : layer["graph"][key]) {
        rename(argument, prefix);
        graph[key].push_back(std::move(argument));
      }
    for (json spec : layer["signature"]["output_specs"]) {
      rename(spec, prefix);
      signature["output_specs"].push_back(std::move(spec));
    }
    for (json spec : layer["signature"]["input_specs"]) {
      rename(spec, prefix);
      for (const char* key : {"parameter", "buffer", "tensor_constant"})
        if (const auto it = spec.find(key); it != spec.end())
          for (auto& [field, value] : it->items())
            if (value.is_string())
              value = prefix + value.get<std::string>();
      signature["input_specs"].push_back(std::move(spec));
    }
  }
  return out.dump();
}

const std::string& program() {
  static const std::string text = [] {
    const char* own = std::getenv("TANDEM_BENCH_PROGRAM");
    return own != nullptr ? file_bytes(own)
                          : stacked(file_bytes(TANDEM_BENCH_DATA "/torch_export/deepseek_v3_1layer_real_dims.json"));
  }();
  return text;
}

void import_program(benchmark::State& state) {
  std::size_t nodes = 0;
  for (auto _ : state) {
    const ImportedProgram imported = import_torch_export_bytes(Context::create(), program(), "program.json");
    nodes = imported.graph.num_nodes();
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * program().size()));
  state.counters["nodes"] = static_cast<double>(nodes);
}
BENCHMARK(import_program)->Unit(benchmark::kMillisecond);

void import_and_optimise(benchmark::State& state) {
  const Capabilities target = parse_target("rocm:gfx942");
  for (auto _ : state) {
    ImportedProgram imported = import_torch_export_bytes(Context::create(), program(), "program.json");
    const FusionSet fusions = FusionSet::shipped(imported.graph.shared_context());
    PipelineOptions options;
    options.fusions = &fusions;
    run_pipeline(imported.graph, PassConfig{}, target, options);
    benchmark::DoNotOptimize(imported);
  }
}
BENCHMARK(import_and_optimise)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
