// See graph_summary.h.
#include <tandem/tools/graph_summary.h>

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <tandem/ir/context.h>
#include <tandem/ir/counted.h>

namespace tandem::cli {
namespace {

std::string human_bytes(double bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024.0 && unit + 1 < std::size(units); ++unit)
    bytes /= 1024.0;
  return fmt::format("{:.{}f} {}", bytes, unit == 0 ? 0 : 2, units[unit]);
}

double static_bytes(const TensorType& type) {
  double bytes = static_cast<double>(byte_size(type.dtype));
  for (Dim d : type.shape)
    bytes *= static_cast<double>(d.constant());
  return bytes;
}

double bytes_per_node(const GraphSummary& s) {
  return s.nodes == 0 ? 0.0 : static_cast<double>(s.memory_bytes) / static_cast<double>(s.nodes);
}

}  // namespace

GraphSummary summarise(const Graph& graph) {
  GraphSummary s;
  s.name = graph.name();
  s.nodes = graph.num_nodes();
  const ValueNames names(graph);
  const auto described = [&](Value v) { return fmt::format("{}: {}", names[v], to_string(graph.type(v))); };
  for (Value v : graph.inputs())
    s.inputs.push_back(described(v));
  for (std::size_t i = 0; i < graph.num_outputs(); ++i)
    s.outputs.push_back(described(graph.output(i)));
  for (const SymbolRange& r : graph.symbols())
    s.symbols.push_back(r.range.max == Dim::max_constant
                            ? fmt::format("{} >= {}", r.symbol.view(), r.range.min)
                            : fmt::format("{} in {}..{}", r.symbol.view(), r.range.min, r.range.max));
  s.weights = graph.weights().size();
  for (const Weight& w : graph.weights()) {
    const TensorType& type = graph.type(w.value);
    if (type.shape.is_static())
      s.weight_bytes += static_bytes(type);
    else
      ++s.symbolic_weights;
  }
  const auto ops = graph.context().ops();
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const OpId id{static_cast<std::uint16_t>(i)};
    if (id == op::return_ || graph.count(id) == 0)
      continue;
    s.ops.emplace_back(ops[i].name, graph.count(id));
  }
  std::sort(s.ops.begin(), s.ops.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  s.memory_bytes = graph.memory_bytes();
  return s;
}

std::string to_text(const GraphSummary& s) {
  std::string text = fmt::format("graph @{}\n", s.name);
  const auto add_list = [&](std::string_view title, const std::vector<std::string>& items) {
    for (std::size_t i = 0; i < items.size(); ++i)
      text += fmt::format("{:<10}{}\n", i == 0 ? title : "", items[i]);
  };
  add_list("symbols", s.symbols);
  add_list("inputs", s.inputs);
  add_list("outputs", s.outputs);
  text += fmt::format("{:<10}{}, {}", "weights", counted(s.weights, "tensor"), human_bytes(s.weight_bytes));
  if (s.symbolic_weights > 0)
    text += fmt::format(" and {} of symbolic size", s.symbolic_weights);
  text += fmt::format("\n{:<10}{}, {} in memory, {:.0f} bytes a node\n", "nodes", s.nodes,
                      human_bytes(static_cast<double>(s.memory_bytes)), bytes_per_node(s));
  for (const auto& [op, count] : s.ops)
    text += fmt::format("{:>18}  {}\n", count, op);
  return text;
}

std::string to_json(const GraphSummary& s) {
  nlohmann::ordered_json json;
  json["name"] = s.name;
  json["symbols"] = s.symbols;
  json["inputs"] = s.inputs;
  json["outputs"] = s.outputs;
  json["weights"] = {{"count", s.weights}, {"bytes", s.weight_bytes}, {"symbolic", s.symbolic_weights}};
  json["nodes"] = s.nodes;
  json["memory_bytes"] = s.memory_bytes;
  json["bytes_per_node"] = bytes_per_node(s);
  json["ops"] = nlohmann::ordered_json::object();
  for (const auto& [op, count] : s.ops)
    json["ops"][op] = count;
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace tandem::cli
