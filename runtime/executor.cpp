// Running: checks, the cache of prepared frames, the loop over steps.
#include <tandem/runtime/executor.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/cpu/strided_copy.h>
#include <tandem/runtime/bound_plan.h>
#include <tandem/runtime/host_memory.h>
#include <tandem/runtime/lru_cache.h>
#include <tandem/runtime/plan_impl.h>
#include <tandem/runtime/run_request.h>

namespace tandem {
namespace {

/// A bound plan and its views, addresses filled in at each run.
struct Frame {
  std::shared_ptr<const BoundPlan> bound;
  std::vector<TensorView> views;
};

}  // namespace

struct Executor::Impl {
  explicit Impl(Plan p) : plan(std::move(p)), data(*plan.impl_), frames(data.max_bindings), request(data) {}

  Plan plan;
  const Plan::Impl& data;
  LruCache<Frame> frames;
  std::shared_ptr<std::byte> arena;
  std::int64_t arena_size = 0;
  std::function<void(const StepEvent&)> observer;

  // Reused by each run, so that it allocates nothing.
  RunRequest request;
  std::vector<TensorView> input_views, output_views;

  /// The frame for these layouts; prepared where they are new. `outputs` is empty where they are to be allocated.
  Frame& frame_for(std::span<const TensorView> inputs, std::span<const TensorView> outputs, const DimBindings& dims) {
    const std::vector<std::int64_t>& key = request.make_key(inputs, outputs, dims);
    if (Frame* frame = frames.find(key))
      return *frame;
    Frame frame{request.bind_plan(inputs, outputs, dims), {}};
    for (const BoundView& v : frame.bound->views)
      frame.views.push_back(v.view);
    return frames.insert(key, std::move(frame));
  }

  void grow_arena(std::int64_t bytes) {
    if (bytes <= arena_size)
      return;
    arena.reset();
    arena_size = 0;
    arena = try_allocate(bytes);
    if (!arena)
      out_of_memory(bytes, "intermediate values");
    arena_size = bytes;
  }

  void set_addresses(Frame& frame, std::span<const TensorView> inputs, std::span<const TensorView> outputs) const {
    for (std::size_t i = 0; i < frame.views.size(); ++i) {
      const BoundView& b = frame.bound->views[i];
      std::byte* base = nullptr;
      switch (b.base) {
        case BaseKind::absolute: continue;
        case BaseKind::arena: base = arena.get(); break;
        case BaseKind::input: base = inputs[b.index].data; break;
        case BaseKind::output: base = outputs[b.index].data; break;
      }
      frame.views[i].data = base ? base + b.offset : nullptr;
    }
  }

  void execute(Frame& frame, std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
    const BoundPlan& bound = *frame.bound;
    grow_arena(bound.memory.arena);
    set_addresses(frame, inputs, outputs);
    const BoundStep* current = nullptr;
    try {
      for (const BoundStep& step : bound.steps) {
        current = &step;
        run_step(step, frame);
      }
    } catch (const Error& error) {
      throw note_node(error, current);
    } catch (const std::bad_alloc&) {
      throw note_node(Error("run.out-of-memory", "the system has no memory for a kernel's scratch space"), current);
    }
  }

  void run_step(const BoundStep& step, Frame& frame) {
    const std::span<const TensorView> views(frame.views);
    const auto operands = views.subspan(step.first_view, step.operands);
    const auto results = views.subspan(step.first_view + step.operands, step.results);
    const auto start = observer ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point();
    if (step.is_copy) {
      cpu::copy_strided(operands[0], results[0]);
    } else {
      const PlanStep& planned = data.steps[step.step];
      planned.kernel(
          {data.graph.def(planned.node), operands, results, data.graph.attrs(planned.node), frame.bound->bindings});
    }
    if (observer && !step.is_output_copy) {
      const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start);
      observer({data.nodes[data.steps[step.step].planned], operands, results, time});
    }
  }

  Error note_node(const Error& error, const BoundStep* step) const {
    if (!step || step->is_output_copy)
      return error;
    const PlannedNode& node = data.nodes[data.steps[step->step].planned];
    return with_node(error, node.provider, node);
  }
};

Executor::Executor(Plan plan) : impl_(std::make_unique<Impl>(std::move(plan))) {}
Executor::~Executor() = default;
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;

const Plan& Executor::plan() const {
  return impl_->plan;
}
void Executor::set_observer(std::function<void(const StepEvent&)> observer) {
  impl_->observer = std::move(observer);
}
std::size_t Executor::arena_bytes() const {
  return static_cast<std::size_t>(impl_->arena_size);
}

std::vector<Tensor> Executor::run(std::span<const Tensor> inputs, const DimBindings& dims) {
  std::vector<TensorView>& views = impl_->input_views;
  views.clear();
  for (const Tensor& t : inputs)
    views.push_back(t.view);
  impl_->request.check_inputs(views);
  Frame& frame = impl_->frame_for(views, {}, dims);
  std::vector<Tensor> outputs;
  std::vector<TensorView>& output_views = impl_->output_views;
  output_views.clear();
  for (const TensorView& v : frame.bound->outputs) {
    outputs.push_back(allocate_tensor(v.dtype, v.dims(), "an output"));
    output_views.push_back(outputs.back().view);
  }
  impl_->execute(frame, views, output_views);
  return outputs;
}

std::vector<NamedTensor> Executor::run_named(std::span<const NamedTensor> inputs, const DimBindings& dims) {
  std::vector<Tensor> results = run(order_inputs(plan().inputs(), inputs), dims);
  std::vector<NamedTensor> outputs;
  for (std::size_t i = 0; i < results.size(); ++i)
    outputs.push_back({plan().outputs()[i].name, std::move(results[i])});
  return outputs;
}

void Executor::run_into(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                        const DimBindings& dims) {
  impl_->request.check_inputs(inputs);
  impl_->request.check_outputs(inputs, outputs);
  impl_->execute(impl_->frame_for(inputs, outputs, dims), inputs, outputs);
}

}  // namespace tandem
