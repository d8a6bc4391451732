// Reading and writing the JSON form, verifying and copying: MB/s and ns an op at 61 to 21,100 layers of 19 ops (400,900
// nodes); reading infers types and checks all.
//
//     bench_json --benchmark_min_time=2
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include <tandem/ir/builder.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>

namespace {

using namespace tandem;

/// The attention part of a DeepSeek-V3 layer down to the second projections, and a dense MLP: 19 ops.
Value layer(GraphBuilder& b, Value hidden, std::size_t index) {
  const std::string prefix = "model.layers." + std::to_string(index) + ".";
  const std::string tag = "l" + std::to_string(index) + "_";
  const auto name = [&](const char* base, Value v) { return b.named(tag + base, v); };
  const auto weight = [&](const char* base, std::initializer_list<Dim> shape) {
    return b.weight(tag + base, DType::bf16, shape, prefix + base + ".weight");
  };
  b.set_scope(prefix + "self_attn");
  const Value input =
      name("input_norm", b.op("rms_norm", {hidden, weight("input_layernorm", {7168})}, {{"eps", 1e-6}}));
  const Value down = name("down", b.op("linear", {input, weight("qkv_a_proj", {2112, 7168})}));
  const auto [q, kv] = b.op<2>("split", {down}, {{"axis", -1}, {"sizes", {1536, 576}}});
  name("q_latent", q), name("kv_all", kv);
  const auto [c, pe] = b.op<2>("split", {kv}, {{"axis", -1}, {"sizes", {512, 64}}});
  name("kv_latent", c), name("k_pe", pe);
  const Value qn = name("q_norm", b.op("rms_norm", {q, weight("q_a_layernorm", {1536})}, {{"eps", 1e-6}}));
  const Value cn = name("kv_norm", b.op("rms_norm", {c, weight("kv_a_layernorm", {512})}, {{"eps", 1e-6}}));
  const Value qb = name("q_b", b.op("linear", {qn, weight("q_b_proj", {24576, 1536})}));
  const Value kvb = name("kv_b", b.op("linear", {cn, weight("kv_b_proj", {32768, 512})}));
  const auto [keys, values] = b.op<2>("split", {kvb}, {{"axis", -1}, {"sizes", {16384, 16384}}});
  name("keys", keys), name("values", values);
  const Value gate = name("q_gate", b.op("slice", {qb}, {{"axis", -1}, {"start", Dim(0)}, {"end", Dim(16384)}}));
  const Value product = name("scores", b.op("mul", {gate, keys}));
  const Value mixed = name("context", b.op("add", {product, values}));
  const Value o = name("attn_out", b.op("linear", {mixed, weight("o_proj", {7168, 16384})}));
  const Value residual = name("attn_residual", b.op("add", {hidden, o}));
  b.set_scope(prefix + "mlp");
  const Value norm =
      name("post_norm", b.op("rms_norm", {residual, weight("post_attention_layernorm", {7168})}, {{"eps", 1e-6}}));
  const Value up = name("up", b.op("linear", {norm, weight("up_proj", {18432, 7168})}));
  const Value act = name("act", b.op("silu", {up}));
  const Value out = name("mlp_out", b.op("linear", {act, weight("down_proj", {7168, 18432})}));
  return name("mlp_residual", b.op("add", {residual, out}));
}

Graph model(std::size_t layers) {
  auto context = Context::create();
  GraphBuilder b(context, "model");
  const Dim tokens = b.dim("T", {1, 131072});
  Value hidden = b.input("hidden", DType::bf16, {tokens, 7168});
  for (std::size_t i = 0; i < layers; ++i)
    hidden = layer(b, hidden, i);
  b.output(hidden);
  return std::move(b).finish();
}

void report(benchmark::State& state, std::size_t bytes, std::size_t nodes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(bytes));
  state.counters["nodes"] = static_cast<double>(nodes);
  state.counters["bytes/node"] = static_cast<double>(bytes) / static_cast<double>(nodes);
  state.counters["nodes/s"] = benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(nodes),
                                                 benchmark::Counter::kIsRate);
}

// A new context each time, as a first read has it.
void read_json(benchmark::State& state) {
  const Graph graph = model(static_cast<std::size_t>(state.range(0)));
  const std::string text = to_json(graph);
  for (auto _ : state) {
    Graph read = parse_json(Context::create(), text);
    benchmark::DoNotOptimize(read);
  }
  report(state, text.size(), graph.num_nodes());
}
BENCHMARK(read_json)->Arg(61)->Arg(610)->Arg(6100)->Arg(21100)->Unit(benchmark::kMicrosecond);

void write_json(benchmark::State& state) {
  const Graph graph = model(static_cast<std::size_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string text = to_json(graph);
    bytes = text.size();
    benchmark::DoNotOptimize(text.data());
  }
  report(state, bytes, graph.num_nodes());
}
BENCHMARK(write_json)->Arg(61)->Arg(610)->Arg(6100)->Arg(21100)->Unit(benchmark::kMicrosecond);

void read_text(benchmark::State& state) {
  const Graph graph = model(static_cast<std::size_t>(state.range(0)));
  const std::string text = to_text(graph);
  for (auto _ : state) {
    Graph read = parse_text(Context::create(), text);
    benchmark::DoNotOptimize(read);
  }
  report(state, text.size(), graph.num_nodes());
}
BENCHMARK(read_text)->Arg(61)->Arg(610)->Arg(6100)->Arg(21100)->Unit(benchmark::kMicrosecond);

void write_text(benchmark::State& state) {
  const Graph graph = model(static_cast<std::size_t>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) {
    const std::string text = to_text(graph);
    bytes = text.size();
    benchmark::DoNotOptimize(text.data());
  }
  report(state, bytes, graph.num_nodes());
}
BENCHMARK(write_text)->Arg(61)->Arg(610)->Arg(6100)->Arg(21100)->Unit(benchmark::kMicrosecond);

void verify_graph(benchmark::State& state) {
  const Graph graph = model(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(verify(graph).size());
  report(state, 0, graph.num_nodes());
}
BENCHMARK(verify_graph)->Arg(61)->Arg(610)->Arg(6100)->Arg(21100)->Unit(benchmark::kMicrosecond);

void copy_graph(benchmark::State& state) {
  const Graph graph = model(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    Graph copy = graph;
    benchmark::DoNotOptimize(copy);
  }
  report(state, 0, graph.num_nodes());
}
BENCHMARK(copy_graph)->Arg(61)->Arg(610)->Arg(6100)->Arg(21100)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
