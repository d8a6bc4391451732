// What a graph of static shapes computes, by the reference kernels, node by node.
#pragma once

#include <vector>

#include <tandem/ir/graph.h>

namespace tandem::test {

/// The elements of each output, for inputs and weights filled with numbers between 0 and 2, the same in every call. Ops
/// named "alt_X" compute what X does (random_fusion.h).
std::vector<std::vector<double>> evaluate_graph(const Graph& graph);

/// Bit by bit, so that NaN equals itself.
bool same_bits(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b);

}  // namespace tandem::test
