// Programs of torch.export written as text, for tests of the importer.
//
//     x: f32[2, s0]
//     w: f32[3] = weight model.w
//     y: f32[2, s0] = aten.add.Tensor(self=x, other=2.5, alpha=2)       # an argument is named as in PyTorch's schema
//     [a: f32[1, s0], b: f32[1, s0]] = aten.split.Tensor(self=y, split_size=1)
//     return a, b
//
// A line declares an input, a weight, buffer or constant, or a node. Arguments: names of tensors, `[x, y]`, `[x,
// None]`, integers, `[1, -1]`, reals, `[0.5]`, True, False, None, 'text', dtypes, `$s0` for a symbolic size and `[$s0,
// 4]`. Tensors are contiguous. A size may be any name: it becomes a symbol, with the range 2.. unless `range s0
// = 1..64` says otherwise.
#pragma once

#include <string>
#include <string_view>

namespace tandem::test {

/// The JSON that torch.export would write. Throws std::runtime_error for text that it cannot read.
std::string torch_program(std::string_view text);

}  // namespace tandem::test
