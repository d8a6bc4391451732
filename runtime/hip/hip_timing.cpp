// Timing steps one by one.
#include <algorithm>
#include <chrono>

#include <tandem/runtime/hip/hip_executor_impl.h>

namespace tandem {
namespace {

std::int64_t bytes_of(std::span<const TensorView> views) {
  std::int64_t bytes = 0;
  for (const TensorView& v : views)
    bytes += v.size() * static_cast<std::int64_t>(byte_size(v.dtype));
  return bytes;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

/// Milliseconds of device time that a recorded graph takes.
double time_graph(const std::shared_ptr<hip::Device>& device, void* graph, void* stream, const hip::Handle& start,
                  const hip::Handle& stop) {
  const hip::Driver& driver = device->driver();
  float milliseconds = 0;
  TANDEM_HIP(driver, hipEventRecord, start.get(), stream);
  TANDEM_HIP(driver, hipGraphLaunch, graph, stream);
  TANDEM_HIP(driver, hipEventRecord, stop.get(), stream);
  TANDEM_HIP(driver, hipEventSynchronize, stop.get());
  TANDEM_HIP(driver, hipEventElapsedTime, &milliseconds, start.get(), stop.get());
  return static_cast<double>(milliseconds);
}

}  // namespace

std::vector<HipStepTime> HipExecutor::time_steps(std::span<const TensorView> inputs,
                                                 std::span<const TensorView> outputs, int repeats, int rounds,
                                                 const DimBindings& dims) {
  Impl& impl = *impl_;
  const hip::DeviceScope scope(*impl.device);
  impl.request.check_inputs(inputs);
  impl.request.check_outputs(inputs, outputs);
  impl.wait_for_earlier_runs();
  hip::HipFrame& frame = impl.frame_for(inputs, outputs, dims, false);
  impl.place(frame, inputs, outputs, false);
  void* stream = impl.own_stream.get();
  // Once all together: each step then finds data that it may really get, such as indices that point inside.
  frame.enqueue(impl.scratch, stream);
  TANDEM_HIP(impl.driver(), hipStreamSynchronize, stream);

  const hip::Handle start = hip::make_event(impl.device, true), stop = hip::make_event(impl.device, true);
  std::vector<HipStepTime> times;
  for (std::size_t i = 0; i < frame.bound().steps.size(); ++i) {
    if (frame.is_in_earlier_chain(i))
      continue;
    const BoundStep& step = frame.bound().steps[i];
    HipStepTime time;
    const PlannedNode* node = frame.node(i);
    time.name = node ? node->name : "";
    time.op = node ? node->op : "copy";
    time.provider = frame.provider(i);
    time.bytes = bytes_of(frame.operands(step)) + bytes_of(frame.results(step));
    if (const hip::ElementwiseChain* chain = frame.chain(i)) {
      time.op = "";
      time.bytes = 0;
      for (const hip::ChainStep& member : chain->steps)
        time.op += (time.op.empty() ? "" : "+") + std::string(member.op);
      for (const hip::ElementwiseChain::Input& in : chain->inputs)
        time.bytes += bytes_of(frame.operands(frame.bound().steps[i + in.member]).subspan(in.operand, 1));
      for (const std::size_t member : chain->outputs)
        time.bytes += bytes_of(frame.results(frame.bound().steps[i + member]));
    }
    std::vector<double> samples;
    if (time.provider == "host") {
      for (int round = 0; round < rounds; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        frame.enqueue_step(i, impl.scratch, stream);
        samples.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
      }
    } else {
      const hip::Handle graph = hip::record_graph(impl.device, stream, [&] {
        for (int r = 0; r < repeats; ++r)
          frame.enqueue_step(i, impl.scratch, stream);
      });
      time_graph(impl.device, graph.get(), stream, start, stop);
      for (int round = 0; round < rounds; ++round)
        samples.push_back(time_graph(impl.device, graph.get(), stream, start, stop) * 1e3 / repeats);
    }
    time.microseconds = median(std::move(samples));
    times.push_back(std::move(time));
  }
  return times;
}

}  // namespace tandem
