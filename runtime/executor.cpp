// Running: checks, the cache of prepared frames, the loop over steps.
#include <tandem/runtime/executor.h>

#include <algorithm>
#include <new>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/cpu/strided_copy.h>
#include <tandem/runtime/bound_plan.h>
#include <tandem/runtime/buffer_extent.h>
#include <tandem/runtime/host_memory.h>
#include <tandem/runtime/lru_cache.h>
#include <tandem/runtime/plan_impl.h>

namespace tandem {
namespace {

/// A bound plan and its views, addresses filled in at each run.
struct Frame {
  std::shared_ptr<const BoundPlan> bound;
  std::vector<TensorView> views;
};

[[noreturn]] void fail(std::string code, const PlanPort* port, std::string message, std::string help = {}) {
  Diagnostic d;
  d.code = std::move(code);
  if (port)
    d.where.path = fmt::format("%{}", port->name);
  d.message = std::move(message);
  d.help = std::move(help);
  throw Error(std::move(d));
}

void append_layout(std::vector<std::int64_t>& key, const TensorView& v) {
  key.push_back(v.rank);
  for (std::size_t i = 0; i < v.rank; ++i)
    key.push_back(v.shape[i]);
  for (std::size_t i = 0; i < v.rank; ++i)
    key.push_back(v.strides[i]);
}

}  // namespace

struct Executor::Impl {
  explicit Impl(Plan p) : plan(std::move(p)), data(*plan.impl_), frames(data.max_bindings) {}

  Plan plan;
  const Plan::Impl& data;
  LruCache<Frame> frames;
  std::shared_ptr<std::byte> arena;
  std::int64_t arena_size = 0;
  std::function<void(const StepEvent&)> observer;

  // Reused by each run, so that it allocates nothing.
  std::vector<std::int64_t> key;
  std::vector<TensorView> input_views, output_views;
  std::vector<Extent> input_extents, output_extents;

  void check_input_count(std::size_t n) const {
    if (n == data.inputs.size())
      return;
    const PlanPort* missing = n < data.inputs.size() ? &data.inputs[n] : nullptr;
    fail("run.inputs", missing,
         missing ? fmt::format("{} inputs were given, expected {}: '{}' ({}) is missing", n, data.inputs.size(),
                               missing->name, to_string(missing->type))
                 : fmt::format("{} inputs were given, expected {}", n, data.inputs.size()));
  }

  static void check_memory(const TensorView& v, const PlanPort& port, const char* what) {
    if (v.size() == 0)
      return;
    if (!v.data)
      fail("run.null", &port, fmt::format("the {} '{}' has no memory", what, port.name));
    if (reinterpret_cast<std::uintptr_t>(v.data) % byte_size(v.dtype) != 0)
      fail("run.misaligned", &port,
           fmt::format("the {} '{}' is not aligned to its elements of {} bytes", what, port.name, byte_size(v.dtype)));
  }

  void check_inputs(std::span<const TensorView> inputs) const {
    check_input_count(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const PlanPort& port = data.inputs[i];
      const TensorView& v = inputs[i];
      if (v.dtype != port.type.dtype)
        fail("run.dtype", &port,
             fmt::format("the input '{}' is {}, expected {}", port.name, to_string(v.dtype), to_string(port.type)));
      if (v.rank > max_rank)
        fail("run.shape", &port, fmt::format("the input '{}' has rank {}", port.name, v.rank));
      if (std::any_of(v.dims().begin(), v.dims().end(), [](std::int64_t d) { return d < 0; }))
        fail("run.shape", &port, fmt::format("the input '{}' has a negative size", port.name));
      check_memory(v, port, "input");
    }
  }

  void check_outputs(std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
    if (outputs.size() != data.outputs.size())
      fail("run.outputs", nullptr,
           fmt::format("{} output buffers were given, expected {}", outputs.size(), data.outputs.size()));
    input_extents.clear();
    output_extents.clear();
    for (const TensorView& v : inputs)
      input_extents.push_back(extent(v));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const PlanPort& port = data.outputs[i];
      if (outputs[i].rank > max_rank)
        fail("run.outputs", &port, fmt::format("output {} has rank {}", i, outputs[i].rank));
      check_memory(outputs[i], port, "output");
      if (!elements_are_distinct(outputs[i]))
        fail("run.overlap", &port, fmt::format("elements of the buffer of output {} ('{}') overlap", i, port.name));
      const Extent e = extent(outputs[i]);
      for (std::size_t j = 0; j < input_extents.size(); ++j)
        if (e.meets(input_extents[j]))
          fail(
              "run.overlap", &port,
              fmt::format("the buffer of output {} ('{}') overlaps the input '{}'", i, port.name, data.inputs[j].name));
      for (std::size_t j = 0; j < output_extents.size(); ++j)
        if (e.meets(output_extents[j]))
          fail("run.overlap", &port, fmt::format("the buffers of outputs {} and {} overlap", j, i));
      output_extents.push_back(e);
    }
  }

