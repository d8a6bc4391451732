// `tandem run`: executes a graph on tensors from files or made up, and compares what it gives with what it should.
#include <unistd.h>

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/runtime/executor.h>
#include <tandem/runtime/hip/hip_executor.h>
#include <tandem/runtime/plan.h>
#include <tandem/runtime/safetensors.h>
#include <tandem/tools/compare.h>
#include <tandem/tools/console.h>
#include <tandem/tools/exit_status.h>
#include <tandem/tools/gpu.h>
#include <tandem/tools/graph_file.h>
#include <tandem/tools/named_files.h>
#include <tandem/tools/option_values.h>
#include <tandem/tools/pipeline_options.h>
#include <tandem/tools/run_data.h>
#include <tandem/tools/verb.h>

namespace tandem::cli {
namespace {

struct RunOptions {
  std::string graph;
  RunDataSettings data;
  std::string device = "cpu";
  GpuSettings gpu;
  PipelineSettings pipeline;
  std::string outputs;
  std::string compare;
  bool compare_oracle = false;
  Tolerance tolerance;
  bool json = false;
};

PlanOptions plan_options(const std::string& device) {
  PlanOptions options;
  if (device == "cpu")
    return options;
  if (device != "reference")
    throw Error("usage.device", fmt::format("unknown device '{}'{}; expected cpu, hip or reference", device,
                                            did_you_mean(device, {"cpu", "hip", "reference"})));
  options.providers.push_back(reference_kernels());
  return options;
}

/// What the outputs are called: as in the graph as it was read, where that tells them apart.
std::vector<std::string> output_names(const Graph& graph) {
  const ValueNames names(graph);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < graph.num_outputs(); ++i) {
    std::string name(names[graph.output(i)]);
    if (std::find(result.begin(), result.end(), name) != result.end())
      name = fmt::format("output.{}", i);
    result.push_back(std::move(name));
  }
  return result;
}

std::vector<Tensor> execute_on_gpu(const Graph& graph, const RunData& data, const RunOptions& o) {
  const bool relaxed = pass_config(o.pipeline).numerics == Numerics::relaxed;
  HipExecutor executor(HipPlan::compile(graph, data.weights, open_gpu(), gpu_plan_options(o.gpu, relaxed)));
  return executor.run(data.inputs, data.bindings);
}

std::vector<Tensor> execute(const Graph& graph, const RunData& data, const std::string& device) {
  const Plan plan = Plan::compile(graph, data.weights, plan_options(device));
  Executor executor(plan);
  Progress progress(fmt::format("running on {}", device));
  std::size_t total = 0, done = 0;
  for (const PlannedNode& node : plan.nodes())
    total += node.fate == NodeFate::runs;
  if (isatty(STDERR_FILENO) == 1)
    executor.set_observer([&](const StepEvent&) { progress.step(++done, total); });
  return executor.run(data.inputs, data.bindings);
}

/// Smallest, largest and mean element; NaN counts as what it is in the mean and not at all in the others.
nlohmann::ordered_json describe(const NamedTensor& output) {
  const TensorView& view = output.tensor.view;
  double least = INFINITY, most = -INFINITY, sum = 0.0;
  const std::int64_t n = view.size();
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = load_element(view, i);
    least = std::fmin(least, x);
    most = std::fmax(most, x);
    sum += x;
  }
  const auto number = [&](double x) {
    return n > 0 && std::isfinite(x) ? nlohmann::ordered_json(x) : nlohmann::ordered_json();
  };
  return {{"name", output.name},
          {"type", fmt::format("{}[{}]", to_string(view.dtype), fmt::join(view.dims(), ", "))},
          {"min", number(least)},
          {"max", number(most)},
          {"mean", number(sum / static_cast<double>(n))}};
}

/// "0.25"; "-" for what JSON calls null: no elements, or no finite number.
std::string shown(const nlohmann::ordered_json& number) {
  return number.is_null() ? "-" : fmt::format("{:.6g}", number.get<double>());
}

/// The results of a run, for people or for programs.
class RunReport {
 public:
  explicit RunReport(std::span<const NamedTensor> outputs) {
    for (const NamedTensor& output : outputs)
      json_["outputs"].push_back(describe(output));
    for (const auto& o : json_["outputs"])
      text_ += fmt::format("{}: {}  min {}  max {}  mean {}\n", o["name"].get<std::string>(),
                           o["type"].get<std::string>(), shown(o["min"]), shown(o["max"]), shown(o["mean"]));
  }
  /// False when an output is above its tolerance.
  bool add(std::span<const Difference> differences, std::string_view against) {
    text_ += to_text(differences, against);
    json_["comparisons"].push_back(to_json(differences, against));
    return std::all_of(differences.begin(), differences.end(), [](const Difference& d) { return d.within(); });
  }
  std::string render(bool as_json) const {
    return as_json ? json_.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" : text_;
  }

