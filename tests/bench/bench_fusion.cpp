// The engine alone: match and rewrite the dual norms of N layers, and the same with 200 other fusions loaded beside it.
//
//     bench_fusion                               times; "per_op" counts the peers' 19 operations a layer
//     valgrind --tool=callgrind --toggle-collect='*match_and_rewrite*' bench_fusion --once 61      instructions
//
// The graph and the peers' figures: docs/benchmarks.md. Every run gets a graph as the builder left it; building is not
// counted; the op index is part of the graph, made as it is built.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/builder.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/fusion_set.h>
#include "tests/support/mla_layers.h"

using namespace tandem;

namespace {

constexpr double peer_ops_a_layer = 19;

[[gnu::noinline]] EngineResult match_and_rewrite(const CompiledSet& set, Graph& graph) {
  return run_patterns(set, graph);
}

/// Fusions of elementwise chains, all different, that find nothing in the benchmark's graph.
std::vector<Pattern> unrelated(int count) {
  static const char* const ops[] = {"silu", "exp", "neg", "tanh", "sigmoid", "abs", "relu", "sqrt"};
  std::vector<Pattern> patterns;
  for (int i = 0; i < count; ++i) {
    PatternBuilder p("unrelated_" + std::to_string(i));
    const auto x = p.input("x");
    const auto a = p.match(ops[i % 8], {x}).result("a");
    const auto b = p.match(ops[i / 8 % 8], {a}).result("b");
    // Half of them end in an op that the graph does have.
    const auto y = i % 2 == 0 ? p.match("add", {b, p.input("z")}).result("y")
                              : p.match("mul", {b, p.input("z" + std::to_string(i))}).result("y");
    p.replace(y, p.create("maximum", {x, x}).result("made"));
    patterns.push_back(p.finish());
  }
  return patterns;
}

void run(benchmark::State& state, const std::vector<Pattern>& more) {
  const auto context = Context::create();
  const FusionSet fusions = FusionSet::shipped(context, more);
  const int layers = static_cast<int>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    Graph graph = test::mla_layers(context, layers);
    state.ResumeTiming();
    const EngineResult result = match_and_rewrite(fusions.compiled(), graph);
    state.PauseTiming();
    if (result.fusions[0].matches != static_cast<std::size_t>(layers))
      state.SkipWithError("not all sites were fused");
    state.counters["bytes_per_node"] =
        static_cast<double>(graph.memory_bytes()) / static_cast<double>(graph.num_nodes());
    { const Graph gone = std::move(graph); }
    state.ResumeTiming();
  }
  state.counters["per_op"] = benchmark::Counter(
      peer_ops_a_layer * layers, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void dual_norm(benchmark::State& state) {
  run(state, {});
}
void beside_200_others(benchmark::State& state) {
  run(state, unrelated(200));
}

BENCHMARK(dual_norm)->RangeMultiplier(10)->Range(61, 61000)->Unit(benchmark::kMicrosecond);
BENCHMARK(beside_200_others)->Arg(61)->Arg(610)->Unit(benchmark::kMicrosecond);

int run_once(int layers) {
  const auto context = Context::create();
  const FusionSet fusions = FusionSet::shipped(context);
  Graph graph = test::mla_layers(context, layers);
  const EngineResult result = match_and_rewrite(fusions.compiled(), graph);
  std::cout << layers << " layers, " << peer_ops_a_layer * layers << " peer ops, " << result.fusions[0].matches
            << " sites fused\n";
  return result.fusions[0].matches == static_cast<std::size_t>(layers) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--once") == 0)
    return run_once(std::atoi(argv[2]));
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
