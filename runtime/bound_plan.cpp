// Binding a plan to shapes: sizes, strides of views, lifetimes, the arena's layout.
#include <tandem/runtime/bound_plan.h>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/runtime/binding.h>
#include <tandem/runtime/memory.h>
#include <tandem/runtime/plan_impl.h>
#include <tandem/runtime/view_geometry.h>

namespace tandem {
namespace {

constexpr std::int64_t max_tensor_bytes = std::int64_t{1} << 46;
constexpr std::uint32_t no_buffer = 0xffffffffU;

class Binder {
 public:
  Binder(const Plan::Impl& plan, DimBindings bindings, const StepGroups* groups = nullptr)
      : plan_(plan), graph_(plan.graph), groups_(groups) {
    out_.bindings = std::move(bindings);
    places_.resize(graph_.value_capacity());
  }

  BoundPlan bind(std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
    place_inputs(inputs);
    for (std::size_t v = 0; v < plan_.statics.size(); ++v)
      if (plan_.statics[v])
        places_[v] = {{plan_.statics[v]->view, BaseKind::absolute, 0, 0}, no_buffer, true};
    shape_outputs(outputs);
    assign_outputs(outputs.empty() ? std::span<const TensorView>(out_.outputs) : outputs);
    for (std::size_t i = 0; i < plan_.steps.size(); ++i)
      place_step(static_cast<std::uint32_t>(i));
    copy_outputs(outputs.empty() ? std::span<const TensorView>(out_.outputs) : outputs);
    lay_out();
    return std::move(out_);
  }

 private:
  /// Where a value lies. `buffer` tells whose lifetime its readers prolong.
  struct Place {
    BoundView at;
    std::uint32_t buffer = no_buffer;
    bool known = false;
  };

  Place& place(Value v) { return places_[v.index]; }

  /// The sizes of a value's type; the same shape is evaluated once.
  const std::vector<std::int64_t>& sizes(Value v) {
    const Shape shape = graph_.type(v).shape;
    const auto [it, fresh] = sizes_.try_emplace(shape.id());
    if (!fresh)
      return it->second;
    for (const Dim d : shape) {
      const std::int64_t size = out_.bindings.value(d);
      if (size < 0)
        too_odd(v, fmt::format("{} is {}", to_string(d), size));
      it->second.push_back(size);
    }
    return it->second;
  }

  TensorView view_of(Value v) {
    const std::vector<std::int64_t>& shape = sizes(v);
    std::int64_t bytes = static_cast<std::int64_t>(byte_size(graph_.type(v).dtype));
    bool empty = false, overflow = false;
    for (const std::int64_t d : shape) {
      empty |= d == 0;
      overflow |= __builtin_mul_overflow(bytes, std::max<std::int64_t>(d, 1), &bytes) || bytes > max_tensor_bytes;
    }
    if (overflow)
      throw Error("run.too-large", fmt::format("'{}' of type {} takes more than 2^46 bytes{}", plan_.value_name(v),
                                               to_string(graph_.type(v)), with_bindings()));
    (void)empty;
    return make_view(nullptr, graph_.type(v).dtype, shape);
  }

  void place_inputs(std::span<const TensorView> inputs) {
    for (std::size_t i = 0; i < graph_.inputs().size(); ++i) {
      const Value v = graph_.inputs()[i];
      TensorView view = view_of(v);
      if (!inputs.empty())
        view.strides = inputs[i].strides;
      place(v) = {{view, BaseKind::input, static_cast<std::uint32_t>(i), 0}, no_buffer, true};
    }
  }

  void shape_outputs(std::span<const TensorView> outputs) {
    for (std::size_t i = 0; i < graph_.num_outputs(); ++i) {
      const Value v = graph_.output(i);
      out_.outputs.push_back(view_of(v));
      if (outputs.empty())
        continue;
      const TensorView& want = out_.outputs.back();
      const TensorView& got = outputs[i];
      if (got.dtype != want.dtype ||
          !std::equal(got.dims().begin(), got.dims().end(), want.dims().begin(), want.dims().end()))
        throw Error("run.outputs", fmt::format("the buffer of output {} ('{}') is {}, expected {}", i,
                                               plan_.outputs[i].name, type_text(got), type_text(want)));
    }
  }

  /// An output that a kernel computes is written where the caller wants it.
  void assign_outputs(std::span<const TensorView> outputs) {
    direct_.assign(graph_.num_outputs(), 0);
    for (std::size_t i = 0; i < graph_.num_outputs(); ++i)
      if (graph_.def_node(graph_.output(i)))
        wanted_.try_emplace(graph_.output(i).index, i, outputs[i]);
  }

