// A small inference engine that uses tandem from outside: it brings an op, a kernel and a fusion of its own, runs the
// pipeline over a graph, and executes the graph before and after.
#include <cmath>
#include <cstdio>

#include <tandem/ir/builder.h>
#include <tandem/passes/pattern/builder.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>
#include <tandem/runtime/executor.h>

using namespace tandem;

// The op: silu(gate) * up. Its decomposition says what it means, and runs where there is no kernel.
OpRow silu_and_mul() {
  return {.name = "engine_silu_and_mul",
          .signature = "(gate, up) -> y",
          .traits = trait::pure | trait::fused,
          .infer = [](Inference& in) { in.results.push_back(in.operands[0]); },
          .doc = "silu(gate) * up in one pass over memory.",
          .decompose =
              [](GraphBuilder& b, std::span<const Value> in, std::span<const Attribute>) {
                return std::vector<Value>{b.op("mul", {b.op("silu", {in[0]}), in[1]})};
              }};
}

// The kernel, in f32.
KernelTable engine_kernels() {
  KernelTable table("engine");
  table.add("engine_silu_and_mul", [](const KernelCall& call) {
    for (std::int64_t i = 0; i < call.results[0].size(); ++i) {
      const double gate = load_element(call.operands[0], i);
      store_element(call.results[0], i, gate / (1 + std::exp(-gate)) * load_element(call.operands[1], i));
    }
  });
  return table;
}

// The fusion: mul(silu(gate), up), wherever it stands and whichever operand comes first, becomes the op.
Pattern silu_and_mul_fusion() {
  PatternBuilder p("engine_silu_and_mul");
  p.flag("fuse_engine_silu_and_mul").requires_kernel("engine_silu_and_mul");
  const PatternType T = p.dtype("T", {DType::f32});
  const auto gate = p.input("gate", T, leading("B", {})), up = p.input("up", T, leading("B", {}));
  const auto activated = p.match("silu", {gate}).result("activated");
  const auto y = p.match("mul", {activated, up}).result("y");
  p.replace(y, p.create("engine_silu_and_mul", {gate, up}).result("fused"));
  return p.finish();
}

Graph gated_mlp(std::shared_ptr<Context> context) {
  GraphBuilder b(std::move(context), "gated_mlp");
  const Value x = b.input("x", DType::f32, {b.dim("T", {.min = 1, .max = 4096}), 8});
  const Value gate = b.op("linear", {x, b.weight("gate", DType::f32, {16, 8})});
  const Value up = b.op("linear", {x, b.weight("up", DType::f32, {16, 8})});
  b.output(b.op("mul", {b.op("silu", {gate}), up}));
  return std::move(b).finish();
}

Tensor filled(std::initializer_list<std::int64_t> shape, double step) {
  Tensor tensor = Tensor::zeros(DType::f32, shape);
  for (std::int64_t i = 0; i < tensor.view.size(); ++i)
    store_element(tensor.view, i, std::sin(step * double(i + 1)));
  return tensor;
}

int main() try {
  const auto context = Context::create();
  context->register_op(silu_and_mul());
  const FusionSet fusions = FusionSet::shipped(context, {silu_and_mul_fusion()});
  Capabilities target = detect_capabilities();
  target.kernels.push_back({.op = "engine_silu_and_mul", .provider = "engine", .dtypes = {DType::f32}});

  const Graph graph = gated_mlp(context);
  Graph fused = graph;
  const DecisionReport report = run_pipeline(fused, {.level = OptLevel::O1}, target, {.fusions = &fusions});
  std::printf("%s", to_text(report).c_str());

  TensorStore weights;
  weights.add("gate", filled({16, 8}, 0.7));
  weights.add("up", filled({16, 8}, 0.3));
  const std::vector<Tensor> inputs{filled({5, 8}, 0.1)};
  const PlanOptions providers{.providers = {engine_kernels(), cpu_kernels(), reference_kernels()}};
  const Tensor expected = Executor(Plan::compile(graph, weights)).run(inputs).at(0);
  const Tensor actual = Executor(Plan::compile(fused, weights, providers)).run(inputs).at(0);
  double difference = 0;
  for (std::int64_t i = 0; i < expected.view.size(); ++i)
    difference = std::fmax(difference, std::fabs(load_element(actual.view, i) - load_element(expected.view, i)));
  std::printf("largest difference between fused and unfused: %g\n", difference);
  return report.matches("engine_silu_and_mul") == 1 && difference < 1e-6 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "%s", error.what());
  return 2;
}
