// What a plan for a GPU decides: kernels, decompositions, libraries, the CPU for the rest.
#include <tandem/runtime/hip/hip_plan.h>

#include <tests/runtime/hip/hip_test_support.h>

using namespace tandem;
using namespace tandem::test;

namespace {

Graph fused() {
  return parse_text(Context::create(), R"(
graph @g(%q: f32[T, 6], %qw: f32[6], %c: f32[T, 4], %cw: f32[4]) {
  %a, %b = fused_mla_dual_rms_norm %q, %qw, %c, %cw {eps_q = 1e-06, eps_kv = 1e-06} : f32[T, 6], f32[T, 4]
  return %a, %b
}
)",
                    "g");
}

}  // namespace

TEST_CASE("gpu: a fused op without a kernel, or that its kernel refuses, is decomposed", "[hip]") {
  FakeGpu gpu;
  const Graph graph = fused();
  Random random(1);
  const std::vector<Tensor> in{random_tensor(random, DType::f32, {3, 6}), random_tensor(random, DType::f32, {6}),
                               random_tensor(random, DType::f32, {3, 4}), random_tensor(random, DType::f32, {4})};
  HipPlanOptions options = fake_options(gpu, graph);
  HipKernel picky = *options.kernels->find("fused_mla_dual_rms_norm");
  picky.supports = [](const HipQuery& q) { return q.operands[0].dtype == DType::f32 ? "f32 is too wide" : ""; };
  SECTION("no kernel") {
    options = fake_options(gpu, graph, {"fused_mla_dual_rms_norm"});
  }
  SECTION("refused") {
    options.kernels->add("fused_mla_dual_rms_norm", picky);
  }
  HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
  CHECK(to_string(executor.plan()).find("decomposed from fused_mla_dual_rms_norm") != std::string::npos);
  CHECK(compare(executor.run(in), reference_run(graph, {}, in), tolerance(DType::f32)) == "");
  CHECK(gpu.ran == std::vector<std::string>{"rms_norm", "rms_norm"});
}

TEST_CASE("gpu: all nodes without a kernel are named, or computed by the CPU where that is allowed", "[hip]") {
  FakeGpu gpu;
  const Graph graph = parse_text(Context::create(), R"(
graph @g(%x: f32[T, 6]) {
  %e = exp %x : f32[T, 6]
  %v, %i = sort %e : f32[T, 6], i64[T, 6]
  %y = erf %v : f32[T, 6]
  return %y, %i
}
)",
                                 "g");
  HipPlanOptions options = fake_options(gpu, graph, {"sort", "erf"});
  const Error error = error_of([&] { HipPlan::compile(graph, {}, gpu.device(), options); });
  REQUIRE(error.diagnostics().size() == 2);
  CHECK(error.diagnostics()[0].code == "hip.no-kernel");
  CHECK(error.diagnostics()[0].where.path == "%v");
  CHECK(error.diagnostics()[1].where.path == "%y");
  options.allow_host = true;
  {
    HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
    Random random(2);
    for (int round = 0; round < 3; ++round) {
      const std::vector<Tensor> in{random_tensor(random, DType::f32, {4, 6})};
      CHECK(compare(executor.run(in), reference_run(graph, {}, in), tolerance(DType::f32)) == "");
    }
    CHECK(gpu.calls_of("hipGraphLaunch") == 0);
  }
  CHECK(gpu.live() == "");
}

TEST_CASE("gpu: matrix products go to a library where strides allow, measured once for a shape", "[hip][blas]") {
  FakeGpu gpu;
  FakeBlas blas;
  const Graph graph = parse_text(Context::create(), R"(
graph @g(%x: f32[B, T, 8], %w: f32[6, 8], %bias: f32[6], %a: f32[B, 4, T], %v: f32[8, 6], %k: f32[2, 3]) {
  %y = linear %x, %w, %bias : f32[B, T, 6]
  %z = matmul %a, %y : f32[B, 4, 6]
  %vt = transpose %v {perm = [1, 0]} : f32[6, 8]
  %u = linear %x, %vt : f32[B, T, 6]
  %xt = transpose %x {perm = [0, 2, 1]} : f32[B, 8, T]
  %m = matmul %xt, %u : f32[B, 8, 6]
  %s = slice %m {axis = 2, start = 0, end = 6, step = 2} : f32[B, 8, 3]
  %n = linear %s, %k : f32[B, 8, 2]
  return %y, %z, %u, %m, %n
}
)",
                                 "g");
  Random random(3);
  const auto inputs = [&](std::int64_t b, std::int64_t t) {
    return std::vector<Tensor>{
        random_tensor(random, DType::f32, {b, t, 8}), random_tensor(random, DType::f32, {6, 8}),
        random_tensor(random, DType::f32, {6}),       random_tensor(random, DType::f32, {b, 4, t}),
        random_tensor(random, DType::f32, {8, 6}),    random_tensor(random, DType::f32, {2, 3})};
  };
  HipPlanOptions options = fake_options(gpu, graph);
  options.blas = HipPlanOptions::Blas::automatic;
  options.blas_api = blas.api(gpu);
  {
    HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
    CHECK(executor.plan().blas_reason() == "libfakeblas.so");
    CHECK(executor.plan().nodes()[0].provider == "libfakeblas.so");
    const std::vector<Tensor> in = inputs(2, 3);
    for (int round = 0; round < 3; ++round) {
      gpu.ran.clear();
      CHECK(compare(executor.run(in), reference_run(graph, {}, in), {1e-5, 1e-6}) == "");
      // Four products of the library, each by the fastest of three proposals; one whose elements lie apart stays.
      CHECK(std::count(gpu.ran.begin(), gpu.ran.end(), "slow") == 4);
      CHECK(std::count(gpu.ran.begin(), gpu.ran.end(), "linear") == 1);
    }
    const std::int64_t asked = blas.products;
    HipExecutor second(executor.plan());
    CHECK(compare(second.run(in), reference_run(graph, {}, in), {1e-5, 1e-6}) == "");
    CHECK(blas.products == asked + 4);  // measured before
    for (const auto& [b, t] : {std::pair{1, 1}, std::pair{0, 3}, std::pair{2, 0}, std::pair{5, 1}}) {
      const std::vector<Tensor> other = inputs(b, t);
      CHECK(compare(second.run(other), reference_run(graph, {}, other), {1e-5, 1e-6}) == "");
    }
  }
  CHECK(blas.live == 0);
  CHECK(gpu.live() == "");
}

