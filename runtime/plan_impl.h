// What a plan holds. Immutable once compiled, except for the cache of bound plans.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/kernels/kernel.h>
#include <tandem/runtime/bound_plan.h>
#include <tandem/runtime/lru_cache.h>
#include <tandem/runtime/plan.h>

namespace tandem {

/// A node that runs or is a view, in order.
struct PlanStep {
  Node node;
  KernelFn kernel;            ///< Empty for core views.
  std::uint32_t planned = 0;  ///< In `Plan::Impl::nodes`.
  bool is_view = false;
};

struct Plan::Impl {
  explicit Impl(const Graph& g) : graph(g) {}

  Graph graph;
  std::vector<PlannedNode> nodes;
  std::vector<PlanPort> inputs, outputs;
  std::vector<Symbol> symbols;  ///< All that types or attributes of running nodes mention, in order of appearance.
  std::vector<PlanStep> steps;
  /// By value index: data that is known before any run (weights, constants, folded values and views of those).
  std::vector<std::optional<Tensor>> statics;
  /// By weight: what a symbolic weight type is solved against.
  std::vector<Value> symbolic_weights;
  std::int64_t memory_limit = 0;
  std::size_t max_bindings = 16;
  std::int64_t constant_bytes = 0, weight_bytes = 0;

  mutable std::mutex mutex;
  mutable LruCache<std::shared_ptr<const BoundPlan>> bound{1};

  std::string value_name(Value v) const;
};

}  // namespace tandem
