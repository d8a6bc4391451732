// Two operands in the dtype in which PyTorch computes with them.
#pragma once

#include <tandem/ir/io/torch/call.h>

namespace tandem::torch::lower {

struct Pair {
  Value a, b;
  TorchType type;
};

Pair promoted(Call& call, const Operand& a, const Operand& b, bool to_float = false);
/// Of the arguments `self` and `other`.
Pair promoted(Call& call, bool to_float = false);

}  // namespace tandem::torch::lower
