// A bound plan on a GPU: its views' addresses and how each of its steps is carried out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <tandem/runtime/bound_plan.h>
#include <tandem/runtime/hip/hip_plan_impl.h>
#include <tandem/runtime/hip/memory.h>
#include <tandem/runtime/hip/stream.h>
#include <tandem/runtime/lru_cache.h>

namespace tandem::hip {

/// Memory that an executor's frames share, one run at a time.
struct ScratchMemory {
  DeviceBuffer arena, workspace;
  /// Grows with the addresses' changes: what was recorded with another generation is stale.
  std::uint64_t generation = 0;
};

/// The steps of a bound plan, with addresses filled in.
class HipFrame {
 public:
  HipFrame(const HipPlan::Impl& plan, std::shared_ptr<const BoundPlan> bound);

  const BoundPlan& bound() const { return *bound_; }
  std::size_t workspace_bytes() const { return workspace_bytes_; }
  bool needs_host() const { return plan_.has_host_steps; }

  /// Fills in where everything lies.
  void set_addresses(std::byte* arena, std::span<const TensorView> inputs, std::span<const TensorView> outputs);

  /// Finds out what the steps need at these addresses: loads kernels, prepares matrix products, counts workspace,
  /// allocates fault words. Launches nothing on a stream of the caller's.
  void prepare();

  /// Puts all steps on a stream. Throws Error with the node noted.
  void enqueue(ScratchMemory& scratch, void* stream);
  /// Puts one step on a stream.
  void enqueue_step(std::size_t step, ScratchMemory& scratch, void* stream);

  /// Throws Error "run.index" for the first step that reported a fault. The stream must be idle.
  void check_faults(void* stream) const;

  std::span<const TensorView> operands(const BoundStep& step) const;
  std::span<const TensorView> results(const BoundStep& step) const;
  /// The node of a step; null for a copy to an output.
  const PlannedNode* node(std::size_t step) const;
  std::string provider(std::size_t step) const;
  /// The chain that a step begins; null for other steps.
  const ElementwiseChain* chain(std::size_t step) const;
  /// Whether an earlier step's chain computes this one.
  bool is_in_earlier_chain(std::size_t step) const;

  /// Graphs recorded for these shapes, by the addresses of inputs and outputs; empty handles for addresses that were
  /// seen once.
  struct Recorded {
    Handle graph;
    std::uint64_t generation = 0;
    std::int64_t runs = 0;
    bool prepared = false;
  };
  LruCache<Recorded> recorded;

 private:
  KernelCall call_of(const BoundStep& step) const;
  void launch(std::size_t i, Launcher& launcher) const;
  void prepare_step(std::size_t i);
  void run_step(std::size_t i, ScratchMemory& scratch, void* stream);
  void copy(const BoundStep& step, ScratchMemory& scratch, void* stream);

  const HipPlan::Impl& plan_;
  std::shared_ptr<const BoundPlan> bound_;
  std::vector<TensorView> views_;
  std::vector<std::optional<GemmPlan>> gemms_;  ///< By step; set where a library computes it.
  std::vector<char> aiter_;                     ///< By step; set where the adapter computes it.
  std::vector<Attribute> copy_attrs_;
  std::size_t workspace_bytes_ = 0;
  DeviceBuffer faults_;  ///< A word a step; none when no kernel wants one.
};

}  // namespace tandem::hip
