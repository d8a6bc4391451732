// The table of the GPU's kernels.
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/launch.h>

namespace tandem {

HipKernelTable hip_kernels() {
  HipKernelTable table;
  hip::add_elementwise(table);
  hip::add_movement(table);
  hip::add_indexing(table);
  hip::add_reductions(table);
  hip::add_rms_norm(table);
  hip::add_layer_norm(table);
  hip::add_dual_norm(table);
  hip::add_fused_norms(table);
  hip::add_rope(table);
  hip::add_attention(table);
  hip::add_matrix_products(table);
  hip::add_sorting(table);
  return table;
}

}  // namespace tandem