  /// The frame for these layouts; prepared where they are new. `outputs` is empty where they are to be allocated.
  Frame& frame_for(std::span<const TensorView> inputs, std::span<const TensorView> outputs, const DimBindings& dims) {
    key.clear();
    for (const TensorView& v : inputs)
      append_layout(key, v);
    key.push_back(static_cast<std::int64_t>(outputs.size()));
    for (const TensorView& v : outputs)
      append_layout(key, v);
    if (dims.size() > 0) {
      for (std::size_t i = 0; i < data.symbols.size(); ++i) {
        const auto value = dims.find(data.symbols[i]);
        key.push_back(value ? 1 : 0);
        key.push_back(value.value_or(0));
      }
    }
    if (Frame* frame = frames.find(key))
      return *frame;
    Frame frame{bound_for(inputs, outputs, dims), {}};
    for (const BoundView& v : frame.bound->views)
      frame.views.push_back(v.view);
    return frames.insert(key, std::move(frame));
  }

  /// Shared with the plan's other executors. Two that need the same at once may both prepare it.
  std::shared_ptr<const BoundPlan> bound_for(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                                             const DimBindings& dims) const {
    {
      const std::lock_guard lock(data.mutex);
      if (const auto* found = data.bound.find(key))
        return *found;
    }
    auto bound = std::make_shared<const BoundPlan>(bind(data, {inputs, outputs}, dims));
    const std::lock_guard lock(data.mutex);
    if (const auto* found = data.bound.find(key))
      return *found;
    data.bound.insert(key, bound);
    return bound;
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
      throw with_node(error, current);
    } catch (const std::bad_alloc&) {
      throw with_node(Error("run.out-of-memory", "the system has no memory for a kernel's scratch space"), current);
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

  Error with_node(const Error& error, const BoundStep* step) const {
    std::vector<Diagnostic> diagnostics = error.diagnostics();
    if (step && !step->is_output_copy) {
      const PlannedNode& n = data.nodes[data.steps[step->step].planned];
      diagnostics.front().notes.push_back(fmt::format("while '{}' computed %{} = {}", n.provider, n.name, n.op));
    }
    return Error(std::move(diagnostics));
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
  impl_->check_inputs(views);
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
  const std::span<const PlanPort> ports = plan().inputs();
  std::vector<std::string_view> known;
  for (const PlanPort& p : ports)
    known.push_back(p.name);
  std::vector<Tensor> ordered(ports.size());
  std::vector<char> given(ports.size(), 0);
  for (const NamedTensor& t : inputs) {
    const auto port = std::find(known.begin(), known.end(), t.name);
    if (port == known.end())
      fail("run.inputs", nullptr, fmt::format("the graph has no input '{}'{}", t.name, did_you_mean(t.name, known)),
           known.empty() ? "it has none" : fmt::format("its inputs are: {}", fmt::join(known, ", ")));
    const auto i = static_cast<std::size_t>(port - known.begin());
    if (std::exchange(given[i], 1))
      fail("run.inputs", &ports[i], fmt::format("the input '{}' is given twice", t.name));
    ordered[i] = t.tensor;
  }
  for (std::size_t i = 0; i < ports.size(); ++i)
    if (!given[i])
      fail("run.inputs", &ports[i],
           fmt::format("the input '{}' ({}) is missing", ports[i].name, to_string(ports[i].type)));
  std::vector<Tensor> results = run(ordered, dims);
  std::vector<NamedTensor> outputs;
  for (std::size_t i = 0; i < results.size(); ++i)
    outputs.push_back({plan().outputs()[i].name, std::move(results[i])});
  return outputs;
}

void Executor::run_into(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                        const DimBindings& dims) {
  impl_->check_inputs(inputs);
  impl_->check_outputs(inputs, outputs);
  impl_->execute(impl_->frame_for(inputs, outputs, dims), inputs, outputs);
}

}  // namespace tandem
