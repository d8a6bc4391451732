// The variance, which reductions and norms of PyTorch share.
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/ir/io/torch/emit.h>

namespace tandem::torch::lower {

/// The sum of squared distances from the mean over `correction` less than the count; `v` is f32 or f64.
Value variance_of(Emitter& e, Value v, const std::vector<std::int64_t>& axes, double correction, bool keepdims);

}  // namespace tandem::torch::lower
