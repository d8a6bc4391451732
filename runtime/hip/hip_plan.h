// A graph made ready to run on a GPU.
//
//     auto device = hip::Device::open();
//     HipPlan plan = HipPlan::compile(graph, weights, device);
//     HipExecutor executor(plan);                                // one per thread; see hip_executor.h
//     std::vector<Tensor> outputs = executor.run(inputs);        // or `enqueue` on a stream of yours
//
// What a `Plan` decides is decided the same way here (views, folding, liveness, decompositions). Weights and folded
// values are copied to the GPU once and shared by all executors of the plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/kernels/hip/launch.h>
#include <tandem/runtime/hip/device.h>
#include <tandem/runtime/plan.h>
#include <tandem/runtime/tensor_store.h>

namespace tandem {

namespace hip {
struct BlasApi;
struct Chain;
class AiterAdapter;
}  // namespace hip

struct HipPlanOptions {
  /// Tandem's own kernels when there are none.
  std::optional<HipKernelTable> kernels{};
  /// Let the CPU compute nodes that no GPU kernel takes: their operands and results are copied, and the plan cannot be
  /// recorded. Otherwise such nodes are an error that names them all.
  bool allow_host = false;

  /// Run elementwise nodes that follow each other as one launch (tandem's own kernels can).
  bool chains = true;
  /// Launches such a chain; to be given where `kernels` are and chains are wanted.
  std::function<void(const hip::Chain&, Launcher&)> chain_kernel{};

  /// The library for matrix products; without one Tandem's own kernels compute them. "auto" looks for hipBLASLt or
  /// cuBLASLt, "off" does not.
  enum class Blas : std::uint8_t { automatic, off } blas = Blas::automatic;
  /// In place of the one that would be looked for.
  std::shared_ptr<const hip::BlasApi> blas_api{};
  /// Try a library's proposals for each new matrix product once and keep the fastest (some milliseconds each). Which
  /// one wins may differ from one process to the next, and so may the last bit of results.
  bool measure_blas = true;

  /// An adapter of AITER for the ops that it takes (runtime/hip/aiter.h), and whether it may round otherwise than the
  /// op says.
  std::shared_ptr<const hip::AiterAdapter> aiter{};
  bool relaxed_numerics = false;

  /// Record what a run launches as a graph and replay that.
  bool graphs = true;
  /// How many recorded graphs (by the addresses of inputs and outputs) stay for each set of shapes.
  std::size_t max_graphs = 8;
  /// How many sets of shapes stay prepared, in the plan and in each executor.
  std::size_t max_bindings = 16;

  bool fold_constants = true;
  std::int64_t fold_limit = std::int64_t{1} << 30;
  /// Bytes that the arena and the outputs of one run may take; 0: the GPU's memory.
  std::int64_t memory_limit = 0;

  /// Told as weights are copied to the GPU: bytes done and in all.
  std::function<void(std::size_t done, std::size_t total)> on_upload{};
};

/// A value: copies share the same immutable plan. All members may be called from several threads.
class TANDEM_EXPORT HipPlan {
 public:
  /// Throws what `Plan::compile` throws; Error "hip.no-kernel" with every node that no GPU kernel takes,
  /// "hip.out-of-memory", "hip.no-code", "hip.call".
  static HipPlan compile(const Graph& graph, const TensorStore& weights, std::shared_ptr<hip::Device> device,
                         HipPlanOptions options = {});

  const Graph& graph() const;
  /// In order of execution. Providers are "hip", the name of the library for matrix products, "aiter" and "host".
  std::span<const PlannedNode> nodes() const;
  std::span<const PlanPort> inputs() const;
  std::span<const PlanPort> outputs() const;
  const std::shared_ptr<hip::Device>& device() const;
  /// Bytes of weights and folded values on the GPU.
  std::size_t static_bytes() const;
  /// Why matrix products are computed by whom they are: "libcublasLt.so.13", or why no library is used.
  const std::string& blas_reason() const;

  /// As `Plan::memory`, for the GPU.
  MemoryUse memory(const DimBindings& bindings) const;

  struct Impl;

 private:
  friend class HipExecutor;
  explicit HipPlan(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  static const Plan::Impl& impl_of(const Plan& plan);
  std::shared_ptr<const Impl> impl_;
};

/// One line a node, as for a Plan.
TANDEM_RUNTIME_API std::string to_string(const HipPlan& plan);

}  // namespace tandem
