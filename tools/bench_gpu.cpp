// Timing on the GPU, by its own events.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/runtime/hip/hip_executor.h>
#include <tandem/runtime/hip/memory.h>
#include <tandem/runtime/hip/stream.h>
#include <tandem/tools/bench_timers.h>

namespace tandem::cli {
namespace {

constexpr std::int64_t max_sets = 64;

std::int64_t bytes_of(const TensorView& v) {
  return v.size() * static_cast<std::int64_t>(byte_size(v.dtype));
}
std::size_t aligned(std::int64_t bytes) {
  return static_cast<std::size_t>((bytes + 255) / 256 * 256);
}

/// Inputs and outputs of one run.
struct BufferSet {
  std::vector<TensorView> inputs, outputs;
};

class GpuTimer final : public BenchTimer {
 public:
  GpuTimer(const Graph& graph, const Graph& optimised, const TensorStore& weights, const GpuSettings& settings,
           bool relaxed)
      : device_(open_gpu()), stream_(hip::make_stream(device_)) {
    HipPlanOptions options = gpu_plan_options(settings, relaxed);
    options.max_graphs = static_cast<std::size_t>(max_sets);
    for (const auto& [name, g] : {std::pair{"optimised", &optimised}, std::pair{"as read", &graph}}) {
      const HipPlan plan = HipPlan::compile(*g, weights, device_, options);
      std::size_t nodes = 0;
      for (const PlannedNode& n : plan.nodes())
        nodes += n.fate == NodeFate::runs ? 1 : 0;
      variants_.push_back({name, HipExecutor(plan), nodes, {}});
    }
  }

  std::string machine() const override {
    return fmt::format("{}, {}, matrix products: {}", device_->info().name, device_->info().arch,
                       variants_[0].executor.plan().blas_reason());
  }

  std::vector<VariantTiming> time(const RunData& data, const BenchSettings& settings) override {
    make_sets(data);
    std::vector<VariantTiming> out;
    for (Variant& v : variants_) {
      v.graph = {};
      for (const BufferSet& set : sets_) {
        v.executor.enqueue(set.inputs, set.outputs, stream_.get(), data.bindings);
        v.executor.synchronize();
      }
      v.graph = hip::record_graph(device_, stream_.get(), [&] {
        for (const BufferSet& set : sets_)
          v.executor.enqueue(set.inputs, set.outputs, stream_.get(), data.bindings);
      });
      VariantTiming timing;
      timing.variant = v.name;
      timing.nodes = v.nodes;
      timing.bytes = set_bytes_ + static_cast<std::int64_t>(v.executor.plan().static_bytes());
      out.push_back(std::move(timing));
      replay(v);
    }
    std::vector<std::vector<double>> samples(variants_.size());
    for (int round = 0; round < settings.rounds; ++round)
      for (std::size_t i = 0; i < variants_.size(); ++i)
        samples[i].push_back(replay(variants_[i]));
    for (std::size_t i = 0; i < variants_.size(); ++i) {
      out[i].whole = summarise(samples[i]);
      variants_[i].graph = {};
      if (!settings.steps)
        continue;
      for (HipStepTime& s : variants_[i].executor.time_steps(sets_[0].inputs, sets_[0].outputs, 20,
                                                             std::max(settings.rounds / 3, 3), data.bindings))
        out[i].steps.push_back({std::move(s.name), std::move(s.op), std::move(s.provider), s.microseconds, s.bytes});
    }
    return out;
  }

 private:
  struct Variant {
    std::string name;
    HipExecutor executor;
    std::size_t nodes;
    hip::Handle graph;
  };

  /// As many sets as make the data several times the cache, each with the inputs' data.
  void make_sets(const RunData& data) {
    sets_.clear();
    memory_.reset();
    std::vector<TensorView> inputs, outputs;
    std::vector<Tensor> dense;
    for (const Tensor& t : data.inputs) {
      dense.push_back(t.contiguous());
      inputs.push_back(dense.back().view);
    }
    outputs = variants_[0].executor.output_shapes(inputs, data.bindings);
    std::size_t bytes = 0;
    set_bytes_ = 0;
    for (const auto* views : {&inputs, &outputs}) {
      for (const TensorView& v : *views) {
        set_bytes_ += bytes_of(v);
        bytes += aligned(bytes_of(v));
      }
    }
    const std::int64_t wanted = 6 * std::max<std::int64_t>(device_->info().l2_bytes, 1);
    const auto count = static_cast<std::size_t>(
        std::clamp<std::int64_t>(wanted / std::max<std::int64_t>(set_bytes_, 1) + 1, 4, max_sets));
    memory_ = hip::DeviceBuffer(device_, std::max<std::size_t>(count * bytes, 256), "inputs and outputs");
    std::byte* at = memory_.data();
    const auto place = [&](const std::vector<TensorView>& views, std::vector<TensorView>& out) {
      for (const TensorView& v : views) {
        out.push_back(make_view(at, v.dtype, v.dims()));
        at += aligned(bytes_of(v));
      }
    };
    const hip::DeviceScope scope(*device_);
    for (std::size_t i = 0; i < count; ++i) {
      BufferSet& set = sets_.emplace_back();
      place(inputs, set.inputs);
      place(outputs, set.outputs);
      for (std::size_t j = 0; j < inputs.size(); ++j)
        if (bytes_of(inputs[j]) > 0)
          TANDEM_HIP(device_->driver(), hipMemcpyAsync, set.inputs[j].data, inputs[j].data,
                     static_cast<std::size_t>(bytes_of(inputs[j])), hip::CopyKind::host_to_device, stream_.get());
      TANDEM_HIP(device_->driver(), hipStreamSynchronize, stream_.get());
    }
  }

  /// Microseconds of one run.
  double replay(const Variant& v) {
    const hip::Driver& driver = device_->driver();
    const hip::DeviceScope scope(*device_);
    float milliseconds = 0;
    TANDEM_HIP(driver, hipEventRecord, start_.get(), stream_.get());
    TANDEM_HIP(driver, hipGraphLaunch, v.graph.get(), stream_.get());
    TANDEM_HIP(driver, hipEventRecord, stop_.get(), stream_.get());
    TANDEM_HIP(driver, hipEventSynchronize, stop_.get());
    TANDEM_HIP(driver, hipEventElapsedTime, &milliseconds, start_.get(), stop_.get());
    return static_cast<double>(milliseconds) * 1e3 / static_cast<double>(sets_.size());
  }

  std::shared_ptr<hip::Device> device_;
  hip::Handle stream_;
  hip::Handle start_ = hip::make_event(device_, true), stop_ = hip::make_event(device_, true);
  std::vector<Variant> variants_;
  std::vector<BufferSet> sets_;
  hip::DeviceBuffer memory_;
  std::int64_t set_bytes_ = 0;
};

}  // namespace

std::unique_ptr<BenchTimer> make_gpu_timer(const Graph& graph, const Graph& optimised, const TensorStore& weights,
                                           const GpuSettings& settings, bool relaxed_numerics) {
  return std::make_unique<GpuTimer>(graph, optimised, weights, settings, relaxed_numerics);
}

}  // namespace tandem::cli
