// Views without copies: what a split, slice, reshape, transpose, expand or identity means for strides.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <tandem/ir/op_table.h>
#include <tandem/kernels/kernel.h>

namespace tandem {

/// Where a view begins, counted in elements from its source, and its strides.
struct ViewGeometry {
  std::int64_t offset = 0;
  std::array<std::int64_t, max_rank> strides{};
};

/// True for the core ops that `view_geometry` understands. (An engine's own op runs by its kernel, view or not.)
bool is_core_view(OpId op);

/// The results of a view op as windows on its first operand: `call.operands[0]` with shape and strides, `call.results`
/// with shapes. False when strides cannot express it (some reshapes). Throws Error "run.shape" when the concrete sizes
/// break what the op demands, such as a slice that ends beyond its axis.
bool view_geometry(OpId op, const KernelCall& call, std::vector<ViewGeometry>& results);

}  // namespace tandem
