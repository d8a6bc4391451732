// A graph in a few numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <tandem/ir/graph.h>

namespace tandem::cli {

struct GraphSummary {
  std::string name;
  std::size_t nodes = 0;
  std::vector<std::pair<std::string, std::size_t>> ops;  ///< Most frequent first, then by name.
  std::vector<std::string> inputs;                       ///< "x: bf16[T, 7168]"
  std::vector<std::string> outputs;
  std::vector<std::string> symbols;  ///< "T in 1..131072"
  std::size_t weights = 0;
  double weight_bytes = 0;           ///< A double: a graph may name more than 2^64 bytes.
  std::size_t symbolic_weights = 0;  ///< Not counted in `weight_bytes`.
  std::size_t memory_bytes = 0;      ///< Of the graph itself.
};

GraphSummary summarise(const Graph& graph);

std::string to_text(const GraphSummary& summary);
std::string to_json(const GraphSummary& summary);

}  // namespace tandem::cli
