// `tandem explain`: why a fusion fired, or did not; and drafts of fusions, cut out of a graph.
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/explain.h>
#include <tandem/passes/meetings.h>
#include <tandem/passes/pattern/extract.h>
#include <tandem/tools/console.h>
#include <tandem/tools/exit_status.h>
#include <tandem/tools/fusions.h>
#include <tandem/tools/graph_file.h>
#include <tandem/tools/named_files.h>
#include <tandem/tools/pipeline_options.h>
#include <tandem/tools/verb.h>

namespace tandem::cli {
namespace {

struct ExplainOptions {
  std::string graph;
  std::string fusion;
  std::string at;
  std::vector<std::string> extract;
  std::string name = "draft";
  std::string output = "-";
  bool json = false;
  PipelineSettings pipeline;
};

/// The nodes of those names, or all that is unknown at once.
std::vector<Node> find_nodes(const Graph& graph, const std::vector<std::string>& names,
                             std::vector<Diagnostic>& unknown) {
  std::vector<Node> nodes;
  unknown.clear();
  for (const std::string& name : names) {
    if (const Node n = find_node(graph, name))
      nodes.push_back(n);
    else
      unknown.push_back(unknown_node(graph, "extract.unknown-node", name));
  }
  return nodes;
}

/// Cuts the nodes out of the graph as fusions meet it, so that the draft matches there; of the graph as it was read
/// where the passes leave no node of that name.
std::string draft(const Graph& graph, const ExplainOptions& o, const PassConfig& config,
                  const Capabilities& capabilities, const FusionSet& fusions) {
  std::vector<Diagnostic> unknown;
  const std::vector<Meeting> meetings =
      meetings_with_fusions(graph, config, capabilities, fusions, "fuse", o.pipeline.passes);
  for (auto it = meetings.rbegin(); it != meetings.rend(); ++it) {
    const std::vector<Node> nodes = find_nodes(it->graph, o.extract, unknown);
    if (unknown.empty())
      return extract_text(it->graph, nodes, o.name);
  }
  const std::vector<Node> nodes = find_nodes(graph, o.extract, unknown);
  if (!unknown.empty())
    throw Error(std::move(unknown));
  return "# Cut out of the graph as it was read: the pipeline changes these nodes before a fusion sees them. See what "
         "it\n"
         "# makes of them with 'tandem opt', or run this with '--passes fuse'.\n" +
         extract_text(graph, nodes, o.name);
}

int run_explain(const ExplainOptions& o) {
  if (o.fusion.empty() == o.extract.empty()) {
    throw Error("usage.explain",
                o.fusion.empty() ? "what is to be explained?" : "--fusion and --extract are two different things",
                "--fusion NAME says why a fusion fired or did not ('tandem list fusions' has the names); --extract "
                "NODE,... drafts one");
  }
  NamedFiles().reads("GRAPH", o.graph).reads("--fusions", o.pipeline.fusions).writes("-o", o.output).check();
  const PassConfig config = pass_config(o.pipeline);
  const Capabilities capabilities = parse_target(o.pipeline.target);
  const auto context = Context::create();
  const FusionSet fusions = load_fusions(context, o.pipeline.fusions);
  const GraphFile file = read_graph_file(context, o.graph);
  if (!o.extract.empty()) {
    write_result(o.output, draft(file.graph, o, config, capabilities, fusions));
    return exit_done;
  }
  const FusionExplanation explanation = explain_fusion(file.graph, o.fusion, config, capabilities,
                                                       {.fusions = &fusions, .passes = o.pipeline.passes, .at = o.at});
  write_result(o.output, o.json ? to_json(explanation) : to_text(explanation));
  return exit_done;
}

}  // namespace

Runner setup_explain(CLI::App& app) {
  auto o = std::make_shared<ExplainOptions>();
  app.add_option("GRAPH", o->graph, "The graph; - is standard input")->required();
  app.add_option("--fusion", o->fusion, "The fusion to explain")->type_name("NAME");
  auto* at = app.add_option("--at", o->at, "One node only: %name of a result, or its position")->type_name("NODE");
  auto* json = app.add_flag("--json", o->json, "As JSON");
  auto* extract = app.add_option("--extract", o->extract, "Draft a fusion that matches these nodes")
                      ->type_name("NODE,...")
                      ->delimiter(',')
                      ->allow_extra_args(false)
                      ->excludes(at)
                      ->excludes(json);
  app.add_option("--name", o->name, "What the draft is called; default: draft")->needs(extract);
  app.add_option("-o,--output", o->output, "Where it goes; - (default) is standard output");
  add_pipeline_options(app, o->pipeline);
  app.footer(
      "\nExample:\n"
      "  tandem explain model.json --fusion mla_dual_rms_norm --target rocm:gfx942\n"
      "  tandem explain model.json --fusion mine --fusions mine.fusion --at %qn\n"
      "  tandem explain model.pt2 --extract %q,%kv,%qn,%cn --name my_norms -o my_norms.fusion");
  return [o] { return run_explain(*o); };
}

}  // namespace tandem::cli
