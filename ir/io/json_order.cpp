#include <tandem/ir/io/json_order.h>

#include <fmt/format.h>
#include <simdjson.h>

#include <tandem/ir/io/node_order.h>
#include <tandem/ir/io/spelling.h>

namespace tandem::io {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;

/// Calls `f` for each name in a list of a node. What is malformed is passed over: reading the node will say so.
template <class F>
void each_name(const element& node, std::string_view key, F&& f) {
  array names;
  if (node[key].get(names) != simdjson::SUCCESS)
    return;
  for (const element e : names) {
    std::string_view name;
    if (e.get(name) == simdjson::SUCCESS)
      f(name);
  }
}

void report_cycle(const array& list, const std::vector<std::uint32_t>& cycle, JsonProblems& problems) {
  constexpr std::size_t shown = 10;
  std::string names;
  for (std::size_t i = 0; i <= cycle.size(); ++i) {
    if (i != 0)
      names += " -> ";
    if (i == shown && cycle.size() > shown) {
      names += fmt::format("... ({} more) -> ", cycle.size() - shown);
      i = cycle.size();
    }
    std::string_view name;
    const std::uint32_t node = cycle[i % cycle.size()];
    if (list.at(node)["out"].at(0).get(name) == simdjson::SUCCESS)
      append_quoted(names, name.substr(0, 80));
    else
      names += fmt::format("nodes[{}]", node);
  }
  problems.report({"nodes", std::size_t{cycle[0]}, "in"}, "graph.cycle",
                  fmt::format("these values depend on themselves: {}", names), "a graph has no cycles: break this one");
}

}  // namespace

JsonOrder order_json_nodes(const array& nodes, JsonProblems& problems) {
  JsonOrder order;
  std::uint32_t count = 0;
  for (const element node : nodes) {
    each_name(node, "out", [&](std::string_view name) {
      if (const auto [producer, fresh] = order.producer_of.insert(name); fresh)
        *producer = count;
    });
    ++count;
  }
  std::vector<std::vector<std::uint32_t>> producers(count);
  std::uint32_t i = 0;
  for (const element node : nodes) {
    each_name(node, "in", [&](std::string_view name) {
      if (const std::uint32_t* p = order.producer_of.find(name))
        producers[i].push_back(*p);
    });
    ++i;
  }
  NodeOrder sorted = order_nodes(producers);
  if (!sorted.cycle.empty())
    report_cycle(nodes, sorted.cycle, problems);
  order.nodes = std::move(sorted.order);
  return order;
}

}  // namespace tandem::io
