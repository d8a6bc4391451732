// `tandem opt`: reads a graph, runs the pipeline, writes the graph; reports and checks what happened.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <tandem/ir/context.h>
#include <tandem/passes/hooks.h>
#include <tandem/passes/report.h>
#include <tandem/tools/console.h>
#include <tandem/tools/exit_status.h>
#include <tandem/tools/graph_file.h>
#include <tandem/tools/named_files.h>
#include <tandem/tools/pipeline_options.h>
#include <tandem/tools/verb.h>

namespace tandem::cli {
namespace {

// What CLI11 gives a flag that stands without a value: --report alone.
constexpr std::string_view without_file = "true";

struct OptOptions {
  std::string graph;
  std::string output = "-";
  std::string format;
  PipelineSettings pipeline;
  std::string report;
  std::string report_json;
  std::vector<std::string> expectations;
  bool print_after_all = false;
  bool print_after_change = false;
  bool verify_each = false;
  bool timing = false;
  std::string reproducer;
};

/// Milliseconds and share of each pass that ran, one a line.
std::string timing_table(const DecisionReport& report) {
  std::string text;
  for (const PassReport& pass : report.passes) {
    if (pass.seconds <= 0)
      continue;
    text += fmt::format("{:>10.3f} ms {:>5.1f} %  {}\n", pass.seconds * 1e3,
                        report.seconds > 0 ? 100.0 * pass.seconds / report.seconds : 0.0, pass.name);
  }
  return text + fmt::format("{:>10.3f} ms 100.0 %  in all\n", report.seconds * 1e3);
}

std::vector<PassHooks> make_hooks(const OptOptions& o) {
  std::vector<PassHooks> hooks;
  if (!o.reproducer.empty())
    hooks.push_back(write_reproducer([path = o.reproducer](std::string_view text) { write_result(path, text); }));
  if (o.verify_each)
    hooks.push_back(tandem::verify_each());
  const TextSink to_log = [](std::string_view text) { log_note(text); };
  if (o.print_after_all)
    hooks.push_back(print_after(PrintAfter::all, to_log));
  if (o.print_after_change && !o.print_after_all)
    hooks.push_back(print_after(PrintAfter::change, to_log));
  hooks.push_back(measure_time());
  return hooks;
}

void check_files(const OptOptions& o) {
  NamedFiles()
      .reads("GRAPH", o.graph)
      .reads("--fusions", o.pipeline.fusions)
      .rewrites("-o", o.output)
      .writes("--report", o.report == without_file ? "" : o.report)
      .writes("--report-json", o.report_json)
      .writes("--reproducer", o.reproducer)
      .check();
}

/// A name that nothing in the report has is a mistake in the command, unlike a count that is not met.
bool names_nothing(const Diagnostic& d) {
  return d.code == "expect.unknown-name";
}

bool wants_report(const OptOptions& o) {
  return !o.report.empty() || !o.report_json.empty();
}

int run_opt(const OptOptions& o) {
  check_files(o);
  std::vector<Expectation> expectations;
  for (const std::string& text : o.expectations)
    expectations.push_back(parse_expectation(text));
  std::optional<GraphForm> form;
  if (!o.format.empty())
    form = parse_form(o.format);

  GraphFile file = read_graph_file(Context::create(), o.graph);
  const DecisionReport report =
      optimise(file.graph, o.pipeline, make_hooks(o), {.all = wants_report(o), .expectations = expectations});
  const std::vector<Diagnostic> broken = check_expectations(report, expectations);
  if (std::any_of(broken.begin(), broken.end(), names_nothing))
    throw Error(broken);

  write_result(o.output, render(file.graph, form.value_or(file.form)));
  if (o.report == without_file)
    log_report(to_text(report));
  else if (!o.report.empty())
    write_result(o.report, to_text(report));
  if (!o.report_json.empty())
    write_result(o.report_json, to_json(report));
  if (o.timing)
    log_report(timing_table(report));

  log_diagnostics(broken);
  return broken.empty() ? exit_done : exit_check_failed;
}

}  // namespace

Runner setup_opt(CLI::App& app) {
  auto o = std::make_shared<OptOptions>();
  app.add_option("GRAPH", o->graph, "The graph; - is standard input")->required();
  app.add_option("-o,--output", o->output, "Where the graph goes; - (default) is standard output");
  app.add_option("--format", o->format, "text, json, dot or html; default: the input's");
  add_pipeline_options(app, o->pipeline);
  app.add_flag("--report", o->report, "Decision report to standard error, or --report=FILE")->type_name("[=FILE]");
  app.add_option("--report-json", o->report_json, "Decision report as JSON")->type_name("FILE");
  app.add_option("--expect", o->expectations, "Exit with 1 unless NAME matched N times; repeatable")
      ->type_name("NAME=N")
      ->allow_extra_args(false);
  app.add_flag("--print-after-all", o->print_after_all, "Print the graph after each pass");
  app.add_flag("--print-after-change", o->print_after_change, "... after each pass that changed it");
  app.add_flag("--verify-each", o->verify_each, "Verify the graph after each pass");
  app.add_flag("--timing", o->timing, "Print the time that each pass took");
  app.add_option("--reproducer", o->reproducer, "When a pass fails: its input, as a graph to repeat it with")
      ->type_name("FILE");
  app.footer(
      "\nExample:\n"
      "  tandem generate deepseek-v3 | tandem opt - --target rocm:gfx942 \\\n"
      "      --expect mla_dual_rms_norm=61 --report -o v3.opt.json");
  return [o] { return run_opt(*o); };
}

}  // namespace tandem::cli
