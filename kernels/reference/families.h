// The families of reference kernels. Each adds its ops to a table; a new op goes into one of them.
#pragma once

#include <tandem/kernels/kernel.h>

namespace tandem::reference {

void add_constants(KernelTable& table);
void add_unary_elementwise(KernelTable& table);
void add_binary_elementwise(KernelTable& table);
void add_shapes(KernelTable& table);
void add_matmul(KernelTable& table);
void add_reductions(KernelTable& table);
void add_normalization(KernelTable& table);
void add_attention(KernelTable& table);
void add_indexing(KernelTable& table);
void add_sorting(KernelTable& table);
void add_fused(KernelTable& table);

}  // namespace tandem::reference
