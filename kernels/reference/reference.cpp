// The table of reference kernels.
#include <tandem/kernels/reference/families.h>

namespace tandem {

KernelTable reference_kernels() {
  KernelTable table("reference");
  reference::add_constants(table);
  reference::add_unary_elementwise(table);
  reference::add_binary_elementwise(table);
  reference::add_shapes(table);
  reference::add_matmul(table);
  reference::add_reductions(table);
  reference::add_normalization(table);
  reference::add_attention(table);
  reference::add_indexing(table);
  reference::add_sorting(table);
  reference::add_fused(table);
  return table;
}

}  // namespace tandem
