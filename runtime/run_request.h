// What every executor does before it runs: checks of inputs and outputs, and the look-up of the plan for their shapes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/kernel.h>
#include <tandem/runtime/bound_plan.h>
#include <tandem/runtime/buffer_extent.h>
#include <tandem/runtime/plan.h>
#include <tandem/runtime/plan_impl.h>
#include <tandem/runtime/tensor_store.h>

namespace tandem {

/// Reused by each run, so that runs with known shapes allocate nothing. Serves one run at a time.
class RunRequest {
 public:
  /// `groups`, if any, is given to `bind`.
  explicit RunRequest(const Plan::Impl& plan, const StepGroups* groups = nullptr) : plan_(plan), groups_(groups) {}

  /// Throws Error "run.inputs", "run.dtype", "run.shape", "run.null" or "run.misaligned".
  void check_inputs(std::span<const TensorView> inputs) const;
  /// Throws Error "run.outputs", "run.null", "run.misaligned" or "run.overlap".
  void check_outputs(std::span<const TensorView> inputs, std::span<const TensorView> outputs);

  /// What tells the prepared forms of a plan apart: shapes, strides, given dims. `outputs` is empty where they are to
  /// be allocated. Valid until the next call.
  const std::vector<std::int64_t>& make_key(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                                            const DimBindings& dims);

  /// The bound plan for the key made last. Shared with the plan's other executors; two that need the same at once may
  /// both prepare it.
  std::shared_ptr<const BoundPlan> bind_plan(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                                             const DimBindings& dims) const;

 private:
  const Plan::Impl& plan_;
  const StepGroups* groups_;
  std::vector<std::int64_t> key_;
  std::vector<Extent> input_extents_, output_extents_;
};

/// Inputs given by name, in the order of `ports`. Throws Error "run.inputs".
std::vector<Tensor> order_inputs(std::span<const PlanPort> ports, std::span<const NamedTensor> inputs);

/// `error` with a note of what ran: "while 'cpu' computed %y = add".
Error with_node(const Error& error, std::string_view provider, const PlannedNode& node);

}  // namespace tandem
