// A graph made ready to run: what runs, by whose kernel, and where its data lies.
//
//     TensorStore weights;
//     weights.add_file("model.safetensors");
//     Plan plan = Plan::compile(graph, weights);
//     Executor executor(plan);
//     std::vector<Tensor> outputs = executor.run(inputs);
//
// Decided once, by `compile`: which nodes run, which provider computes each, which are views, what can be computed
// ahead of time. Decided once for each set of shapes, by the first run that has it: concrete sizes, strides of views,
// the arena's layout. See docs/runtime.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/kernels/kernel.h>
#include <tandem/runtime/tensor_store.h>

namespace tandem {

struct PlanOptions {
  /// Who computes, most preferred first. Empty: `cpu_kernels()`, then `reference_kernels()`.
  std::vector<KernelTable> providers{};
  /// For an op: names of the providers to ask, first to last, in place of the order above.
  std::map<std::string, std::vector<std::string>> priority{};

  /// Compute once what depends on constants and weights only.
  bool fold_constants = true;
  /// Bytes that folded values may hold together; a node that would go beyond runs every time. Weights that are joined
  /// do not count where nothing else reads the parts, which are dropped: no more is held than before.
  std::int64_t fold_limit = std::int64_t{1} << 30;
  /// Bytes that the arena and the outputs of one run may take. 0: what the machine (or the control group) has.
  std::int64_t memory_limit = 0;
  /// How many sets of shapes stay prepared, in the plan and in each executor; the least recently used is dropped.
  std::size_t max_bindings = 16;
};

/// What becomes of a node.
enum class NodeFate : std::uint8_t {
  runs,    ///< A kernel is called at every run.
  view,    ///< Another reading of its operand's data. (A reshape that strides cannot express is copied.)
  folded,  ///< Computed once, by `compile`.
  dead,    ///< Nothing needs it.
};

/// "runs", "view", "folded", "dead".
TANDEM_RUNTIME_API std::string_view to_string(NodeFate fate);

/// A node of the plan and why it is treated as it is.
struct PlannedNode {
  Node node;         ///< In `Plan::graph()`.
  std::string name;  ///< Of its first result, without "%".
  std::string op;
  NodeFate fate = NodeFate::runs;
  std::string provider;  ///< Whose kernel: "cpu"; empty for views and dead nodes.
  std::string reason;    ///< "first of: cpu, reference"; "cpu has no kernel"; "decomposed from fused_x"; ...
};

/// An input or output.
struct PlanPort {
  std::string name;  ///< Without "%".
  TensorType type;
};

/// Bytes that a run takes beside its inputs and outputs.
struct MemoryUse {
  std::int64_t arena = 0;      ///< As laid out.
  std::int64_t peak_live = 0;  ///< The most that lives at one time: no layout is smaller.
  std::int64_t unshared = 0;   ///< What it would be if each buffer had its own place.
  std::int64_t constants = 0;  ///< Folded values and constants, held by the plan and shared by its executors.
  std::int64_t weights = 0;    ///< Weights in use; mapped where they come from a file.
};

/// A value: copies share the same immutable plan. All members may be called from several threads.
class TANDEM_EXPORT Plan {
 public:
  /// Plans a graph; keeps its own copy. Only weights that something needs are looked up. Throws Error with the
  /// verifier's findings, or with all of: "plan.missing-weight", "plan.weight-type", "plan.no-kernel",
  /// "plan.unknown-provider", "plan.rank", "plan.decomposition".
  static Plan compile(const Graph& graph, const TensorStore& weights = {}, const PlanOptions& options = {});

  /// The graph that is executed: fused ops for which nobody has a kernel are replaced by their decompositions.
  const Graph& graph() const;
  /// In order of execution.
  std::span<const PlannedNode> nodes() const;
  std::span<const PlanPort> inputs() const;
  std::span<const PlanPort> outputs() const;

  /// What a run with these values of the graph's symbols takes. Throws Error "run.unbound-dim", "run.dim-range",
  /// "run.too-large".
  MemoryUse memory(const DimBindings& bindings) const;

  struct Impl;

 private:
  friend class Executor;
  friend class HipPlan;
  explicit Plan(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

/// One line a node: name, op, fate, provider, reason.
TANDEM_RUNTIME_API std::string nodes_to_string(std::span<const PlannedNode> nodes);
TANDEM_RUNTIME_API std::string to_string(const Plan& plan);

}  // namespace tandem
