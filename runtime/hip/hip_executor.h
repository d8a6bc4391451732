// Running a plan on a GPU.
//
// An executor owns what a run writes to: the arena, workspace, recorded graphs. It serves one thread at a time; several
// executors share one plan, and several plans run side by side.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/kernels/kernel.h>
#include <tandem/kernels/tensor.h>
#include <tandem/runtime/hip/hip_plan.h>
#include <tandem/runtime/tensor_store.h>

namespace tandem {

/// What one step of a run costs by itself.
struct HipStepTime {
  std::string name, op;  ///< Of the node; "" and "copy" for a copy to an output.
  std::string provider;  ///< Who computes it with these shapes: "hip", "libcublasLt.so.13", "aiter", "host".
  double microseconds = 0;
  std::int64_t bytes = 0;  ///< Elements of operands and results, each counted once.
};

class TANDEM_EXPORT HipExecutor {
 public:
  explicit HipExecutor(HipPlan plan);
  /// Waits for what was enqueued.
  ~HipExecutor();
  HipExecutor(HipExecutor&&) noexcept;
  HipExecutor& operator=(HipExecutor&&) noexcept;

  const HipPlan& plan() const;

  /// Tensors of the host in, tensors of the host out: copies, runs, waits. Throws what `Executor::run` throws,
  /// "run.index" among it, and Error "hip.call", "hip.out-of-memory".
  std::vector<Tensor> run(std::span<const Tensor> inputs, const DimBindings& dims = {});
  /// The same by name, in any order.
  std::vector<NamedTensor> run_named(std::span<const NamedTensor> inputs, const DimBindings& dims = {});

  /// Puts a run on `stream` (a hipStream_t, cudaStream_t or CUstream; null: the default stream) and returns at once.
  /// The views' addresses are device memory that stays valid until the run is done; outputs may be strided. With shapes
  /// and addresses that were seen before it makes no allocation and waits for nothing. New shapes, new addresses and
  /// growing sizes may wait for earlier runs. The first run with new addresses launches kernels one by one, the second
  /// records them, the third and later ones replay; `prepare` does that ahead of time.
  ///
  /// A run that follows another of this executor on another stream waits for it there (they share the arena). On a
  /// stream that the caller is recording, launches become part of the caller's graph; the arena is then in use whenever
  /// that graph runs, and only the caller can keep other runs of this executor away from it.
  ///
  /// Throws Error as `Executor::run_into`, "hip.call", "hip.out-of-memory", "hip.recording".
  void enqueue(std::span<const TensorView> inputs, std::span<const TensorView> outputs, void* stream,
               const DimBindings& dims = {});

  /// Does for these shapes and addresses what would be done once: plans, allocates, loads kernels, measures matrix
  /// products, records the graph. Nothing is computed.
  void prepare(std::span<const TensorView> inputs, std::span<const TensorView> outputs, const DimBindings& dims = {});

  /// Row-major views without memory: what the outputs for these inputs' shapes are like. Looks at no data.
  std::vector<TensorView> output_shapes(std::span<const TensorView> inputs, const DimBindings& dims = {});

  /// Waits for the run enqueued last, and throws what its kernels found wrong: Error "run.index" with the node.
  void synchronize();

  /// Device time of each step by itself, with these inputs and outputs: the median of `rounds` replays of a graph that
  /// holds the step `repeats` times. Steps of the host are timed by the clock.
  std::vector<HipStepTime> time_steps(std::span<const TensorView> inputs, std::span<const TensorView> outputs,
                                      int repeats, int rounds, const DimBindings& dims = {});

  /// Bytes on the GPU: arena and workspace. They grow to the largest need and stay.
  std::size_t device_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem
