// Running a plan.
//
// An executor owns what a run writes to: the arena and the prepared views. It serves one run at a time; several threads
// each have their own executor over one plan. Runs with shapes that were seen before allocate nothing but, where the
// caller gives none, the output tensors.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/kernels/kernel.h>
#include <tandem/kernels/tensor.h>
#include <tandem/runtime/plan.h>
#include <tandem/runtime/tensor_store.h>

namespace tandem {

/// A kernel has run. The views are valid during the call only.
struct StepEvent {
  const PlannedNode& node;
  std::span<const TensorView> operands;
  std::span<const TensorView> results;
  std::chrono::nanoseconds time;
};

class TANDEM_EXPORT Executor {
 public:
  explicit Executor(Plan plan);
  ~Executor();
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;

  const Plan& plan() const;

  /// Inputs by position; any strides. Returns the outputs by position, row-major, in memory of their own.
  /// The symbols of the graph are solved from the inputs' shapes; `dims` gives those that appear in none.
  ///
  /// Throws Error "run.inputs" (missing or extra), "run.dtype", "run.shape", "run.null", "run.misaligned",
  /// "run.unbound-dim", "run.dim-range", "run.dim-conflict", "run.too-large", "run.out-of-memory", and what kernels
  /// throw, with the node named in a note. After an error the executor can be used again.
  std::vector<Tensor> run(std::span<const Tensor> inputs, const DimBindings& dims = {});

  /// The same by name, in any order.
  std::vector<NamedTensor> run_named(std::span<const NamedTensor> inputs, const DimBindings& dims = {});

  /// The same into the caller's buffers, of the outputs' dtypes and shapes and with any strides that do not make
  /// elements overlap. Throws Error "run.outputs" or "run.overlap" (with an input or another output), too.
  void run_into(std::span<const TensorView> inputs, std::span<const TensorView> outputs, const DimBindings& dims = {});

  /// Called after every kernel, with the time that it took; an empty function (the default) costs nothing.
  void set_observer(std::function<void(const StepEvent&)> observer);

  /// Bytes of the arena as it is; it grows to the largest need and stays.
  std::size_t arena_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem
