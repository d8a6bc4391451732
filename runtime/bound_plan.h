// A plan for given shapes: concrete views, and where they lie.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tandem/kernels/kernel.h>
#include <tandem/kernels/tensor.h>
#include <tandem/runtime/plan.h>

namespace tandem {

/// The pieces of memory that a run works on. Static data (weights, folded values) needs none: its address is known.
enum class BaseKind : std::uint8_t { absolute, arena, input, output };

/// A view whose address becomes known at a run: the address of its base plus bytes.
struct BoundView {
  TensorView view;  ///< `data` is set for `absolute` only.
  BaseKind base = BaseKind::absolute;
  std::uint32_t index = 0;  ///< Which input or output.
  std::int64_t offset = 0;  ///< Bytes.
};

/// A kernel call or a copy: `operands` views from `first_view`, then `results` views.
struct BoundStep {
  std::uint32_t step = 0;  ///< In `Plan::Impl::steps`; for a copy to an output, the output's number.
  std::uint32_t first_view = 0, operands = 0, results = 0;
  bool is_copy = false;         ///< Copies its one operand to its one result.
  bool is_output_copy = false;  ///< Such a copy at the end of the run.
};

struct BoundPlan {
  DimBindings bindings;
  std::vector<BoundView> views;
  std::vector<BoundStep> steps;
  std::vector<TensorView> outputs;  ///< Shapes of the outputs, row-major.
  MemoryUse memory;
};

/// Steps that a backend carries out as one: what they read and write lives at one time, so nothing shares a place.
struct StepGroups {
  std::vector<std::int32_t> of_step;  ///< By step of `Plan::Impl::steps`: the number of its group, or -1.
  std::vector<char> internal;         ///< By value index: the group's own, which needs no memory.
};

/// How a run's memory comes: inputs (strided), outputs (empty: row-major, to be allocated).
struct RunShapes {
  std::span<const TensorView> inputs;
  std::span<const TensorView> outputs;
};

/// Throws Error as `Executor::run`.
BoundPlan bind(const Plan::Impl& plan, const RunShapes& shapes, const DimBindings& given,
               const StepGroups* groups = nullptr);
/// The same with the symbols' values known and inputs row-major.
BoundPlan bind(const Plan::Impl& plan, const DimBindings& bindings);

}  // namespace tandem
