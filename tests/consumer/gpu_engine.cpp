// An engine's loop around a GPU: buffers and stream are the engine's, and a step is put on the stream without waiting.
// Where no GPU can be used it says why and ends well.
#include <cmath>
#include <cstdio>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/runtime/executor.h>
#include <tandem/runtime/hip/hip_executor.h>
#include <tandem/runtime/hip/memory.h>
#include <tandem/runtime/hip/probe.h>
#include <tandem/runtime/hip/stream.h>

using namespace tandem;

namespace {

Graph norm_graph() {
  GraphBuilder b(Context::create(), "norm");
  const Value x = b.input("x", DType::f32, {b.dim("T", {.min = 1, .max = 4096}), 512});
  b.output(b.op("rms_norm", {x, b.weight("w", DType::f32, {512})}, {{"eps", 1e-6}}));
  return std::move(b).finish();
}

Tensor filled(std::initializer_list<std::int64_t> shape, double step) {
  Tensor tensor = Tensor::zeros(DType::f32, shape);
  for (std::int64_t i = 0; i < tensor.view.size(); ++i)
    store_element(tensor.view, i, std::sin(step * double(i + 1)));
  return tensor;
}

}  // namespace

int main() try {
  const hip::Probe probe = hip::probe_gpus();
  if (!probe.driver) {
    std::printf("no GPU: %s\n", probe.reason.c_str());
    return 0;
  }
  std::printf("%s: %s\n", probe.target().c_str(), probe.device.name.c_str());
  const auto device = hip::Device::open(probe.driver);
  const hip::Driver& driver = device->driver();

  const Graph graph = norm_graph();
  TensorStore weights;
  weights.add("w", filled({512}, 0.3));
  HipExecutor executor(HipPlan::compile(graph, weights, device));

  // What an engine has anyhow: a stream, and buffers of the largest size.
  const hip::DeviceScope scope(*device);
  const hip::Handle stream = hip::make_stream(device);
  constexpr std::size_t row = 512 * sizeof(float);
  const hip::DeviceBuffer x(device, 64 * row, "x"), y(device, 64 * row, "y");
  const auto view = [](const hip::DeviceBuffer& buffer, std::int64_t rows) {
    const std::int64_t shape[] = {rows, 512};
    return make_view(buffer.data(), DType::f32, shape);
  };

  double worst = 0;
  for (const std::int64_t tokens : {64, 1, 1, 1, 17, 1}) {
    const Tensor in = filled({tokens, 512}, 0.1 * double(tokens));
    const TensorView inputs[] = {view(x, tokens)}, outputs[] = {view(y, tokens)};
    Tensor out = Tensor::zeros(DType::f32, in.view.dims());
    const std::size_t bytes = static_cast<std::size_t>(tokens) * row;
    TANDEM_HIP(driver, hipMemcpyAsync, x.data(), in.view.data, bytes, hip::CopyKind::host_to_device, stream.get());
    executor.enqueue(inputs, outputs, stream.get());
    TANDEM_HIP(driver, hipMemcpyAsync, out.view.data, y.data(), bytes, hip::CopyKind::device_to_host, stream.get());
    TANDEM_HIP(driver, hipStreamSynchronize, stream.get());

    const Tensor expected = Executor(Plan::compile(graph, weights)).run({{in}}).at(0);
    for (std::int64_t i = 0; i < expected.view.size(); ++i)
      worst = std::fmax(worst, std::fabs(load_element(out.view, i) - load_element(expected.view, i)));
  }
  std::printf("largest difference from the CPU: %g\n", worst);
  return worst < 1e-5 ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "%s", error.what());
  return 2;
}
