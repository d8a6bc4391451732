// Whole models of torch.export on an emulated GPU, against what PyTorch computed: plans, arenas, uploads, launches,
// recorded graphs and every kernel on the way. docs/gpu-runtime.md says how to run all of them.
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/io/torch_export.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>
#include <tandem/runtime/hip/hip_executor.h>
#include <tandem/runtime/safetensors.h>
#include <tandem/runtime/torch_weights.h>
#include <tests/runtime/hip/hip_test_support.h>
#include <tests/support/emulated_gpu/emulated_gpu.h>
#include <tests/support/temp_dir.h>

using namespace tandem;
using namespace tandem::test;

namespace {

struct Model {
  ImportedProgram program;
  TensorStore weights;
  std::vector<Tensor> inputs, outputs;
};

Model load(std::string_view name, std::string_view tensors) {
  const std::string folder = data_file("torch_export/");
  Model model{import_torch_export(Context::create(), folder + std::string(name) + ".pt2"), {}, {}, {}};
  add_program_weights(model.weights, model.program.weights);
  const SafetensorsFile io = SafetensorsFile::open(folder + std::string(tensors) + "_io.safetensors");
  for (auto [prefix, list] : {std::pair{"input.", &model.inputs}, std::pair{"output.", &model.outputs}})
    while (auto tensor = io.find(prefix + std::to_string(list->size())))
      list->push_back(std::move(*tensor));
  return model;
}

void fuse(Graph& graph, const EmulatedGpu& gpu) {
  PassConfig config;
  config.level = OptLevel::O3;
  const FusionSet fusions = FusionSet::shipped(graph.shared_context());
  PipelineOptions options;
  options.fusions = &fusions;
  run_pipeline(graph, config, parse_target(gpu.wave_size == 64 ? "rocm:gfx942" : "rocm:gfx1100"), options);
}

/// f32 within 1e-5 of the largest finite element, bf16 and f16 within 2e-2, integers exactly.
std::string compare_with_pytorch(const std::vector<Tensor>& got, const std::vector<Tensor>& want) {
  std::string text = got.size() == want.size() ? "" : "another number of outputs";
  for (std::size_t i = 0; i < want.size() && text.empty(); ++i) {
    double largest = 0;
    for (std::int64_t j = 0; j < want[i].view.size(); ++j)
      if (const double x = std::abs(load_element(want[i].view, j)); std::isfinite(x))
        largest = std::max(largest, x);
    const DType dtype = want[i].view.dtype;
    const double relative = dtype == DType::bf16 || dtype == DType::f16 ? 2e-2 : is_float(dtype) ? 1e-5 : 0.0;
    text = difference(got[i].view, want[i].view, {0, relative * largest});
    if (!text.empty())
      text = "output." + std::to_string(i) + ": " + text;
  }
  return text;
}

void check_model(std::string_view name, std::string_view tensors, int wave, bool fused) {
  INFO(name << ", waves of " << wave << (fused ? ", fused" : ""));
  Model model = load(name, tensors);
  EmulatedGpu gpu(EmulatedKernels::load(emulated_kernels_path(wave)));
  if (fused)
    fuse(model.program.graph, gpu);
  {
    HipPlanOptions options;
    options.blas = HipPlanOptions::Blas::off;
    HipExecutor executor(HipPlan::compile(model.program.graph, model.weights, gpu.device(), options));
    CHECK(compare_with_pytorch(executor.run(model.inputs), model.outputs) == "");
    gpu.in_two_orders = false;
    CHECK(compare_with_pytorch(executor.run(model.inputs), model.outputs) == "");  // recorded and replayed
    CHECK(gpu.calls_of("hipGraphLaunch") == 1);
  }
  CHECK(gpu.live() == "");
}

/// Values that are views, broadcast, computed by all kinds of kernels, and live for long or short: whatever an arena
/// may get wrong.
Graph random_plan(Random& random, std::size_t nodes, DType dtype) {
  GraphBuilder b(Context::create(), "g");
  const Dim T = b.dim("T");
  std::vector<Value> values{b.input("x", dtype, {T, 6}), b.input("y", dtype, {T, 6})};
  const Value w = b.input("w", dtype, {6, 6});
  for (std::size_t i = 0; i < nodes; ++i) {
    const Value v = values[random() % values.size()], u = values[random() % values.size()];
    switch (random() % 12) {
      case 0: values.push_back(b.op("neg", {v})); break;
      case 1: values.push_back(b.op("mul", {v, u})); break;
      case 2: values.push_back(b.op("add", {v, u})); break;
      case 3: values.push_back(b.op("tanh", {v})); break;
      case 4:
        values.push_back(b.op("maximum", {v, b.op("slice", {u}, {{"axis", 1}, {"start", 2}, {"end", 3}})}));
        break;
      case 5: {
        const auto [l, r] = b.op<2>("split", {v}, {{"axis", -1}, {"sizes", {2, 4}}});
        values.push_back(b.op("concat", {r, l}, {{"axis", -1}}));
        break;
      }
      case 6:
        values.push_back(b.op("reshape", {b.op("transpose", {v}, {{"perm", {1, 0}}})}, {{"shape", {T, 6}}}));
        break;
      case 7: values.push_back(b.op("linear", {b.op("tanh", {v}), w})); break;
      case 8: values.push_back(b.op("sigmoid", {v})); break;
      case 9: {
        const Value greater = b.op("gt", {v, u});
        values.push_back(b.op("where", {greater, u, v}));
        break;
      }
      case 10: values.push_back(b.op("sub", {v, b.op("mean", {u}, {{"axes", {-1}}, {"keepdims", true}})})); break;
      default: values.push_back(b.op("softmax", {v}, {{"axis", -1}}));
    }
  }
  b.output(values.back());
  b.output(values[values.size() / 2]);
  return std::move(b).finish();
}

}  // namespace

