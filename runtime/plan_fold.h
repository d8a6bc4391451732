// What a plan knows before any run: constants, views of weights, and values computed from those.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tandem/runtime/plan_impl.h>

namespace tandem {

/// Fills `Plan::Impl::statics`, node by node, in order.
class StaticFolder {
 public:
  StaticFolder(Plan::Impl& plan, std::int64_t limit) : plan_(plan), limit_(limit) {}

  /// The data of a `constant` is read where the graph keeps it.
  void use_literal(Node n);

  /// Whether a pure node's operands are known now, and nothing in it waits for a symbol.
  bool is_static(Node n);

  /// A view of static data is static data. False for a reshape that needs a copy (made at each run).
  bool view(Node n);

  /// Computes a node now. False, with the reason appended, when that goes beyond the limit or fails: then it runs, and
  /// fails, at each run.
  bool fold(Node n, const KernelFn& kernel, std::string& reason);

 private:
  Graph& graph() { return plan_.graph; }
  std::optional<Tensor>& statics(Value v) { return plan_.statics[v.index]; }
  bool replaces_weights(Node n);
  std::vector<TensorView> operand_views(Node n);
  std::vector<std::int64_t> static_shape(Value v);

  Plan::Impl& plan_;
  std::int64_t limit_;
  std::int64_t folded_bytes_ = 0;
};

}  // namespace tandem
