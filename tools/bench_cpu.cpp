// Timing on the CPU, by the clock.
#include <chrono>

#include <tandem/runtime/executor.h>
#include <tandem/runtime/host_memory.h>
#include <tandem/tools/bench_timers.h>

namespace tandem::cli {
namespace {

std::int64_t bytes_of(std::span<const Tensor> tensors) {
  std::int64_t bytes = 0;
  for (const Tensor& t : tensors)
    bytes += t.view.size() * static_cast<std::int64_t>(byte_size(t.view.dtype));
  return bytes;
}

class CpuTimer final : public BenchTimer {
 public:
  CpuTimer(const Graph& graph, const Graph& optimised, const TensorStore& weights) {
    add("optimised", optimised, weights);
    add("as read", graph, weights);
  }
  std::string machine() const override { return "this machine's CPU"; }

  std::vector<VariantTiming> time(const RunData& data, const BenchSettings& settings) override {
    std::vector<VariantTiming> out;
    for (Variant& v : variants_)
      out.push_back(prepare(v, data));
    std::vector<std::vector<double>> samples(variants_.size());
    for (int round = 0; round < settings.rounds; ++round) {
      for (std::size_t i = 0; i < variants_.size(); ++i) {
        const auto start = std::chrono::steady_clock::now();
        variants_[i].executor.run_into(inputs_, variants_[i].outputs, data.bindings);
        samples[i].push_back(
            std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
      }
    }
    for (std::size_t i = 0; i < variants_.size(); ++i) {
      out[i].whole = summarise(samples[i]);
      if (settings.steps)
        out[i].steps = time_steps(variants_[i], data, settings.rounds);
    }
    return out;
  }

 private:
  struct Variant {
    std::string name;
    Executor executor;
    std::size_t nodes;
    std::vector<Tensor> memory;
    std::vector<TensorView> outputs;
  };

  void add(const char* name, const Graph& graph, const TensorStore& weights) {
    const Plan plan = Plan::compile(graph, weights);
    std::size_t nodes = 0;
    for (const PlannedNode& n : plan.nodes())
      nodes += n.fate == NodeFate::runs ? 1 : 0;
    variants_.push_back({name, Executor(plan), nodes, {}, {}});
  }

  VariantTiming prepare(Variant& v, const RunData& data) {
    inputs_.clear();
    for (const Tensor& t : data.inputs)
      inputs_.push_back(t.view);
    v.memory = v.executor.run(data.inputs, data.bindings);
    v.outputs.clear();
    for (const Tensor& t : v.memory)
      v.outputs.push_back(t.view);
    VariantTiming timing;
    timing.variant = v.name;
    timing.nodes = v.nodes;
    timing.bytes = bytes_of(data.inputs) + bytes_of(v.memory) + v.executor.plan().memory(data.bindings).weights;
    return timing;
  }

  std::vector<StepTiming> time_steps(Variant& v, const RunData& data, int rounds) {
    std::vector<StepTiming> steps;
    std::vector<std::vector<double>> samples;
    std::size_t at = 0;
    v.executor.set_observer([&](const StepEvent& e) {
      if (at == steps.size()) {
        std::int64_t bytes = 0;
        for (const auto views : {e.operands, e.results})
          for (const TensorView& view : views)
            bytes += view.size() * static_cast<std::int64_t>(byte_size(view.dtype));
        steps.push_back({e.node.name, e.node.op, e.node.provider, 0, bytes});
        samples.emplace_back();
      }
      samples[at++].push_back(std::chrono::duration<double, std::micro>(e.time).count());
    });
    for (int round = 0; round < rounds; ++round) {
      at = 0;
      v.executor.run_into(inputs_, v.outputs, data.bindings);
    }
    v.executor.set_observer({});
    for (std::size_t i = 0; i < steps.size(); ++i)
      steps[i].microseconds = summarise(samples[i]).median;
    return steps;
  }

  std::vector<Variant> variants_;
  std::vector<TensorView> inputs_;
};

}  // namespace

std::unique_ptr<BenchTimer> make_cpu_timer(const Graph& graph, const Graph& optimised, const TensorStore& weights) {
  return std::make_unique<CpuTimer>(graph, optimised, weights);
}

}  // namespace tandem::cli