TEST_CASE("emulated: a down projection and its norms, as PyTorch computes them") {
  const int wave = GENERATE(32, 64);
  const bool fused = GENERATE(false, true);
  check_model("mla_down_small", "mla_down_small", wave, fused);
  check_model("mla_down_bf16", "mla_down_bf16", wave, fused);
}

TEST_CASE("emulated: attention layers, as PyTorch computes them") {
  const int wave = GENERATE(32, 64);
  const bool fused = GENERATE(false, true);
  for (const char* name : {"deepseek_v3_attention", "deepseek_v3_attention_bf16", "deepseek_v2_attention",
                           "glm_moe_dsa_attention", "longcat_flash_attention", "minicpm3_attention_decomposed"})
    check_model(name, name, wave, fused);
}

TEST_CASE("emulated: language models with experts, as PyTorch computes them") {
  check_model("youtu_lm_dynamic", "youtu_lm_dynamic", 64, true);
  check_model("deepseek_v3_lm_bf16", "deepseek_v3_lm_bf16", 64, true);
  check_model("deepseek_v32_lm_dynamic", "deepseek_v32_lm_dynamic_2", 32, true);
}

TEST_CASE("emulated: operators, as PyTorch computes them") {
  const int wave = GENERATE(32, 64);
  for (const char* name : {"ops_elementwise", "ops_reductions", "ops_indexing", "ops_products"})
    check_model(name, name, wave, false);
}

TEST_CASE("emulated: an index out of range is told with its node, and spoils no later run") {
  const Graph graph = parse_text(Context::create(),
                                 "graph @g(%x: f32[4, 3], %i: i64[2]) {\n  %y = take %x, %i {axis = 0} : f32[2, 3]\n"
                                 "  %z = neg %y : f32[2, 3]\n  return %z\n}\n",
                                 "g");
  EmulatedGpu gpu(EmulatedKernels::load(emulated_kernels_path(64)));
  HipPlanOptions options;
  options.blas = HipPlanOptions::Blas::off;
  HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
  Random random(1);
  Tensor index = Tensor::zeros(DType::i64, std::vector<std::int64_t>{2});
  const std::vector<Tensor> in{random_tensor(random, DType::f32, {4, 3}), index};
  for (const std::int64_t last : {3, 4, 2, -1, 1}) {
    index.view.as<std::int64_t>()[1] = last;
    if (last >= 0 && last < 4) {
      CHECK(compare(executor.run(in), reference_run(graph, {}, in)) == "");
      continue;
    }
    const Error error = error_of([&] { executor.run(in); });
    CHECK(error.diagnostics().front().code == "run.index");
    CHECK(std::string(error.what()).find("%y") != std::string::npos);
  }
}

