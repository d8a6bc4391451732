// Carrying out the steps of a bound plan.
#include <tandem/runtime/hip/hip_frame.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/runtime/hip/aiter.h>
#include <tandem/runtime/hip/host_step.h>
#include <tandem/runtime/hip/step_launcher.h>
#include <tandem/runtime/run_request.h>

namespace tandem::hip {

HipFrame::HipFrame(const HipPlan::Impl& plan, std::shared_ptr<const BoundPlan> bound)
    : recorded(plan.options.max_graphs), plan_(plan), bound_(std::move(bound)) {
  for (const BoundView& v : bound_->views) {
    views_.push_back(v.view);
    if (v.base == BaseKind::absolute && v.view.size() > 0)
      views_.back().data = plan_.statics.on_device(v.view.data);
  }
  gemms_.resize(bound_->steps.size());
  aiter_.resize(bound_->steps.size(), 0);
}

void HipFrame::set_addresses(std::byte* arena, std::span<const TensorView> inputs,
                             std::span<const TensorView> outputs) {
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const BoundView& b = bound_->views[i];
    std::byte* base = nullptr;
    switch (b.base) {
      case BaseKind::absolute: continue;
      case BaseKind::arena: base = arena; break;
      case BaseKind::input: base = inputs[b.index].data; break;
      case BaseKind::output: base = outputs[b.index].data; break;
    }
    views_[i].data = base ? base + b.offset : nullptr;
  }
}

std::span<const TensorView> HipFrame::operands(const BoundStep& step) const {
  return std::span(views_).subspan(step.first_view, step.operands);
}
std::span<const TensorView> HipFrame::results(const BoundStep& step) const {
  return std::span(views_).subspan(step.first_view + step.operands, step.results);
}

KernelCall HipFrame::call_of(const BoundStep& step) const {
  const Graph& graph = plan_.data.graph;
  if (step.is_copy)
    return {graph.context().op(plan_.copy_op), operands(step), results(step), copy_attrs_, bound_->bindings};
  const Node n = plan_.data.steps[step.step].node;
  return {graph.def(n), operands(step), results(step), graph.attrs(n), bound_->bindings};
}

const PlannedNode* HipFrame::node(std::size_t i) const {
  const BoundStep& step = bound_->steps[i];
  return step.is_output_copy ? nullptr : &plan_.nodes[plan_.data.steps[step.step].planned];
}

std::string HipFrame::provider(std::size_t i) const {
  const BoundStep& step = bound_->steps[i];
  if (step.is_copy)
    return "hip";
  if (aiter_[i])
    return "aiter";
  if (gemms_[i])
    return plan_.blas->api().library;
  return plan_.steps[step.step].by == HipStep::By::host ? "host" : "hip";
}

const ElementwiseChain* HipFrame::chain(std::size_t i) const {
  const BoundStep& step = bound_->steps[i];
  const std::int32_t group = step.is_copy ? -1 : plan_.chains.groups.of_step[step.step];
  if (group < 0)
    return nullptr;
  const ElementwiseChain& chain = plan_.chains.chains[static_cast<std::size_t>(group)];
  return chain.members.front() == step.step ? &chain : nullptr;
}

bool HipFrame::is_in_earlier_chain(std::size_t i) const {
  const BoundStep& step = bound_->steps[i];
  return !step.is_copy && plan_.chains.groups.of_step[step.step] >= 0 && !chain(i);
}

/// By its kernel, alone or with the rest of its chain, whose bound steps follow it.
void HipFrame::launch(std::size_t i, Launcher& launcher) const {
  const ElementwiseChain* chain = this->chain(i);
  if (!chain)
    return plan_.steps[bound_->steps[i].step].kernel->run(call_of(bound_->steps[i]), launcher);
  std::vector<TensorView> inputs, outputs;
  for (const ElementwiseChain::Input& input : chain->inputs)
    inputs.push_back(operands(bound_->steps[i + input.member])[input.operand]);
  for (const std::size_t member : chain->outputs)
    outputs.push_back(results(bound_->steps[i + member])[0]);
  plan_.options.chain_kernel({inputs, chain->steps, outputs}, launcher);
}

namespace {

bool is_empty(std::span<const TensorView> results) {
  return std::all_of(results.begin(), results.end(), [](const TensorView& v) { return v.size() == 0; });
}

/// Copies of whole pieces of memory need no kernel.
bool is_plain_copy(const TensorView& from, const TensorView& to) {
  return from.is_contiguous() && to.is_contiguous();
}

}  // namespace