  void place_result(Value v, std::uint32_t when) {
    TensorView view = view_of(v);
    if (const auto it = wanted_.find(v.index); it != wanted_.end()) {
      view.strides = it->second.second.strides;
      direct_[it->second.first] = 1;
      place(v) = {{view, BaseKind::output, static_cast<std::uint32_t>(it->second.first), 0}, no_buffer, true};
      return;
    }
    const bool internal = groups_ && groups_->internal[v.index] != 0;
    const std::int64_t bytes = internal ? 0 : view.size() * static_cast<std::int64_t>(byte_size(view.dtype));
    place(v) = {{view, BaseKind::arena, 0, 0}, static_cast<std::uint32_t>(buffers_.size()), true};
    buffers_.push_back({bytes, when, when});
  }

  /// When a step runs: after the one before, or together with it where both are of one group.
  std::uint32_t time_of(std::uint32_t index) {
    const std::int32_t group = groups_ ? groups_->of_step[index] : -1;
    if (group < 0 || group != last_group_)
      ++now_;
    last_group_ = group;
    return now_;
  }

  void place_step(std::uint32_t index) {
    const PlanStep& step = plan_.steps[index];
    if (step.is_view && place_views(step))
      return;
    const std::uint32_t when = time_of(index);
    BoundStep bound;
    bound.step = index;
    bound.first_view = static_cast<std::uint32_t>(out_.views.size());
    bound.operands = static_cast<std::uint32_t>(step.is_view ? 1 : graph_.num_operands(step.node));
    bound.results = static_cast<std::uint32_t>(graph_.num_results(step.node));
    bound.is_copy = step.is_view;
    for (std::uint32_t i = 0; i < bound.operands; ++i)
      read(graph_.operand(step.node, i), when);
    for (std::uint32_t i = 0; i < bound.results; ++i) {
      const Value v = graph_.result(step.node, i);
      place_result(v, when);
      push_view(place(v));
    }
    if (bound.is_copy) {  // a reshape: read through the source's strides, written row-major under the source's shape
      BoundView& source = out_.views[bound.first_view];
      BoundView& target = out_.views[bound.first_view + 1];
      if (!target.view.is_contiguous())
        return copy_strided_reshape(bound, when);
      const TensorView dense = make_view(nullptr, source.view.dtype, source.view.dims());
      target.view = dense;
    }
    out_.steps.push_back(bound);
  }

  /// A reshape into an output of the caller's own strides: by way of a row-major buffer.
  void copy_strided_reshape(BoundStep first, std::uint32_t when) {
    const Place target = {out_.views.back(), no_buffer, true};
    const TensorView dense = make_view(nullptr, target.at.view.dtype, target.at.view.dims());
    const Place between = {{dense, BaseKind::arena, 0, 0}, static_cast<std::uint32_t>(buffers_.size()), true};
    buffers_.push_back({dense.size() * static_cast<std::int64_t>(byte_size(dense.dtype)), when, when + 1});
    now_ = when + 1;
    out_.views.pop_back();
    view_buffers_.pop_back();
    push_view(between);
    out_.views.back().view = make_view(nullptr, dense.dtype, out_.views[first.first_view].view.dims());
    out_.steps.push_back(first);
    BoundStep second = first;
    second.first_view = static_cast<std::uint32_t>(out_.views.size());
    push_view(between);
    push_view(target);
    out_.steps.push_back(second);
  }

  /// False for a reshape that must copy.
  bool place_views(const PlanStep& step) {
    const Place source = place(graph_.operand(step.node, 0));
    results_.clear();
    for (std::size_t i = 0; i < graph_.num_results(step.node); ++i)
      results_.push_back(view_of(graph_.result(step.node, i)));
    const KernelCall call{
        graph_.def(step.node), {&source.at.view, 1}, results_, graph_.attrs(step.node), out_.bindings};
    try {
      if (!view_geometry(graph_.op(step.node), call, geometry_))
        return false;
    } catch (const Error& error) {
      Diagnostic d = error.diagnostics().front();
      d.where.path = fmt::format("%{}", plan_.value_name(graph_.result(step.node, 0)));
      d.message += with_bindings();
      throw Error(std::move(d));
    }
    for (std::size_t i = 0; i < results_.size(); ++i) {
      Place p = source;
      const std::int64_t bytes = geometry_[i].offset * static_cast<std::int64_t>(byte_size(p.at.view.dtype));
      p.at.view = results_[i];
      p.at.view.strides = geometry_[i].strides;
      if (p.at.base != BaseKind::absolute) {
        p.at.offset += results_[i].size() > 0 ? bytes : 0;
      } else {
        p.at.view.data = source.at.view.data;
        if (results_[i].size() > 0)
          p.at.view.data += bytes;
      }
      place(graph_.result(step.node, i)) = p;
    }
    return true;
  }

  void read(Value v, std::uint32_t when) {
    const Place& p = place(v);
    if (!p.known)
      internal_error("a value is read before it is placed");
    if (p.buffer != no_buffer)
      buffers_[p.buffer].last = std::max<std::int64_t>(buffers_[p.buffer].last, when);
    push_view(p);
  }
  void push_view(const Place& p) {
    out_.views.push_back(p.at);
    view_buffers_.push_back(p.buffer);
  }

