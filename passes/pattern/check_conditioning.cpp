#include <tandem/passes/pattern/check_conditioning.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <tandem/ir/builder.h>

namespace tandem {

namespace {

constexpr int draws = 4;

/// Whether a node rounds: it computes a float, rather than to make one up or to move it.
bool rounds(const Graph& graph, Node n) {
  return graph.num_operands(n) != 0 && !graph.def(n).has(trait::view) && graph.def(n).name != "concat";
}

/// The case's graph, with each value that is rounded multiplied by a further input, all of them behind the others.
Graph with_factors(Graph graph, std::vector<TensorType>& factors) {
  for (Node n = graph.first(); n;) {
    const Node next = graph.next(n);
    GraphBuilder b(graph, next);
    for (std::size_t i = 0; rounds(graph, n) && i < graph.num_results(n); ++i) {
      const Value v = graph.result(n, i);
      const TensorType type = graph.type(v);
      if (!is_float(type.dtype) || graph.num_uses(v) == 0)
        continue;
      const Value factor = b.input(fmt::format("rounding.{}", factors.size()), type.dtype, type.shape.dims());
      const Value moved = b.op("mul", {v, factor});
      graph.replace_uses_except(v, moved, graph.def_node(moved));
      factors.push_back(type);
    }
    n = next;
  }
  return graph;
}

}  // namespace

std::vector<std::vector<double>> movement(const CheckCase& c, const CheckExecutor& oracle) {
  std::vector<std::vector<double>> most;
  for (const CheckTensor& w : c.want)
    most.emplace_back(w.values.size());
  std::vector<TensorType> factors;
  const Graph graph = with_factors(c.graph, factors);
  CheckRandom random(1);
  for (int draw = 0; draw < draws; ++draw) {
    std::vector<CheckTensor> inputs = nudged(c.inputs, random);
    std::vector<CheckTensor> ones;
    for (const TensorType& type : factors)
      ones.push_back(filled(type.dtype, c.instance.sizes(type), 1.0));
    ones = nudged(ones, random);
    // Weights come last.
    inputs.insert(inputs.begin() + static_cast<std::ptrdiff_t>(c.graph.inputs().size()), ones.begin(), ones.end());
    const std::vector<CheckTensor> moved = oracle.run(graph, inputs);
    for (std::size_t o = 0; o < most.size(); ++o) {
      for (std::size_t i = 0; i < most[o].size(); ++i) {
        const double distance = std::abs(moved[o].values[i] - c.want[o].values[i]);
        if (std::isfinite(distance))
          most[o][i] = std::max(most[o][i], distance);
      }
    }
  }
  return most;
}

}  // namespace tandem
