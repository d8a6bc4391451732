// Putting the CPU's kernels into a table. A kernel that handles some dtypes only leaves the others to the reference.
#pragma once

#include <string_view>
#include <utility>

#include <tandem/kernels/kernel.h>

namespace tandem::cpu {

class Registry {
 public:
  Registry(KernelTable& table, const KernelTable& reference) : table_(table), reference_(reference) {}

  void add(std::string_view op, KernelFn kernel) { table_.add(op, std::move(kernel)); }

  /// `kernel` where `handles(call)` holds, else the reference.
  template <class Handles>
  void add(std::string_view op, KernelFn kernel, Handles handles) {
    table_.add(op, [kernel = std::move(kernel), handles, other = *reference_.find(op)](const KernelCall& call) {
      handles(call) ? kernel(call) : other(call);
    });
  }

 private:
  KernelTable& table_;
  const KernelTable& reference_;
};

/// All operands are floats.
inline bool takes_floats(const KernelCall& call) {
  for (const TensorView& x : call.operands)
    if (!is_float(x.dtype))
      return false;
  return true;
}

// The families. Each adds its ops.
void add_unary(Registry& registry);
void add_binary(Registry& registry);
void add_movement(Registry& registry);
void add_matrix_products(Registry& registry);
void add_norms(Registry& registry);
void add_softmax(Registry& registry);
void add_rope(Registry& registry);
void add_attention(Registry& registry);
void add_reductions(Registry& registry);
void add_indexing(Registry& registry);
void add_topk(Registry& registry);

}  // namespace tandem::cpu
