// `tandem show`: prints a graph in any of its forms, or a summary of it.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/tools/console.h>
#include <tandem/tools/exit_status.h>
#include <tandem/tools/graph_file.h>
#include <tandem/tools/graph_summary.h>
#include <tandem/tools/named_files.h>
#include <tandem/tools/verb.h>

namespace tandem::cli {
namespace {

struct ShowOptions {
  std::string graph;
  std::string format = "text";
  std::string output = "-";
  bool summary = false;
  bool json = false;
};

int run_show(const ShowOptions& o) {
  NamedFiles().reads("GRAPH", o.graph).writes("-o", o.output).check();
  const GraphForm form = o.json ? GraphForm::json : parse_form(o.format);
  const GraphFile file = read_graph_file(Context::create(), o.graph);
  if (!o.summary) {
    write_result(o.output, render(file.graph, form));
    return exit_done;
  }
  const GraphSummary summary = summarise(file.graph);
  write_result(o.output, o.json ? to_json(summary) : to_text(summary));
  return exit_done;
}

}  // namespace

Runner setup_show(CLI::App& app) {
  auto o = std::make_shared<ShowOptions>();
  app.add_option("GRAPH", o->graph, "The graph; - is standard input")->required();
  auto* format = app.add_option("--format", o->format, "text (default), json, dot or html");
  app.add_option("-o,--output", o->output, "Where it goes; - (default) is standard output");
  app.add_flag("--summary", o->summary, "Counts instead: nodes, ops, inputs, weights, symbols, memory");
  app.add_flag("--json", o->json, "JSON: the graph's, or the summary's")->excludes(format);
  app.footer(
      "\nExample:\n"
      "  tandem generate kimi-k2 | tandem show - --summary\n"
      "  tandem show model.json --format html -o model.html");
  return [o] { return run_show(*o); };
}

}  // namespace tandem::cli