TEST_CASE("gpu: without measuring the library's first proposal is taken; without any, the kernel", "[hip][blas]") {
  FakeGpu gpu;
  FakeBlas blas;
  const Graph graph =
      parse_text(Context::create(),
                 "graph @g(%x: f32[T, 4], %w: f32[3, 4]) {\n  %y = linear %x, %w : f32[T, 3]\n  return %y\n}\n", "g");
  HipPlanOptions options = fake_options(gpu, graph);
  options.blas = HipPlanOptions::Blas::automatic;
  options.blas_api = blas.api(gpu);
  options.measure_blas = false;
  Random random(4);
  const std::vector<Tensor> in{random_tensor(random, DType::f32, {2, 4}), random_tensor(random, DType::f32, {3, 4})};
  std::vector<std::string> expected{"slow", "slow", "slow"};
  SECTION("the first, the slowest of this library") {}
  SECTION("none") {
    blas.knows_everything = false;
    expected = {"linear"};
  }
  SECTION("measured, none that runs") {
    options.measure_blas = true;
    blas.runs_nothing = true;
    expected = {"linear"};
  }
  HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
  CHECK(compare(executor.run(in), reference_run(graph, {}, in), {1e-6, 0}) == "");
  CHECK(gpu.ran == expected);
}

TEST_CASE("gpu: of 8-bit products cuBLASLt is given no C, which would be D in another type", "[hip][blas]") {
  for (const GpuPlatform platform : {GpuPlatform::rocm, GpuPlatform::cuda})
    for (const char* dtype : {"f8e4m3", "bf16"}) {
      FakeGpu gpu;
      gpu.platform = platform;
      FakeBlas blas;
      const std::string d = dtype;
      const Graph graph = parse_text(Context::create(),
                                     "graph @g(%x: " + d + "[T, 4], %w: " + d +
                                         "[3, 4]) {\n  %y = linear %x, %w : " + d + "[T, 3]\n  return %y\n}\n",
                                     "g");
      HipPlanOptions options = fake_options(gpu, graph);
      options.blas = HipPlanOptions::Blas::automatic;
      options.blas_api = blas.api(gpu);
      options.measure_blas = false;
      Random random(4);
      const DType type = parse_dtype(dtype).value();
      HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
      const std::vector<Tensor> in{random_tensor(random, type, {2, 4}), random_tensor(random, type, {3, 4})};
      executor.run(in);
      INFO(dtype << (platform == GpuPlatform::cuda ? " on CUDA" : " on ROCm"));
      CHECK(blas.products == 1);
      CHECK(blas.products_without_c == (platform == GpuPlatform::cuda && d == "f8e4m3" ? 1 : 0));
    }
}

TEST_CASE("gpu: engines' own ops run by the kernels that they bring", "[hip]") {
  const auto context = Context::create();
  context->register_op({.name = "twice",
                        .signature = "(x) -> y",
                        .infer = [](Inference& in) { in.results.push_back(in.operands[0]); },
                        .doc = "2 x"});
  const Graph graph = parse_text(context,
                                 "graph @g(%x: f32[4], %c: f32[4] = weight) {\n  %y = twice %x : f32[4]\n"
                                 "  %z = twice %c : f32[4]\n  return %y, %z\n}\n",
                                 "g");
  FakeGpu gpu;
  HipPlanOptions options = fake_options(gpu, graph);
  struct Params {
    const float* x;
    float* y;
  };
  gpu.add_kernel("twice", [](const void* params) {
    const auto* p = static_cast<const Params*>(params);
    for (int i = 0; i < 4; ++i)
      p->y[i] = 2 * p->x[i];
  });
  options.kernels->add("twice", [](const KernelCall& call, Launcher& launcher) {
    launcher.launch("twice", {1, 1, 1}, {4, 1, 1}, Params{call.operands[0].as<float>(), call.results[0].as<float>()});
  });
  TensorStore weights;
  Random random(5);
  weights.add("c", random_tensor(random, DType::f32, {4}));
  HipExecutor executor(HipPlan::compile(graph, weights, gpu.device(), options));
  const std::vector<Tensor> in{random_tensor(random, DType::f32, {4})};
  const std::vector<Tensor> out = executor.run(in);
  for (std::int64_t i = 0; i < 4; ++i) {
    CHECK(load_element(out[0].view, i) == 2 * load_element(in[0].view, i));
    CHECK(load_element(out[1].view, i) == 2 * load_element(weights.find("c")->view, i));
  }
  CHECK(executor.plan().nodes()[1].reason.find("on the GPU only") != std::string::npos);  // why it was not folded
}
