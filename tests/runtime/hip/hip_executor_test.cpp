// Running plans on a GPU: results, recorded graphs, streams and memory of the caller.
#include <tandem/runtime/hip/hip_executor.h>

#include <algorithm>
#include <cstring>

#include <tandem/runtime/hip/memory.h>
#include <tandem/runtime/hip/stream.h>
#include <tests/runtime/hip/hip_test_support.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// Norms of a split projection, its tail as a view, and a reshape that must be copied.
Graph example() {
  return parse_text(Context::create(), R"(
graph @example(%x: f32[T, 8], %w: f32[12, 8], %q_w: f32[6], %kv_w: f32[4]) {
  %p = linear %x, %w : f32[T, 12]
  %q, %c, %pe = split %p {axis = -1, sizes = [6, 4, 2]} : f32[T, 6], f32[T, 4], f32[T, 2]
  %qn = rms_norm %q, %q_w {eps = 1e-06} : f32[T, 6]
  %cn = rms_norm %c, %kv_w {eps = 1e-06} : f32[T, 4]
  %t = transpose %qn {perm = [1, 0]} : f32[6, T]
  %r = reshape %t {shape = [2, 3*T]} : f32[2, 3*T]
  %s = mul %cn, %cn : f32[T, 4]
  return %qn, %s, %pe, %r
}
)",
                    "example");
}

std::vector<Tensor> example_inputs(Random& random, std::int64_t t) {
  return {random_tensor(random, DType::f32, {t, 8}), random_tensor(random, DType::f32, {12, 8}),
          random_tensor(random, DType::f32, {6}), random_tensor(random, DType::f32, {4})};
}

}  // namespace

TEST_CASE("gpu: a plan gives what the reference gives: one by one, recorded, replayed", "[hip]") {
  FakeGpu gpu;
  const Graph graph = example();
  Random random(1);
  {
    HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), fake_options(gpu, graph)));
    for (int round = 0; round < 4; ++round) {
      const std::vector<Tensor> in = example_inputs(random, 5);
      CHECK(compare(executor.run(in), reference_run(graph, {}, in)) == "");
    }
    CHECK(gpu.calls_of("hipGraphInstantiate") == 1);
    CHECK(gpu.calls_of("hipGraphLaunch") == 3);
    for (const std::int64_t t : {1, 7, 5, 0, 7}) {  // other sizes, and the first again
      const std::vector<Tensor> in = example_inputs(random, t);
      CHECK(compare(executor.run(in), reference_run(graph, {}, in)) == "");
    }
  }
  CHECK(gpu.live() == "");
}

TEST_CASE("gpu: with graphs off, kernels are launched one by one", "[hip]") {
  FakeGpu gpu;
  const Graph graph = example();
  Random random(2);
  HipPlanOptions options = fake_options(gpu, graph);
  options.graphs = false;
  HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), options));
  for (int round = 0; round < 3; ++round) {
    const std::vector<Tensor> in = example_inputs(random, 3);
    CHECK(compare(executor.run(in), reference_run(graph, {}, in)) == "");
  }
  CHECK(gpu.calls_of("hipGraphLaunch") == 0);
}

TEST_CASE("gpu: launches overlap where the device offers it and the kernel waits for the one ahead", "[hip]") {
  for (const bool offered : {false, true}) {
    FakeGpu gpu;
    gpu.overlaps_launches = offered;
    gpu.kernels_wait = {"rms_norm"};
    const Graph graph = example();
    Random random(3);
    HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), fake_options(gpu, graph)));
    const std::vector<Tensor> in = example_inputs(random, 3);
    CHECK(compare(executor.run(in), reference_run(graph, {}, in)) == "");
    CHECK(std::count(gpu.ran.begin(), gpu.ran.end(), "rms_norm") == 2);
    CHECK(gpu.overlapped == (offered ? 2 : 0));
  }
}

