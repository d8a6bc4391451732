// Random weights and inputs that keep a model's numbers sane, so that a graph can be run without its weights.
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/kernels/kernel.h>
#include <tandem/runtime/tensor_store.h>

namespace tandem::cli {

/// The most bytes that are made up for one graph.
inline constexpr double max_random_bytes = 4.0 * 1024 * 1024 * 1024;

/// A tensor for every weight of the graph that `weights` lacks, added under its key. What a weight gets follows from
/// its use: one dim and the weight of a norm: around 1; an embedding table: normal; the factor of a matrix product:
/// normal over the root of the summed length; else small. Each depends on the seed and its own key only. Throws Error
/// "run.unbound-dim", or "run.random-too-large" beyond `max_random_bytes`.
void add_random_weights(const Graph& graph, std::uint64_t seed, const DimBindings& bindings, TensorStore& weights);

/// One tensor for each input, by position: floats normal; integers that index something spread over what they index;
/// other integers 0, 1, 2, ... along the last axis, as positions are; bools true. Throws as above.
std::vector<Tensor> random_inputs(const Graph& graph, std::uint64_t seed, const DimBindings& bindings);

}  // namespace tandem::cli
