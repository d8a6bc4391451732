// `tandem bench`: times a graph as the pipeline leaves it against the graph as it was read, as a whole and step by
// step.
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/tools/bench_report.h>
#include <tandem/tools/bench_timers.h>
#include <tandem/tools/console.h>
#include <tandem/tools/exit_status.h>
#include <tandem/tools/graph_file.h>
#include <tandem/tools/named_files.h>
#include <tandem/tools/option_values.h>
#include <tandem/tools/pipeline_options.h>
#include <tandem/tools/run_data.h>
#include <tandem/tools/verb.h>

namespace tandem::cli {
namespace {

struct BenchOptions {
  std::string graph;
  RunDataSettings data;
  std::string sweep;
  std::string device = "cpu";
  GpuSettings gpu;
  PipelineSettings pipeline;
  int rounds = 30;
  bool steps = false;
  bool json = false;
};

/// "T=1,32" -> "T=1", "T=32"; "" for no sweep.
std::vector<std::string> sweep_bindings(const std::string& sweep) {
  if (sweep.empty())
    return {""};
  const std::size_t equals = sweep.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == sweep.size())
    throw Error("usage.sweep", fmt::format("'{}' is not SYMBOL=N,N,...", sweep), "write it like --sweep T=1,32,2048");
  std::vector<std::string> bindings;
  for (std::size_t at = equals + 1; at <= sweep.size();) {
    const std::size_t comma = std::min(sweep.find(',', at), sweep.size());
    bindings.push_back(sweep.substr(0, equals + 1) + sweep.substr(at, comma - at));
    at = comma + 1;
  }
  return bindings;
}

int run_bench(BenchOptions o) {
  if (o.device != "cpu" && o.device != "hip")
    throw Error("usage.device", fmt::format("unknown device '{}'{}; expected cpu or hip", o.device,
                                            did_you_mean(o.device, {"cpu", "hip"})));
  if (o.rounds < 1 || o.rounds > 100'000)
    throw Error("usage.rounds", fmt::format("--rounds is {}; expected 1 to 100000", o.rounds));
  if (o.device == "cpu" && o.pipeline.target == "host")
    o.pipeline.target = "cpu";
  if (!o.data.random_inputs)
    o.data.random_inputs = 1;
  if (!o.data.random_weights)
    o.data.random_weights = 1;
  const std::vector<std::string> sweep = sweep_bindings(o.sweep);
  NamedFiles()
      .reads("GRAPH", o.graph)
      .reads("--fusions", o.pipeline.fusions)
      .reads("--inputs", o.data.inputs)
      .reads("--weights", o.data.weights)
      .check();
  const GraphFile file = read_graph_file(Context::create(), o.graph);
  Graph optimised = file.graph;
  const DecisionReport report = optimise(optimised, o.pipeline);

  BenchReport bench(o.device, report.target);
  std::unique_ptr<BenchTimer> timer;
  for (const std::string& binding : sweep) {
    RunDataSettings settings = o.data;
    if (!binding.empty())
      settings.bindings.push_back(binding);
    RunData data = gather_run_data(file.graph, settings, file.weights);
    if (!timer) {
      const bool relaxed = pass_config(o.pipeline).numerics == Numerics::relaxed;
      timer = o.device == "cpu" ? make_cpu_timer(file.graph, optimised, data.weights)
                                : make_gpu_timer(file.graph, optimised, data.weights, o.gpu, relaxed);
      bench.set_machine(timer->machine());
    }
    bench.add(binding, timer->time(data, {o.rounds, o.steps}));
  }
  write_result("-", o.json ? bench.json() : bench.text());
  return exit_done;
}

}  // namespace

Runner setup_bench(CLI::App& app) {
  auto o = std::make_shared<BenchOptions>();
  app.add_option("GRAPH", o->graph, "The graph; - is standard input")->required();
  app.add_option("--device", o->device, "cpu (default) or hip (the GPU)");
  add_gpu_options(app, o->gpu);
  app.add_option("--bind", o->data.bindings, "The value of a symbol; repeatable")
      ->type_name("T=N")
      ->allow_extra_args(false);
  app.add_option("--sweep", o->sweep, "Time it with each of these values of a symbol")->type_name("T=N,N,...");
  app.add_option("--rounds", o->rounds, "How often each is timed (30)");
  app.add_flag("--steps", o->steps, "Time each step by itself, too");
  app.add_option("--inputs", o->data.inputs, "Inputs from a file; what no file has is made up")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--weights", o->data.weights, "Weights from a file; what no file has is made up")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_option("--random-inputs", o->data.random_inputs, "Seed of what is made up (1)")
      ->type_name("SEED")
      ->check(whole_number, "");
  app.add_option("--random-weights", o->data.random_weights, "Seed of what is made up (1)")
      ->type_name("SEED")
      ->check(whole_number, "");
  add_pipeline_options(app, o->pipeline);
  app.add_flag("--json", o->json, "The report as JSON");
  app.footer(
      "\nExample:\n"
      "  tandem generate deepseek-v3 --tiny -o tiny.json\n"
      "  tandem bench tiny.json --sweep T=1,16 --steps");
  return [o] { return run_bench(*o); };
}

}  // namespace tandem::cli
