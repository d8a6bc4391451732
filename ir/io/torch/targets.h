// What kinds of nodes a program has, told by their targets.
#pragma once

#include <string_view>

#include <tandem/ir/io/torch/program.h>

namespace tandem::torch {

inline constexpr std::size_t max_name = 512;

/// Without "torch.ops.".
std::string_view without_prefix(std::string_view target);
/// Nodes that only check, and leave nothing.
bool is_assertion(std::string_view target);
/// Higher-order operators whose graph takes the place of the call.
bool is_wrapper(std::string_view target);
/// Forms that change what a tensor looks like, not what it holds.
bool is_view_in_place(std::string_view target);
/// Arithmetic on sizes: its results are known as expressions.
bool is_symbolic(const NodeDef& node);

}  // namespace tandem::torch
