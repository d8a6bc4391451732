// The families of GPU kernels. Each adds its ops to the table.
#pragma once

#include <tandem/kernels/hip/launch.h>

namespace tandem::hip {

void add_dual_norm(HipKernelTable& table);
void add_rms_norm(HipKernelTable& table);

}  // namespace tandem::hip
