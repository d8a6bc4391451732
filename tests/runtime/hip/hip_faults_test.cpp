// Every call of a driver or library may fail: an error says which, nothing leaks, and what was made stays usable.
#include <tandem/runtime/hip/hip_executor.h>

#include <tests/runtime/hip/hip_test_support.h>

using namespace tandem;
using namespace tandem::test;

namespace {

Graph example() {
  return parse_text(Context::create(), R"(
graph @g(%x: f32[T, 4], %w: f32[6, 4] = weight, %ids: i64[N]) {
  %y = linear %x, %w : f32[T, 6]
  %e = embedding %y, %ids : f32[N, 6]
  %t = transpose %y {perm = [1, 0]} : f32[6, T]
  %r = reshape %t {shape = [3, 2*T]} : f32[3, 2*T]
  %v, %i = sort %r : f32[3, 2*T], i64[3, 2*T]
  return %e, %v, %t
}
)",
                    "g");
}

TensorStore example_weights() {
  Random random(1);
  TensorStore weights;
  weights.add("w", random_tensor(random, DType::f32, {6, 4}));
  return weights;
}

}  // namespace

TEST_CASE("gpu: whichever call fails, the error names it and nothing leaks", "[hip]") {
  const Graph graph = example();
  const TensorStore weights = example_weights();
  Random random(2);
  const std::vector<Tensor> in{random_tensor(random, DType::f32, {3, 4}),
                               Tensor::zeros(DType::i64, std::vector<std::int64_t>{2})};
  const std::vector<Tensor> want = reference_run(graph, weights, in);
  const bool host = GENERATE(false, true);  // a node on the CPU, or all recorded
  bool failed = true;
  int failures = 0;
  for (std::int64_t n = 0; failed; ++n) {
    FakeGpu gpu;
    FakeBlas blas;
    HipPlanOptions options = fake_options(gpu, graph, host ? std::set<std::string>{"sort"} : std::set<std::string>{});
    options.allow_host = true;
    options.blas = HipPlanOptions::Blas::automatic;
    options.blas_api = blas.api(gpu);
    gpu.fail_call(n, 700);
    std::vector<Tensor> last;
    const Error error = error_of([&] {
      HipExecutor executor(HipPlan::compile(graph, weights, gpu.device(), options));
      for (int round = 0; round < 3; ++round)
        last = executor.run(in);
    });
    failed = gpu.calls() > n;  // calls that give back are not reported
    if (!last.empty())
      CHECK(compare(last, want, {1e-5, 1e-6}) == "");
    const Diagnostic& d = error.diagnostics().front();
    INFO("call " << n << ": " << to_string(d));
    if (d.code == "hip.call") {
      ++failures;
      CHECK(d.message.find("failed with 700 (hipErrorFake)") != std::string::npos);
    } else {
      CHECK(d.code == "none");
    }
    CHECK(gpu.live() == "");
    CHECK(blas.live == 0);
  }
  CHECK(failures > 60);
}

TEST_CASE("gpu: an executor that met an error runs again", "[hip]") {
  const Graph graph = example();
  const TensorStore weights = example_weights();
  Random random(2);
  const std::vector<Tensor> in{random_tensor(random, DType::f32, {3, 4}),
                               Tensor::zeros(DType::i64, std::vector<std::int64_t>{2})};
  const std::vector<Tensor> want = reference_run(graph, weights, in);
  FakeGpu gpu;
  const HipPlan plan = HipPlan::compile(graph, weights, gpu.device(), fake_options(gpu, graph));
  for (std::int64_t n = 0;; ++n) {
    HipExecutor executor(plan);
    const std::int64_t before = gpu.calls();
    gpu.fail_call(n, 700);
    const Error error = error_of([&] {
      for (int round = 0; round < 3; ++round)
        executor.run(in);
    });
    const bool reached = gpu.calls() - before > n;
    gpu.fail_none();
    INFO("call " << n << ": " << error.what());
    for (int round = 0; round < 3; ++round)
      CHECK(compare(executor.run(in), want) == "");
    if (!reached)
      break;
  }
}