  /// Outputs that are views, inputs, weights, or the same value once more.
  void copy_outputs(std::span<const TensorView> outputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (direct_[i])
        continue;
      BoundStep bound;
      bound.step = static_cast<std::uint32_t>(i);
      bound.first_view = static_cast<std::uint32_t>(out_.views.size());
      bound.operands = bound.results = 1;
      bound.is_copy = bound.is_output_copy = true;
      read(graph_.output(i), ++now_);
      TensorView target = out_.outputs[i];
      target.strides = outputs[i].strides;
      push_view({{target, BaseKind::output, static_cast<std::uint32_t>(i), 0}, no_buffer, true});
      out_.steps.push_back(bound);
    }
  }

  void lay_out() {
    const ArenaLayout layout = lay_out_arena(buffers_);
    for (std::size_t i = 0; i < out_.views.size(); ++i)
      if (view_buffers_[i] != no_buffer)
        out_.views[i].offset += layout.offsets[view_buffers_[i]];
    MemoryUse& use = out_.memory;
    use.arena = layout.bytes;
    use.peak_live = peak_live_bytes(buffers_);
    for (const BufferLifetime& b : buffers_)
      use.unshared += (b.bytes + 63) / 64 * 64;
    use.constants = plan_.constant_bytes;
    use.weights = plan_.weight_bytes;
    std::int64_t outputs = 0;
    for (const TensorView& v : out_.outputs)
      outputs += v.size() * static_cast<std::int64_t>(byte_size(v.dtype));
    if (outputs > plan_.memory_limit || use.arena > plan_.memory_limit - outputs)
      throw Error("run.too-large",
                  fmt::format("the run needs {} bytes for intermediate values and {} for outputs; the limit is {}{}",
                              use.arena, outputs, plan_.memory_limit, with_bindings()),
                  "use smaller sizes, or raise PlanOptions::memory_limit");
  }

  static std::string type_text(const TensorView& v) {
    std::string shape;
    for (const std::int64_t d : v.dims())
      shape += fmt::format("{}{}", shape.empty() ? "" : ", ", d);
    return fmt::format("{}[{}]", to_string(v.dtype), shape);
  }
  std::string with_bindings() const {
    const std::string text = describe(plan_.symbols, out_.bindings);
    return text.empty() ? "" : fmt::format(" (with {})", text);
  }
  [[noreturn]] void too_odd(Value v, const std::string& why) const {
    Diagnostic d;
    d.code = "run.shape";
    d.where.path = fmt::format("%{}", plan_.value_name(v));
    d.message = fmt::format("'{}' of type {} cannot be: {}{}", plan_.value_name(v), to_string(graph_.type(v)), why,
                            with_bindings());
    throw Error(std::move(d));
  }

  const Plan::Impl& plan_;
  const Graph& graph_;
  const StepGroups* groups_;
  std::uint32_t now_ = 0;
  std::int32_t last_group_ = -1;
  BoundPlan out_;
  std::vector<Place> places_;
  std::vector<std::uint32_t> view_buffers_;  ///< By view of `out_`.
  std::vector<BufferLifetime> buffers_;
  std::unordered_map<const void*, std::vector<std::int64_t>> sizes_;  ///< Looked up only, never walked.
  std::unordered_map<std::uint32_t, std::pair<std::size_t, TensorView>> wanted_;
  std::vector<char> direct_;  ///< By output: written by a kernel.
  std::vector<TensorView> results_;
  std::vector<ViewGeometry> geometry_;
};

}  // namespace

std::string Plan::Impl::value_name(Value v) const {
  // Names cost a pass over the graph; they are wanted in errors only.
  return std::string(ValueNames(graph)[v]);
}

BoundPlan bind(const Plan::Impl& plan, const RunShapes& shapes, const DimBindings& given, const StepGroups* groups) {
  std::vector<ObservedShape> observed;
  for (std::size_t i = 0; i < plan.inputs.size(); ++i)
    observed.push_back({plan.inputs[i].name, plan.inputs[i].type, shapes.inputs[i].dims()});
  std::vector<std::string> names;
  names.reserve(plan.symbolic_weights.size());
  for (const Value v : plan.symbolic_weights) {
    names.push_back(plan.value_name(v));
    observed.push_back({names.back(), plan.graph.type(v), plan.statics[v.index]->view.dims()});
  }
  return Binder(plan, solve_bindings(plan.graph, plan.symbols, observed, given), groups)
      .bind(shapes.inputs, shapes.outputs);
}

BoundPlan bind(const Plan::Impl& plan, const DimBindings& bindings) {
  return Binder(plan, solve_bindings(plan.graph, plan.symbols, {}, bindings)).bind({}, {});
}

}  // namespace tandem
