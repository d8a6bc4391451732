// What a run is fed with: dims, inputs and weights, from files or made up.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/ir/io/torch_export.h>
#include <tandem/kernels/kernel.h>
#include <tandem/runtime/tensor_store.h>

namespace tandem::cli {

/// As the user gave them.
struct RunDataSettings {
  std::vector<std::string> bindings;  ///< "T=7"
  std::vector<std::string> inputs;    ///< Safetensors files; "-" is standard input.
  std::vector<std::string> weights;   ///< Safetensors files, indices or folders.
  std::optional<std::uint64_t> random_inputs;
  std::optional<std::uint64_t> random_weights;
};

struct RunData {
  DimBindings bindings;
  std::vector<Tensor> inputs;  ///< By position.
  TensorStore weights;         ///< By key.
};

/// All tensors of a safetensors file, an index, a folder, or "-". Throws Error.
TensorStore load_tensors(const std::string& path);

/// Gathers all that `graph` needs. Inputs are found by name, else as "input.<position>"; what no file has is made up
/// where that was asked for. Throws Error "usage.bind", "run.missing-input", "run.unbound-dim", and what reading
/// throws.
/// Weights that stand in no file are those of `archived`.
RunData gather_run_data(const Graph& graph, const RunDataSettings& settings,
                        std::span<const ProgramWeight> archived = {});

}  // namespace tandem::cli
