// The table of the CPU's kernels.
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/kernel.h>

namespace tandem {

KernelTable cpu_kernels() {
  KernelTable table("cpu");
  const KernelTable reference = reference_kernels();
  cpu::Registry registry(table, reference);
  cpu::add_unary(registry);
  cpu::add_binary(registry);
  cpu::add_movement(registry);
  cpu::add_matrix_products(registry);
  cpu::add_norms(registry);
  cpu::add_softmax(registry);
  cpu::add_rope(registry);
  cpu::add_attention(registry);
  cpu::add_reductions(registry);
  cpu::add_indexing(registry);
  cpu::add_topk(registry);
  return table;
}

}  // namespace tandem
