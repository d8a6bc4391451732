// Values of a graph's symbols from the shapes that came in: `x: bf16[2*T + 1, 64]` and a tensor of [7, 64] give T = 3.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/kernels/kernel.h>

namespace tandem {

/// An input or weight: its declared type and the sizes that it has.
struct ObservedShape {
  std::string_view name;
  TensorType type;
  std::span<const std::int64_t> sizes;
};

/// Solves for the symbols of the observed shapes; `given` fixes symbols beforehand. A dim with one unknown symbol is
/// solved where that has one answer (linear, or a polynomial that only grows), the others are checked once their
/// symbols are known. Sizes and values are checked against constants, against each other and against the graph's
/// ranges. Returns a value for each of `symbols`. Throws Error "run.shape", "run.dim-conflict", "run.dim-range" or
/// "run.unbound-dim".
DimBindings solve_bindings(const Graph& graph, std::span<const Symbol> symbols, std::span<const ObservedShape> observed,
                           const DimBindings& given);

/// "T = 3, S = 16"
std::string describe(std::span<const Symbol> symbols, const DimBindings& bindings);

}  // namespace tandem