TEST_CASE("gpu: an engine's buffers and stream: nothing is allocated or waited for once shapes are known", "[hip]") {
  FakeGpu gpu;
  const Graph graph = example();
  Random random(3);
  const auto device = gpu.device();
  HipExecutor executor(HipPlan::compile(graph, {}, device, fake_options(gpu, graph)));
  const hip::Handle stream = hip::make_stream(device);
  const std::vector<Tensor> in = example_inputs(random, 5);
  std::vector<DeviceTensor> buffers;
  std::vector<TensorView> inputs, outputs;
  for (const Tensor& t : in) {
    buffers.emplace_back(device, t.view.dtype, std::vector<std::int64_t>(t.view.dims().begin(), t.view.dims().end()));
    inputs.push_back(buffers.back().view);
  }
  // The normalised latents land in rows of a cache of 6 columns.
  buffers.emplace_back(device, DType::f32, std::vector<std::int64_t>{5, 6});
  outputs.push_back(buffers.back().view);
  buffers.emplace_back(device, DType::f32, std::vector<std::int64_t>{5, 6});
  TensorView cache = buffers.back().view;
  cache.shape[1] = 4;
  outputs.push_back(cache);
  cache.shape[1] = 2;
  cache.data += 4 * sizeof(float);
  buffers.emplace_back(device, DType::f32, std::vector<std::int64_t>{5, 2});
  outputs.push_back(buffers.back().view);
  buffers.emplace_back(device, DType::f32, std::vector<std::int64_t>{2, 15});
  outputs.push_back(buffers.back().view);

  const auto upload = [&] {
    for (std::size_t i = 0; i < in.size(); ++i)
      std::memcpy(inputs[i].data, in[i].contiguous().view.data, static_cast<std::size_t>(in[i].view.size()) * 4);
  };
  upload();
  executor.enqueue(inputs, outputs, stream.get());
  executor.enqueue(inputs, outputs, stream.get());
  executor.synchronize();
  const std::int64_t allocations = gpu.calls_of("hipMalloc"),
                     waits = gpu.calls_of("hipStreamSynchronize") + gpu.calls_of("hipEventSynchronize");
  gpu.ran.clear();
  executor.enqueue(inputs, outputs, stream.get());
  CHECK(gpu.ran.empty());  // put there, not waited for
  CHECK(gpu.calls_of("hipMalloc") == allocations);
  CHECK(gpu.calls_of("hipStreamSynchronize") + gpu.calls_of("hipEventSynchronize") == waits);
  executor.synchronize();
  CHECK(!gpu.ran.empty());
  const std::vector<Tensor> want = reference_run(graph, {}, in);
  for (std::size_t i = 0; i < want.size(); ++i)
    CHECK(difference(outputs[i], want[i].view, {}) == "");

  SECTION("a second stream waits for the first") {
    const hip::Handle other = hip::make_stream(device);
    executor.enqueue(inputs, outputs, stream.get());
    executor.enqueue(inputs, outputs, other.get());
    CHECK(gpu.calls_of("hipStreamWaitEvent") == 1);
  }
  SECTION("prepare records ahead of time") {
    HipExecutor second(executor.plan());
    second.prepare(inputs, outputs);
    const std::int64_t before = gpu.calls_of("hipGraphLaunch");
    second.enqueue(inputs, outputs, stream.get());
    CHECK(gpu.calls_of("hipGraphLaunch") == before + 1);
    second.synchronize();
  }
  SECTION("buffers that overlap are refused") {
    CHECK(code_of([&] {
            executor.enqueue(inputs, {{outputs[0], cache, outputs[2], outputs[0]}}, stream.get());
          }) == "run.overlap");
  }
}

TEST_CASE("gpu: a run becomes part of what the caller records", "[hip]") {
  FakeGpu gpu;
  const Graph graph = parse_text(Context::create(), R"(
graph @g(%x: f32[T]) {
  %y = add %x, %x : f32[T]
  %z = exp %y : f32[T]
  return %z
}
)",
                                 "g");
  const auto device = gpu.device();
  HipExecutor executor(HipPlan::compile(graph, {}, device, fake_options(gpu, graph)));
  const hip::Handle stream = hip::make_stream(device);
  DeviceTensor x(device, DType::f32, {4}), z(device, DType::f32, {4});
  const auto enqueue = [&] { executor.enqueue({{x.view}}, {{z.view}}, stream.get()); };
  CHECK(code_of([&] { hip::record_graph(device, stream.get(), enqueue); }) == "hip.recording");
  executor.prepare({{x.view}}, {{z.view}});
  const hip::Handle graph_of_caller = hip::record_graph(device, stream.get(), [&] {
    enqueue();
    enqueue();
  });
  gpu.ran.clear();
  for (int i = 0; i < 4; ++i)
    x.view.as<float>()[i] = static_cast<float>(i);
  TANDEM_HIP(device->driver(), hipGraphLaunch, graph_of_caller.get(), stream.get());
  TANDEM_HIP(device->driver(), hipStreamSynchronize, stream.get());
  CHECK(gpu.ran == std::vector<std::string>{"add", "exp", "add", "exp"});
  CHECK(z.view.as<float>()[2] == Approx(54.59815F));
}

TEST_CASE("gpu: recorded graphs and prepared shapes are bounded", "[hip]") {
  FakeGpu gpu;
  const Graph graph =
      parse_text(Context::create(), "graph @g(%x: f32[T]) {\n  %y = add %x, %x : f32[T]\n  return %y\n}\n", "g");
  HipPlanOptions options = fake_options(gpu, graph);
  options.max_bindings = 3;
  options.max_graphs = 2;
  const auto device = gpu.device();
  HipExecutor executor(HipPlan::compile(graph, {}, device, options));
  for (std::int64_t t = 1; t < 9; ++t) {
    DeviceTensor x(device, DType::f32, {t});
    for (int i = 0; i < 5; ++i) {
      DeviceTensor y(device, DType::f32, {t});
      executor.prepare({{x.view}}, {{y.view}});
    }
  }
  CHECK(gpu.calls_of("hipGraphInstantiate") - gpu.calls_of("hipGraphExecDestroy") <= 6);
}