 private:
  nlohmann::ordered_json json_ = {{"outputs", nlohmann::ordered_json::array()},
                                  {"comparisons", nlohmann::ordered_json::array()}};
  std::string text_;
};

void check_tolerance(const char* name, const std::optional<double>& value) {
  if (value && !(std::isfinite(*value) && *value >= 0.0))
    throw Error("usage.tolerance", fmt::format("{} is {}; expected a number from 0 on", name, *value));
}

void check_usage(const RunOptions& o) {
  check_tolerance("--rtol", o.tolerance.relative);
  check_tolerance("--atol", o.tolerance.absolute);
  if (o.outputs == "-")
    throw Error("usage.output", "--outputs needs a file: standard output is for the report",
                "--outputs out.safetensors");
  if (o.compare.empty() && !o.compare_oracle && (o.tolerance.relative || o.tolerance.absolute))
    throw Error("usage.tolerance", "--rtol and --atol say how near a comparison must come, and none was asked for",
                "add --compare REF.safetensors or --compare-oracle");
  if (o.device != "hip")
    static_cast<void>(plan_options(o.device));
}

int run_run(RunOptions o) {
  check_usage(o);
  NamedFiles()
      .reads("GRAPH", o.graph)
      .reads("--fusions", o.pipeline.fusions)
      .reads("--inputs", o.data.inputs)
      .reads("--weights", o.data.weights)
      .reads("--compare", o.compare)
      .writes("--outputs", o.outputs)
      .check();
  if (o.device != "hip" && o.pipeline.target == "host")
    o.pipeline.target = "cpu";
  const GraphFile file = read_graph_file(Context::create(), o.graph);
  const Graph& graph = file.graph;
  const RunData data = gather_run_data(graph, o.data, file.weights);
  Graph optimised = graph;
  optimise(optimised, o.pipeline);

  const std::vector<std::string> names = output_names(graph);
  std::vector<NamedTensor> outputs;
  for (const Tensor& tensor :
       o.device == "hip" ? execute_on_gpu(optimised, data, o) : execute(optimised, data, o.device))
    outputs.push_back({names[outputs.size()], tensor});
  if (!o.outputs.empty())
    write_safetensors(o.outputs, outputs);

  RunReport report(outputs);
  bool within = true;
  if (!o.compare.empty()) {
    const TensorStore references = load_tensors(o.compare);
    std::vector<Difference> differences;
    for (std::size_t i = 0; i < outputs.size(); ++i)
      differences.push_back(
          difference(names[i], outputs[i].tensor, find_reference(references, o.compare, outputs[i], i), o.tolerance));
    within = report.add(differences, o.compare) && within;
  }
  if (o.compare_oracle) {
    const std::vector<Tensor> oracle = execute(graph, data, "reference");
    std::vector<Difference> differences;
    for (std::size_t i = 0; i < outputs.size(); ++i)
      differences.push_back(difference(names[i], outputs[i].tensor, oracle[i], o.tolerance));
    within = report.add(differences, "the float64 oracle") && within;
  }
  write_result("-", report.render(o.json));
  return within ? exit_done : exit_check_failed;
}

}  // namespace

Runner setup_run(CLI::App& app) {
  auto o = std::make_shared<RunOptions>();
  app.add_option("GRAPH", o->graph, "The graph; - is standard input")->required();
  app.add_option("--inputs", o->data.inputs, "Inputs, by name or as input.0, ...; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--weights", o->data.weights, "Weights, by key: a file, an index or a folder; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--random-inputs", o->data.random_inputs, "Make up the inputs that no file has")
      ->type_name("SEED")
      ->check(whole_number, "");
  app.add_option("--random-weights", o->data.random_weights, "Make up the weights that no file has")
      ->type_name("SEED")
      ->check(whole_number, "");
  app.add_option("--bind", o->data.bindings, "The value of a symbol; repeatable")
      ->type_name("T=N")
      ->allow_extra_args(false);
  app.add_option("--device", o->device, "cpu (default), hip (the GPU), or reference, the float64 oracle");
  add_gpu_options(app, o->gpu);
  add_pipeline_options(app, o->pipeline);
  app.add_option("--outputs", o->outputs, "Write the outputs to this safetensors file")->type_name("FILE");
  app.add_option("--compare", o->compare, "Exit with 1 unless the outputs are near those of this file")
      ->type_name("FILE");
  app.add_flag("--compare-oracle", o->compare_oracle, "... near those of the oracle, the graph unoptimised");
  app.add_option("--rtol", o->tolerance.relative, "How near, relative to the output's largest element");
  app.add_option("--atol", o->tolerance.absolute, "How near, added to that");
  app.add_flag("--json", o->json, "The report as JSON");
  app.footer(
      "\nExample:\n"
      "  tandem generate deepseek-v3 --tiny -o tiny.json\n"
      "  tandem run tiny.json --random-weights 1 --random-inputs 2 --bind T=7 --compare-oracle");
  return [o] { return run_run(*o); };
}

}  // namespace tandem::cli