TEST_CASE("gpu: whichever call of a library fails, the error names it and nothing leaks", "[hip][blas]") {
  const Graph graph = example();
  const TensorStore weights = example_weights();
  Random random(2);
  const std::vector<Tensor> in{random_tensor(random, DType::f32, {3, 4}),
                               Tensor::zeros(DType::i64, std::vector<std::int64_t>{2})};
  int failures = 0;
  for (int n = 0;; ++n) {
    FakeGpu gpu;
    FakeBlas blas;
    HipPlanOptions options = fake_options(gpu, graph);
    options.blas = HipPlanOptions::Blas::automatic;
    options.blas_api = blas.api(gpu);
    blas.fail_call = n;
    const Error error = error_of([&] {
      HipExecutor executor(HipPlan::compile(graph, weights, gpu.device(), options));
      executor.run(in);
    });
    const Diagnostic& d = error.diagnostics().front();
    INFO(to_string(d));
    if (d.code == "hip.call") {
      ++failures;
      CHECK(d.message.find("of libfakeblas.so failed with status 7") != std::string::npos);
    } else {
      CHECK(d.code == "none");  // a proposal that does not run is not chosen
    }
    CHECK(gpu.live() == "");
    CHECK(blas.live == 0);
    if (blas.fail_call >= 0)
      break;
  }
  CHECK(failures >= 8);
}

TEST_CASE("gpu: too little memory is an error that tells the sizes, and smaller runs go on", "[hip]") {
  FakeGpu gpu;
  gpu.memory_bytes = 1 << 20;
  const Graph graph = parse_text(Context::create(), R"(
graph @g(%x: f32[T]) {
  %y = exp %x : f32[T]
  %z = neg %y : f32[T]
  return %z
}
)",
                                 "g");
  HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), fake_options(gpu, graph)));
  Random random(3);
  const std::vector<Tensor> small{random_tensor(random, DType::f32, {100})},
      large{random_tensor(random, DType::f32, {90'000})};
  const std::vector<Tensor> want = reference_run(graph, {}, small);
  CHECK(compare(executor.run(small), want) == "");
  const Error error = error_of([&] { executor.run(large); });
  CHECK(error.diagnostics().front().code == "hip.out-of-memory");
  CHECK(error.diagnostics().front().message ==
        "the GPU has no 360000 bytes for intermediate values: 327892 of its 1048576 bytes are free");
  CHECK(compare(executor.run(small), want) == "");

  TensorStore weights;
  weights.add("w", random_tensor(random, DType::f32, {500'000}));
  const Graph heavy = parse_text(Context::create(), "graph @g(%w: f32[500000] = weight) {\n  return %w\n}\n", "g");
  CHECK(error_of([&] { HipPlan::compile(heavy, weights, gpu.device(), fake_options(gpu, heavy)); })
            .diagnostics()
            .front()
            .message.find("bytes for weights and constants") != std::string::npos);
}

TEST_CASE("gpu: machine code that is not there is an error that names the kernel", "[hip]") {
  FakeGpu gpu;
  const Graph graph =
      parse_text(Context::create(), "graph @g(%x: f32[4]) {\n  %y = exp %x : f32[4]\n  return %y\n}\n", "g");
  const auto device = hip::Device::open(gpu.driver(), 0, [](const GpuInfo&, std::string_view) { return nullptr; });
  HipExecutor executor(HipPlan::compile(graph, {}, device, fake_options(gpu, graph)));
  Random random(4);
  const Error error = error_of([&] { executor.run({{random_tensor(random, DType::f32, {4})}}); });
  CHECK(error.diagnostics().front().code == "hip.no-code");
  CHECK(error.diagnostics().front().message == "this build has no machine code of 'exp' for gfx942");
  CHECK(error.diagnostics().front().notes.size() == 1);
}

TEST_CASE("gpu: a GPU that is not there", "[hip]") {
  FakeGpu gpu;
  CHECK(code_of([&] { hip::Device::open(gpu.driver(), 1); }) == "hip.no-device");
  gpu.init_status = 3;
  CHECK(code_of([&] { hip::Device::open(gpu.driver(), 0); }) == "hip.call");
}