TEST_CASE("emulated: random graphs give what the reference gives") {
  const int wave = GENERATE(32, 64);
  Random random(static_cast<Random::result_type>(wave));
  const auto kernels = EmulatedKernels::load(emulated_kernels_path(wave));
#if defined(__SANITIZE_ADDRESS__)
  constexpr std::size_t graphs = 5;
#else
  constexpr std::size_t graphs = 25;
#endif
  std::size_t chained = 0;
  for (std::size_t round = 0; round < graphs; ++round) {
    const DType dtype = round % 2 == 0 ? DType::f64 : DType::f32;
    const Graph graph = random_plan(random, 24, dtype);
    INFO(to_text(graph));
    EmulatedGpu gpu(kernels);
    HipPlanOptions options;
    options.blas = HipPlanOptions::Blas::off;
    HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
    options.chains = false;
    HipExecutor one_by_one(HipPlan::compile(graph, {}, gpu.device(), options));
    for (const std::int64_t t : {3, 1, 0, 3, 3}) {
      const std::vector<Tensor> in{random_tensor(random, dtype, {t, 6}), random_tensor(random, dtype, {t, 6}),
                                   random_tensor(random, dtype, {6, 6})};
      gpu.ran.clear();
      const std::vector<Tensor> got = executor.run(in);
      const std::size_t launches = gpu.ran.size();
      gpu.ran.clear();
      CHECK(compare(got, one_by_one.run(in)) == "");  // to the bit
      CHECK(launches <= gpu.ran.size());
      chained += gpu.ran.size() - launches;
      if (dtype == DType::f64)
        CHECK(compare(got, reference_run(graph, {}, in), {1e-9, 1e-12}) == "");
    }
  }
  CHECK(chained > graphs);
}

TEST_CASE("emulated: elementwise nodes that follow each other are one launch") {
  const Graph graph = parse_text(Context::create(), R"(
graph @g(%x: f32[T, 6], %s: f32[6], %w: f32[4, 6]) {
  %a = mul %x, %s : f32[T, 6]
  %b = silu %a : f32[T, 6]
  %left, %right = split %x {axis = -1, sizes = [3, 3]} : f32[T, 3], f32[T, 3]
  %c = add %x, %b : f32[T, 6]
  %d = mul %c, %b : f32[T, 6]
  %p = linear %d, %w : f32[T, 4]
  %e = neg %p : f32[T, 4]
  %f = exp %e : f32[T, 4]
  %h, %t = split %f {axis = -1, sizes = [2, 2]} : f32[T, 2], f32[T, 2]
  %g = add %h, %t : f32[T, 2]
  %i = cast %g {dtype = bf16} : bf16[T, 2]
  %k = gelu %p : f32[T, 4]
  return %c, %i, %f, %k, %left
}
)",
                                 "g");
  EmulatedGpu gpu(EmulatedKernels::load(emulated_kernels_path(64)));
  HipPlanOptions options;
  options.blas = HipPlanOptions::Blas::off;
  HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
  Random random(7);
  for (const std::int64_t t : {1, 5, 0, 5}) {
    const std::vector<Tensor> in{random_tensor(random, DType::f32, {t, 6}), random_tensor(random, DType::f32, {6}),
                                 random_tensor(random, DType::f32, {4, 6})};
    gpu.ran.clear();
    CHECK(compare(executor.run(in), reference_run(graph, {}, in), {1e-5, 1e-6}) == "");
    // a b c d; e f; g i, which read views of f; gelu, which the wide kernel computes; the copy of a view
    const std::string narrow = "elementwise_narrow";
    if (t == 5)
      CHECK(gpu.ran == std::vector<std::string>{narrow, "matmul_f32", narrow, narrow, "elementwise_wide", "copy_4"});
  }
  std::string reasons;
  for (const PlannedNode& node : executor.plan().nodes())
    reasons += node.reason + ";";
  CHECK(reasons.find("in chain 2 of elementwise nodes") != std::string::npos);
}
