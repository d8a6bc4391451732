// The families of GPU kernels. Each adds its ops to the table.
#pragma once

#include <tandem/kernels/hip/launch.h>

namespace tandem::hip {

void add_attention(HipKernelTable& table);
void add_dual_norm(HipKernelTable& table);
void add_elementwise(HipKernelTable& table);
void add_fused_norms(HipKernelTable& table);
void add_indexing(HipKernelTable& table);
void add_layer_norm(HipKernelTable& table);
void add_matrix_products(HipKernelTable& table);
void add_movement(HipKernelTable& table);
void add_reductions(HipKernelTable& table);
void add_rms_norm(HipKernelTable& table);
void add_rope(HipKernelTable& table);
void add_sorting(HipKernelTable& table);

}  // namespace tandem::hip
