// Runs on a GPU: checks, frames, recorded graphs, order between streams.
#include <tandem/runtime/hip/hip_executor.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/runtime/hip/hip_executor_impl.h>
#include <tandem/runtime/host_memory.h>

namespace tandem {

using hip::DeviceScope;
using hip::Handle;
using hip::HipFrame;

namespace {

std::size_t dense_bytes(const TensorView& v) {
  return static_cast<std::size_t>(v.size()) * byte_size(v.dtype);
}
std::size_t aligned(std::size_t bytes) {
  return (bytes + 255) / 256 * 256;
}

/// While a caller records, nothing may be allocated or waited for: vendors forbid it.
[[noreturn]] void not_prepared() {
  throw Error("hip.recording",
              "the stream is being recorded, and a run with these shapes and addresses is not prepared",
              "call HipExecutor::prepare with them before recording");
}

}  // namespace

HipExecutor::Impl::Impl(HipPlan p)
    : plan(std::move(p)),
      data(*plan.impl_),
      device(data.device),
      own_stream(hip::make_stream(device)),
      frames(data.options.max_bindings),
      last_done(hip::make_event(device, false)),
      request(data.data, &data.chains.groups) {}

HipExecutor::Impl::~Impl() {
  if (pending)
    hip::give_back(*device, [this] { static_cast<void>(driver().hipEventSynchronize(last_done.get())); });
}

void HipExecutor::Impl::wait_for_earlier_runs() {
  if (pending)
    TANDEM_HIP(driver(), hipEventSynchronize, last_done.get());
  pending = false;
}

void HipExecutor::Impl::grow(hip::DeviceBuffer& buffer, std::size_t bytes, const char* purpose) {
  if (bytes <= buffer.size())
    return;
  wait_for_earlier_runs();
  ++scratch.generation;
  buffer.reset();
  buffer = hip::DeviceBuffer(device, bytes, purpose);
}

HipFrame& HipExecutor::Impl::frame_for(Views inputs, Views outputs, const DimBindings& dims, bool recording) {
  const std::vector<std::int64_t>& key = request.make_key(inputs, outputs, dims);
  if (auto* frame = frames.find(key))
    return **frame;
  if (recording)
    not_prepared();
  auto frame = std::make_unique<HipFrame>(data, request.bind_plan(inputs, outputs, dims));
  if (frames.size() == data.options.max_bindings) {  // one goes
    wait_for_earlier_runs();
    last_frame = nullptr;
  }
  return *frames.insert(key, std::move(frame));
}

HipFrame::Recorded& HipExecutor::Impl::place(HipFrame& frame, Views inputs, Views outputs, bool recording) {
  addresses.clear();
  for (const TensorView& v : inputs)
    addresses.push_back(static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(v.data)));
  for (const TensorView& v : outputs)
    addresses.push_back(static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(v.data)));
  HipFrame::Recorded* found = frame.recorded.find(addresses);
  const bool known = found && found->prepared && found->generation == scratch.generation;
  if (!known && recording)
    not_prepared();
  if (!known)
    grow(scratch.arena, static_cast<std::size_t>(frame.bound().memory.arena), "intermediate values");
  frame.set_addresses(scratch.arena.data(), inputs, outputs);
  if (known)
    return *found;
  if (found || frame.recorded.size() == std::max<std::size_t>(data.options.max_graphs, 1))
    wait_for_earlier_runs();  // a recorded graph goes
  if (!found)
    found = &frame.recorded.insert(addresses, {});
  *found = {};
  frame.prepare();
  grow(scratch.workspace, frame.workspace_bytes(), "workspace of kernels");
  found->generation = scratch.generation;
  found->prepared = true;
  return *found;
}

void HipExecutor::Impl::record(HipFrame& frame, HipFrame::Recorded& recorded) {
  if (!recorded.graph)
    recorded.graph = hip::record_graph(device, own_stream.get(), [&] { frame.enqueue(scratch, own_stream.get()); });
}

void HipExecutor::Impl::enqueue(Views inputs, Views outputs, Views layouts, void* stream, const DimBindings& dims) {
  const bool recording = hip::is_capturing(*device, stream);
  HipFrame& frame = frame_for(inputs, layouts, dims, recording);
  if (recording && frame.needs_host())
    throw Error("hip.recording", "the stream is being recorded, and the plan has nodes that the CPU computes",
                "run it on a stream that is not being recorded");
  HipFrame::Recorded& recorded = place(frame, inputs, outputs, recording);
  if (pending && stream != last_stream && !recording)
    TANDEM_HIP(driver(), hipStreamWaitEvent, stream, last_done.get(), 0U);
  const bool one_by_one = recording || !can_record(frame) || (recorded.runs == 0 && !recorded.graph);
  try {
    if (one_by_one) {
      frame.enqueue(scratch, stream);
      ++recorded.runs;
    } else {
      record(frame, recorded);
      TANDEM_HIP(driver(), hipGraphLaunch, recorded.graph.get(), stream);
    }
  } catch (...) {
    // Some steps may be under way: what comes next waits for them.
    if (!recording)
      pending = driver().hipEventRecord(last_done.get(), stream) == hip::success;
    last_stream = stream;
    throw;
  }
  last_frame = &frame;
  last_stream = stream;
  if (recording)
    return;
  TANDEM_HIP(driver(), hipEventRecord, last_done.get(), stream);
  pending = true;
}

