#include <tandem/passes/meetings.h>

#include <charconv>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

std::string_view without_percent(std::string_view name) {
  return name.starts_with('%') ? name.substr(1) : name;
}

}  // namespace

std::vector<Meeting> meetings_with_fusions(const Graph& graph, const PassConfig& config,
                                           const Capabilities& capabilities, const FusionSet& fusions,
                                           std::string_view pass, std::string_view passes,
                                           const std::function<void(const PassRun&)>& after) {
  std::vector<Meeting> meetings;
  Graph copy = graph;
  std::string ran;
  PipelineOptions options;
  options.fusions = &fusions;
  options.passes = passes;
  PassHooks hooks;
  hooks.before = [&](const PassRun& run) {
    if (run.pass.name == pass)
      meetings.push_back({run.graph, ran});
    ran += (ran.empty() ? "" : ",") + run.pass.name;
  };
  hooks.after = after;
  options.hooks.push_back(std::move(hooks));
  run_pipeline(copy, config, capabilities, options);
  if (meetings.empty()) {
    throw Error("explain.no-fuse",
                fmt::format("the pipeline '{}' has no pass '{}', which applies the fusion", ran, pass),
                "let --passes have it, or leave --passes out");
  }
  return meetings;
}

Node find_named_node(const Graph& graph, std::string_view text) {
  const ValueNames names(graph);
  const std::string_view name = without_percent(text);
  for (const Node n : graph.nodes()) {
    for (std::size_t i = 0; i < graph.num_results(n); ++i) {
      if (names[graph.result(n, i)] == name)
        return n;
    }
  }
  return {};
}

Node find_node(const Graph& graph, std::string_view text) {
  if (const Node named = find_named_node(graph, text))
    return named;
  std::size_t position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return {};
  for (const Node n : graph.nodes()) {
    if (position-- == 0)
      return n;
  }
  return {};
}

Diagnostic unknown_node(const Graph& graph, std::string_view code, std::string_view text) {
  const ValueNames names(graph);
  const std::string_view name = without_percent(text);
  Diagnostic d;
  d.code = code;
  d.help = "give the name of a node's result, or the position of a node";
  for (const Value v : graph.inputs()) {
    if (names[v] == name)
      d.message = fmt::format("%{} is an input, and no node computes it", name);
  }
  for (const Weight& w : graph.weights()) {
    if (names[w.value] == name)
      d.message = fmt::format("%{} is a weight, and no node computes it", name);
  }
  if (!d.message.empty())
    return d;
  std::vector<std::string_view> near;
  for (const Node n : graph.nodes()) {
    for (std::size_t i = 0; i < graph.num_results(n); ++i)
      near.push_back(names[graph.result(n, i)]);
  }
  const bool is_position = !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
  d.message = is_position
                  ? fmt::format("there is no node {}: the graph has {}", name, counted(graph.num_nodes(), "node"))
                  : fmt::format("no node computes '%{}'{}", name, did_you_mean(name, near));
  return d;
}

}  // namespace tandem