void HipFrame::prepare() {
  workspace_bytes_ = 0;
  bool faults = false;
  if (plan_.copy_op == op::cast && !views_.empty())
    copy_attrs_.assign(1, Attribute());
  for (std::size_t i = 0; i < bound_->steps.size(); ++i) {
    const BoundStep& step = bound_->steps[i];
    if (is_empty(results(step)) || is_in_earlier_chain(i))
      continue;
    try {
      if (step.is_copy) {
        if (is_plain_copy(operands(step)[0], results(step)[0]))
          continue;
        if (!plan_.copy_kernel)
          throw Error("hip.no-kernel", "no GPU kernel copies between strides", "add one for 'identity' or 'cast'");
        CountingLauncher counter(*plan_.device);
        if (plan_.copy_op == op::cast)
          copy_attrs_[0] = Attribute::of(results(step)[0].dtype);
        plan_.copy_kernel->run(call_of(step), counter);
        workspace_bytes_ = std::max(workspace_bytes_, counter.workspace_bytes());
        continue;
      }
      const HipStep& planned = plan_.steps[step.step];
      if (planned.by == HipStep::By::host)
        continue;
      prepare_step(i);
      if (gemms_[i]) {
        workspace_bytes_ = std::max(workspace_bytes_, gemms_[i]->workspace());
        continue;
      }
      if (aiter_[i])
        continue;
      CountingLauncher counter(*plan_.device);
      launch(i, counter);
      workspace_bytes_ = std::max(workspace_bytes_, counter.workspace_bytes());
      faults |= counter.uses_fault();
    } catch (const Error& error) {
      throw node(i) ? with_node(error, provider(i), *node(i)) : error;
    }
  }
  if (faults && faults_.size() == 0)
    faults_ = DeviceBuffer(plan_.device, bound_->steps.size() * sizeof(std::uint32_t), "fault words");
}

/// Whether something other than the kernel computes the step.
void HipFrame::prepare_step(std::size_t i) {
  const BoundStep& step = bound_->steps[i];
  const HipStep& planned = plan_.steps[step.step];
  const KernelCall call = call_of(step);
  aiter_[i] = plan_.options.aiter && plan_.options.aiter->refusal(call, plan_.options.relaxed_numerics).empty() ? 1 : 0;
  if (!planned.is_matrix_product || !plan_.blas)
    return;
  const std::optional<GemmCall> gemm = as_gemm(plan_.data.graph.op(plan_.data.steps[step.step].node), call);
  if (!gemm)
    gemms_[i].reset();
  else if (!gemms_[i] || gemms_[i]->gemm() != gemm->gemm)
    gemms_[i] = plan_.blas->prepare(gemm->gemm, plan_.options.measure_blas);
}

void HipFrame::enqueue(ScratchMemory& scratch, void* stream) {
  if (faults_.size() > 0)
    TANDEM_HIP(plan_.device->driver(), hipMemsetAsync, faults_.data(), 0, faults_.size(), stream);
  for (std::size_t i = 0; i < bound_->steps.size(); ++i)
    enqueue_step(i, scratch, stream);
}

void HipFrame::enqueue_step(std::size_t i, ScratchMemory& scratch, void* stream) {
  const BoundStep& step = bound_->steps[i];
  if (is_empty(results(step)) || is_in_earlier_chain(i))
    return;
  try {
    if (step.is_copy)
      copy(step, scratch, stream);
    else
      run_step(i, scratch, stream);
  } catch (const Error& error) {
    throw node(i) ? with_node(error, provider(i), *node(i)) : error;
  }
}

void HipFrame::run_step(std::size_t i, ScratchMemory& scratch, void* stream) {
  const BoundStep& step = bound_->steps[i];
  const PlanStep& host = plan_.data.steps[step.step];
  const HipStep& planned = plan_.steps[step.step];
  const KernelCall call = call_of(step);
  if (planned.by == HipStep::By::kernel)
    prepare_step(i);  // what was prepared last may be for other addresses
  if (planned.by == HipStep::By::host) {
    run_on_host(*plan_.device, host.kernel, call, stream);
  } else if (gemms_[i]) {
    gemms_[i]->run(as_gemm(plan_.data.graph.op(host.node), call)->operands, scratch.workspace.data(), stream);
  } else if (aiter_[i]) {
    plan_.options.aiter->run(call, stream);
  } else {
    StreamLauncher launcher(*plan_.device, stream, scratch.workspace.data(), scratch.workspace.size());
    launcher.set_fault(reinterpret_cast<std::uint32_t*>(faults_.data()) + (faults_.size() > 0 ? i : 0));
    launch(i, launcher);
  }
}

void HipFrame::copy(const BoundStep& step, ScratchMemory& scratch, void* stream) {
  const TensorView& from = operands(step)[0];
  const TensorView& to = results(step)[0];
  if (is_plain_copy(from, to)) {
    const std::size_t bytes = static_cast<std::size_t>(to.size()) * byte_size(to.dtype);
    TANDEM_HIP(plan_.device->driver(), hipMemcpyAsync, to.data, from.data, bytes, CopyKind::device_to_device, stream);
    return;
  }
  if (plan_.copy_op == op::cast)
    copy_attrs_[0] = Attribute::of(to.dtype);
  StreamLauncher launcher(*plan_.device, stream, scratch.workspace.data(), scratch.workspace.size());
  plan_.copy_kernel->run(call_of(step), launcher);
}

void HipFrame::check_faults(void* stream) const {
  if (faults_.size() == 0)
    return;
  const Driver& driver = plan_.device->driver();
  std::vector<std::uint32_t> words(bound_->steps.size());
  TANDEM_HIP(driver, hipMemcpyAsync, words.data(), faults_.data(), faults_.size(), CopyKind::device_to_host, stream);
  TANDEM_HIP(driver, hipStreamSynchronize, stream);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == 0)
      continue;
    const Error error("run.index", fmt::format("an index of '{}' points outside", node(i) ? node(i)->op : "copy"),
                      "check the indices that go in; elements that they concern were left as they were");
    throw node(i) ? with_node(error, provider(i), *node(i)) : error;
  }
}

}  // namespace tandem::hip