TEST_CASE("gpu: executors of one plan share its weights, in threads of their own", "[hip]") {
  const Graph graph = parse_text(Context::create(), R"(
graph @g(%x: f32[T, 4], %w: f32[3, 4] = weight) {
  %y = linear %x, %w : f32[T, 3]
  return %y
}
)",
                                 "g");
  FakeGpu gpu;
  Random random(4);
  TensorStore weights;
  weights.add("w", random_tensor(random, DType::f32, {3, 4}));
  std::vector<std::size_t> progress;
  HipPlanOptions options = fake_options(gpu, graph);
  options.on_upload = [&](std::size_t done, std::size_t total) {
    CHECK(total == 48);
    progress.push_back(done);
  };
  const HipPlan plan = HipPlan::compile(graph, weights, gpu.device(), options);
  CHECK(progress == std::vector<std::size_t>{48});
  CHECK(plan.static_bytes() == 256);
  HipExecutor a(plan), b(plan);
  const std::vector<Tensor> in{random_tensor(random, DType::f32, {2, 4})};
  const std::vector<Tensor> want = reference_run(graph, weights, in);
  CHECK(compare(a.run(in), want) == "");
  CHECK(compare(b.run(in), want) == "");
  CHECK(gpu.calls_of("hipHostMalloc") == 2);  // uploaded once
}

TEST_CASE("gpu: weights that share memory are uploaded once, larger ones in pieces", "[hip]") {
  FakeGpu gpu;
  Random random(5);
  const Tensor storage = random_tensor(random, DType::f32, {5'000'000}, Values::ordinary, true);
  const Graph graph = parse_text(Context::create(), R"(
graph @g(%x: f32[4], %a: f32[5000000] = weight, %b: f32[4] = weight) {
  %tail = slice %a {axis = 0, start = 4999996, end = 5000000} : f32[4]
  %y = add %x, %tail : f32[4]
  %z = add %y, %b : f32[4]
  %all = neg %a : f32[5000000]
  return %z, %all
}
)",
                                 "g");
  TensorStore weights;
  weights.add("a", storage);
  Tensor window = storage;
  window.view.shape[0] = 4;
  window.view.data += 400;
  weights.add("b", window);
  HipPlanOptions options = fake_options(gpu, graph);
  options.fold_constants = false;
  int pieces = 0;
  options.on_upload = [&](std::size_t, std::size_t) { ++pieces; };
  HipExecutor executor(HipPlan::compile(graph, weights, gpu.device(), options));
  CHECK(pieces == 2);
  CHECK(executor.plan().static_bytes() == 20'000'000);
  const std::vector<Tensor> in{random_tensor(random, DType::f32, {4})};
  CHECK(compare(executor.run(in), reference_run(graph, weights, in)) == "");
}

TEST_CASE("gpu: an index outside is an error that names the node, and the executor stays usable", "[hip]") {
  FakeGpu gpu;
  const Graph graph = parse_text(Context::create(), R"(
graph @g(%table: f32[3, 2], %ids: i64[N]) {
  %y = embedding %table, %ids : f32[N, 2]
  return %y
}
)",
                                 "g");
  HipExecutor executor(HipPlan::compile(graph, {}, gpu.device(), fake_options(gpu, graph)));
  Random random(6);
  std::vector<Tensor> in{random_tensor(random, DType::f32, {3, 2}),
                         Tensor::zeros(DType::i64, std::vector<std::int64_t>{2})};
  for (int round = 0; round < 2; ++round) {
    store_integer(in[1].view, 1, 3);
    const Error error = error_of([&] { executor.run(in); });
    CHECK(error.diagnostics().front().code == "run.index");
    CHECK(error.diagnostics().front().notes == std::vector<std::string>{"while 'hip' computed %y = embedding"});
    store_integer(in[1].view, 1, 2);
    CHECK(compare(executor.run(in), reference_run(graph, {}, in)) == "");
  }
}

TEST_CASE("gpu: steps are timed one by one", "[hip]") {
  FakeGpu gpu;
  const Graph graph = example();
  const auto device = gpu.device();
  HipExecutor executor(HipPlan::compile(graph, {}, device, fake_options(gpu, graph)));
  std::vector<DeviceTensor> memory;
  std::vector<TensorView> inputs, outputs;
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{5, 8}, {12, 8}, {6}, {4}}) {
    memory.emplace_back(device, DType::f32, shape);
    inputs.push_back(memory.back().view);
  }
  for (const TensorView& v : executor.output_shapes(inputs)) {
    memory.emplace_back(device, v.dtype, std::vector<std::int64_t>(v.dims().begin(), v.dims().end()));
    outputs.push_back(memory.back().view);
  }
  const std::vector<HipStepTime> times = executor.time_steps(inputs, outputs, 4, 3);
  std::vector<std::string> ops;
  for (const HipStepTime& t : times)
    ops.push_back(t.op);
  CHECK(ops == std::vector<std::string>{"linear", "rms_norm", "rms_norm", "reshape", "mul", "copy"});
  CHECK(times[0].bytes == 4 * (5 * 8 + 12 * 8 + 5 * 12));
}
