// The engine alone: match and rewrite the dual norms of N layers by the shipped dual norm, all its spellings; the same
// with 200 other fusions beside it, with all shipped ones, and by one spelling as C++ builds it and as its text reads.
//
//     bench_fusion                               times; "per_op" counts the peers' 19 operations a layer
//     valgrind --tool=callgrind --toggle-collect='*match_and_rewrite*' bench_fusion --once 61      instructions
//     ... bench_fusion --once 61 200             or: shipped, built, read
//
// The graph and the peers' figures: docs/benchmarks.md. Every run gets a graph as the builder left it; building is not
// counted; the op index is part of the graph, made as it is built.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/builder.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pattern/text.h>
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

/// The shipped dual norm alone, then `more`.
std::vector<Pattern> dual_norm_and(std::vector<Pattern> more) {
  std::vector<Pattern> patterns = shipped_fusions();
  std::erase_if(patterns, [](const Pattern& p) { return p.name != "mla_dual_rms_norm"; });
  std::move(more.begin(), more.end(), std::back_inserter(patterns));
  return patterns;
}

/// One spelling of the dual norm, the nested splits, built in C++.
Pattern nested_dual_norm() {
  PatternBuilder p("nested_dual_norm");
  const auto [Q, C, P] = p.dims("Q", "C", "P");
  const auto T = p.dtype("T", {DType::bf16, DType::f16, DType::f32});
  const auto x = p.input("x", T);
  const auto q_w = p.input("q_w", T, {Q}), kv_w = p.input("kv_w", T, {C});
  const auto [q, kv] = p.match("split", {x}).attr("axis", -1).attr("sizes", {Q, C + P}).keep().results("q", "kv");
  const auto [c, pe] = p.match("split", {kv}).attr("axis", -1).attr("sizes", {C, P}).keep().results("c", "pe");
  const auto norm = [&](const PatternValueName& in, const PatternValueName& weight, const char* eps) {
    return p.match("rms_norm", {in, weight}).attr("eps", capture(eps)).attr("round_before_weight", capture("round"));
  };
  const auto qn = norm(q, q_w, "eps_q").result("qn"), cn = norm(c, kv_w, "eps_kv").result("cn");
  const auto [fused_q, fused_c] = p.create("fused_mla_dual_rms_norm", {q, q_w, c, kv_w})
                                      .attr("eps_q", capture("eps_q"))
                                      .attr("eps_kv", capture("eps_kv"))
                                      .attr("round_before_weight", capture("round"))
                                      .results("fused_q", "fused_c");
  p.replace(qn, fused_q);
  p.replace(cn, fused_c);
  return p.finish();
}

std::vector<Pattern> fusions_named(std::string_view name) {
  if (name == "shipped")
    return shipped_fusions();
  if (name == "built")
    return {nested_dual_norm()};
  if (name == "read")
    return read_fusions(format(nested_dual_norm()), "nested_dual_norm.fusion");
  return dual_norm_and(unrelated(std::atoi(std::string(name).c_str())));
}

std::size_t sites(const EngineResult& result) {
  std::size_t n = 0;
  for (const FusionStatistics& f : result.fusions)
    n += f.matches;
  return n;
}

void run(benchmark::State& state, std::string_view name) {
  const auto context = Context::create();
  const FusionSet fusions(context, fusions_named(name));
  const int layers = static_cast<int>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    Graph graph = test::mla_layers(context, layers);
    state.ResumeTiming();
    const EngineResult result = match_and_rewrite(fusions.compiled(), graph);
    state.PauseTiming();
    if (sites(result) != static_cast<std::size_t>(layers))
      state.SkipWithError("not all sites were fused");
    state.counters["bytes_per_node"] =
        static_cast<double>(graph.memory_bytes()) / static_cast<double>(graph.num_nodes());
    { const Graph gone = std::move(graph); }
    state.ResumeTiming();
  }
  state.counters["per_op"] = benchmark::Counter(
      peer_ops_a_layer * layers, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

BENCHMARK_CAPTURE(run, dual_norm, "0")->RangeMultiplier(10)->Range(61, 61000)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(run, beside_200_others, "200")->Arg(61)->Arg(610)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(run, all_shipped, "shipped")->Arg(61)->Arg(610)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(run, built_in_cpp, "built")->Arg(61)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(run, read_from_text, "read")->Arg(61)->Unit(benchmark::kMicrosecond);

int run_once(int layers, std::string_view name) {
  const auto context = Context::create();
  const FusionSet fusions(context, fusions_named(name));
  Graph graph = test::mla_layers(context, layers);
  const EngineResult result = match_and_rewrite(fusions.compiled(), graph);
  std::cout << layers << " layers, " << peer_ops_a_layer * layers << " peer ops, " << sites(result) << " sites fused\n";
  return sites(result) == static_cast<std::size_t>(layers) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 3 && std::strcmp(argv[1], "--once") == 0)
    return run_once(std::atoi(argv[2]), argc > 3 ? argv[3] : "0");
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
