// What each pass costs, from 61 layers to 6,100, and for those that are linear to 9,545 (400,890 ops): time an op, and
// whether that grows.
//
//     bench_passes --benchmark_filter=pipeline
//
// The graph has, in every layer, what the passes look for beside what they leave alone: nested splits, a duplicate
// split, reshapes that come to nothing and a dead node; 42 ops a layer, so that 61 layers are about as long as a
// DeepSeek-V3 graph. "per_op" divides by the ops before the pass.

#include <benchmark/benchmark.h>

#include <tandem/ir/builder.h>
#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>

using namespace tandem;

namespace {

Value add_layer(GraphBuilder& b, Value x, Value w_down, Value w_up, Value q_norm, Value c_norm) {
  const Value p = b.op("linear", {x, w_down});
  const auto [q, kv] = b.op<2>("split", {p}, {{"axis", -1}, {"sizes", {1536, 576}}});
  const auto [q2, kv2] = b.op<2>("split", {p}, {{"axis", -1}, {"sizes", {1536, 576}}});
  const auto [c, pe] = b.op<2>("split", {kv2}, {{"axis", 1}, {"sizes", {512, 64}}});
  const Value qn = b.op("rms_norm", {q, q_norm}, {{"eps", 1e-6}});
  const Value cn = b.op("rms_norm", {c, c_norm}, {{"eps", 1e-6}});
  b.op("neg", {pe});  // dead
  const Value packed = b.op("concat", {qn, cn}, {{"axis", -1}});
  const Value same = b.op("identity", {packed});
  Value h = same;
  const Dim tokens = b.graph().type(x).shape[0];
  for (int i = 0; i < 4; ++i) {  // there and back again
    const Value r = b.op("reshape", {h}, {{"shape", std::vector<Dim>{tokens, 16, 128}}});
    h = b.op("reshape", {r}, {{"shape", std::vector<Dim>{tokens, 2048}}});
  }
  for (int i = 0; i < 8; ++i) {
    const Value s = b.op("silu", {h});
    const Value m = b.op("mul", {s, h});
    h = b.op("add", {m, s});
  }
  return b.op("linear", {h, w_up});
}

Graph make_graph(int layers) {
  GraphBuilder b(Context::create(), "bench");
  Value x = b.input("x", DType::bf16, {b.dim("T", {.min = 1, .max = 131072}), 512});
  for (int i = 0; i < layers; ++i) {
    const std::string n = std::to_string(i);
    x = add_layer(b, x, b.weight("down" + n, DType::bf16, {2112, 512}), b.weight("up" + n, DType::bf16, {512, 2048}),
                  b.weight("qn" + n, DType::bf16, {1536}), b.weight("cn" + n, DType::bf16, {512}));
  }
  b.output(x);
  return std::move(b).finish();
}

template <class Run>
void time_on_copies(benchmark::State& state, Run run) {
  const Graph graph = make_graph(static_cast<int>(state.range(0)));
  const FusionSet fusions = FusionSet::shipped(graph.shared_context());
  PipelineOptions options;
  options.fusions = &fusions;
  for (auto _ : state) {
    state.PauseTiming();
    Graph copy = graph;
    state.ResumeTiming();
    run(copy, options);
    state.PauseTiming();
    { Graph gone = std::move(copy); }
    state.ResumeTiming();
  }
  state.counters["ops"] = static_cast<double>(graph.num_nodes());
  state.counters["per_op"] =
      benchmark::Counter(static_cast<double>(graph.num_nodes()),
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void one_pass(benchmark::State& state, std::string_view name) {
  const Pass pass = pass_named(name);
  const PassConfig config;
  const Capabilities capabilities = parse_target("rocm:gfx942");
  time_on_copies(state, [&](Graph& graph, const PipelineOptions& options) {
    PassContext context{config, capabilities};
    context.fusions = options.fusions;
    benchmark::DoNotOptimize(pass.run(graph, context));
  });
}

void pipeline(benchmark::State& state) {
  const PassConfig config;
  const Capabilities capabilities = parse_target("rocm:gfx942");
  time_on_copies(state, [&](Graph& graph, const PipelineOptions& options) {
    benchmark::DoNotOptimize(run_pipeline(graph, config, capabilities, options));
  });
}

/// Parsing the text of all shipped fusions, which a process does once.
void read_shipped_fusions(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(shipped_fusions());
}

}  // namespace

BENCHMARK(read_shipped_fusions)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(one_pass, verify, "verify")->RangeMultiplier(10)->Range(61, 6100)->Arg(9545);
BENCHMARK_CAPTURE(one_pass, dce, "dce")->RangeMultiplier(10)->Range(61, 6100)->Arg(9545);
BENCHMARK_CAPTURE(one_pass, fold, "fold")->RangeMultiplier(10)->Range(61, 6100);
BENCHMARK_CAPTURE(one_pass, noops, "noops")->RangeMultiplier(10)->Range(61, 6100);
BENCHMARK_CAPTURE(one_pass, cse, "cse")->RangeMultiplier(10)->Range(61, 6100)->Arg(9545);
BENCHMARK_CAPTURE(one_pass, raise, "raise")->RangeMultiplier(10)->Range(61, 6100);
BENCHMARK_CAPTURE(one_pass, merge_linears, "merge_linears")->RangeMultiplier(10)->Range(61, 6100);
BENCHMARK_CAPTURE(one_pass, splits, "splits")->RangeMultiplier(10)->Range(61, 6100);
BENCHMARK(pipeline)->RangeMultiplier(10)->Range(61, 6100);

BENCHMARK_MAIN();
