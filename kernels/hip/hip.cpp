// The table of the GPU's kernels.
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/launch.h>

namespace tandem {

HipKernelTable hip_kernels() {
  HipKernelTable table;
  hip::add_dual_norm(table);
  hip::add_rms_norm(table);
  return table;
}

}  // namespace tandem