void HipExecutor::Impl::synchronize() {
  if (!last_frame)
    return;
  wait_for_earlier_runs();
  last_frame->check_faults(own_stream.get());
}

void HipExecutor::Impl::stage(Views inputs, Views outputs, std::vector<TensorView>& device_inputs,
                              std::vector<TensorView>& device_outputs) {
  std::size_t bytes = 0;
  for (const auto views : {inputs, outputs})
    for (const TensorView& v : views)
      bytes += aligned(dense_bytes(v));
  grow(staging, bytes, "inputs and outputs");
  std::byte* at = staging.data();
  const auto place_all = [&](Views views, std::vector<TensorView>& out) {
    for (const TensorView& v : views) {
      out.push_back(make_view(at, v.dtype, v.dims()));
      at += aligned(dense_bytes(v));
    }
  };
  place_all(inputs, device_inputs);
  place_all(outputs, device_outputs);
}

void HipExecutor::Impl::run(std::span<const Tensor> inputs, const DimBindings& dims, std::vector<Tensor>& dense,
                            std::vector<Tensor>& outputs) {
  std::vector<TensorView> given, on_device, outputs_on_device;
  for (const Tensor& t : inputs)
    given.push_back(t.view);
  request.check_inputs(given);
  for (const Tensor& t : inputs)
    dense.push_back(t.view.is_contiguous() ? t : t.contiguous());
  for (std::size_t i = 0; i < given.size(); ++i)
    given[i] = make_view(dense[i].view.data, given[i].dtype, given[i].dims());
  const HipFrame& frame = frame_for(given, {}, dims, false);
  const std::vector<TensorView> shapes = frame.bound().outputs;
  stage(given, shapes, on_device, outputs_on_device);
  void* stream = own_stream.get();
  wait_for_earlier_runs();
  for (std::size_t i = 0; i < given.size(); ++i)
    if (const std::size_t bytes = dense_bytes(given[i]); bytes > 0)
      TANDEM_HIP(driver(), hipMemcpyAsync, on_device[i].data, given[i].data, bytes, hip::CopyKind::host_to_device,
                 stream);
  enqueue(on_device, outputs_on_device, {}, stream, dims);
  for (const TensorView& v : outputs_on_device) {
    outputs.push_back(allocate_tensor(v.dtype, v.dims(), "an output"));
    if (const std::size_t bytes = dense_bytes(v); bytes > 0)
      TANDEM_HIP(driver(), hipMemcpyAsync, outputs.back().view.data, v.data, bytes, hip::CopyKind::device_to_host,
                 stream);
  }
  TANDEM_HIP(driver(), hipStreamSynchronize, stream);
  synchronize();
}

HipExecutor::HipExecutor(HipPlan plan) : impl_(std::make_unique<Impl>(std::move(plan))) {}
HipExecutor::~HipExecutor() = default;
HipExecutor::HipExecutor(HipExecutor&&) noexcept = default;
HipExecutor& HipExecutor::operator=(HipExecutor&&) noexcept = default;

const HipPlan& HipExecutor::plan() const {
  return impl_->plan;
}
std::size_t HipExecutor::device_bytes() const {
  return impl_->scratch.arena.size() + impl_->scratch.workspace.size();
}

std::vector<Tensor> HipExecutor::run(std::span<const Tensor> inputs, const DimBindings& dims) {
  const DeviceScope scope(*impl_->device);
  // They live until copies from and to them are done, also when something fails in between.
  std::vector<Tensor> dense, outputs;
  try {
    impl_->run(inputs, dims, dense, outputs);
    return outputs;
  } catch (...) {
    static_cast<void>(impl_->driver().hipStreamSynchronize(impl_->own_stream.get()));
    throw;
  }
}

std::vector<NamedTensor> HipExecutor::run_named(std::span<const NamedTensor> inputs, const DimBindings& dims) {
  std::vector<Tensor> results = run(order_inputs(plan().inputs(), inputs), dims);
  std::vector<NamedTensor> outputs;
  for (std::size_t i = 0; i < results.size(); ++i)
    outputs.push_back({plan().outputs()[i].name, std::move(results[i])});
  return outputs;
}

void HipExecutor::enqueue(std::span<const TensorView> inputs, std::span<const TensorView> outputs, void* stream,
                          const DimBindings& dims) {
  const DeviceScope scope(*impl_->device);
  impl_->request.check_inputs(inputs);
  impl_->request.check_outputs(inputs, outputs);
  impl_->enqueue(inputs, outputs, outputs, stream, dims);
}

void HipExecutor::prepare(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                          const DimBindings& dims) {
  const DeviceScope scope(*impl_->device);
  impl_->request.check_inputs(inputs);
  impl_->request.check_outputs(inputs, outputs);
  HipFrame& frame = impl_->frame_for(inputs, outputs, dims, false);
  HipFrame::Recorded& recorded = impl_->place(frame, inputs, outputs, false);
  if (impl_->can_record(frame))
    impl_->record(frame, recorded);
}

std::vector<TensorView> HipExecutor::output_shapes(std::span<const TensorView> inputs, const DimBindings& dims) {
  std::vector<TensorView> shapes;
  for (const TensorView& v : inputs)
    shapes.push_back(make_view(nullptr, v.dtype, v.dims()));
  impl_->request.make_key(shapes, {}, dims);
  return impl_->request.bind_plan(shapes, {}, dims)->outputs;
}

void HipExecutor::synchronize() {
  const DeviceScope scope(*impl_->device);
  impl_->synchronize();
}

}  // namespace tandem
