// What the inference functions of fused ops share. They are narrower than the core ops that they stand for: no kernel
// for other mixes of dtypes exists to fuse for.
#pragma once

#include <cstddef>
#include <string_view>

#include <tandem/ir/ops/checks.h>

namespace tandem::inference {

/// f64, f32, f16 or bf16.
void require_activation(const Inference& in, std::size_t operand);
/// A vector as long as `tensor`'s last dim, in its dtype or in f32; `why` is "the last dim of 'q'".
void require_norm_weight(const Inference& in, std::size_t weight, std::size_t tensor, std::string_view why);
/// The length of an operand's last axis, halved. Fails where that is not provably even.
Dim half_of_last(const Inference& in, std::size_t operand);

}  // namespace tandem::inference
