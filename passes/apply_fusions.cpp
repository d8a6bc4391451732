// Runs the fusions of one pass: each is asked of its gate, those that are on run together to a fixpoint, and each gets
// its own line in the report.
//
// Requires: a verified graph. Preserves: what the graph computes, bit by bit under `numerics = exact`.

#include <algorithm>

#include <fmt/format.h>

#include <tandem/passes/apply_fusions.h>
#include <tandem/passes/gate.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>

namespace tandem {

namespace {

void add_outcome(const FusionStatistics& statistics, PassReport& report) {
  report.candidates = statistics.candidates;
  report.matches = statistics.matches;
  report.changed = statistics.matches != 0;
  for (const auto& [reason, count] : statistics.refusals) {
    report.near_misses.push_back({"the rewrite is legal", count, reason, ""});
  }
  for (const auto& [winner, count] : statistics.lost_to) {
    report.notes.push_back(fmt::format("{} took {} of its sites first", winner, count));
  }
  if (statistics.matches == 0 && !statistics.lost_to.empty())
    report.notes.push_back("starved: it lost every site");
}

}  // namespace

PassResult apply_fusions(Graph& graph, PassContext& context, std::string_view pass) {
  PassResult result;
  if (context.fusions == nullptr) {
    result.notes.emplace_back("no fusions are loaded");
    return result;
  }
  const FusionSet& fusions = *context.fusions;
  std::vector<ActivePattern> active;
  std::vector<PassReport> reports;
  std::vector<std::size_t> report_of(fusions.patterns().size());
  for (std::size_t i = 0; i < fusions.patterns().size(); ++i) {
    if (pass != fusions.pass_of(i))
      continue;
    report_of[i] = reports.size();
    const GateRequest request = fusions.gate_request(i);
    const GateAnswer answer = decide(request, context.config, context.capabilities);
    PassReport& report = reports.emplace_back();
    report.name = request.name;
    report.is_fusion = true;
    report.flag = request.flag;
    report.on = answer.on;
    report.rule = answer.rule;
    report.providers = answer.providers;
    report.notes = answer.notes;
    report.nodes_before = report.nodes_after = graph.num_nodes();
    if (answer.on)
      active.push_back({static_cast<std::uint32_t>(i), answer.dtype_bits()});
  }

  if (active.empty()) {
    if (context.expanded != nullptr)
      *context.expanded = std::move(reports);
    return result;
  }
  const EngineResult outcome = run_patterns(fusions.compiled(), graph, active);
  result.changed = outcome.changed;
  result.notes = outcome.notes;
  for (const ActivePattern& a : active)
    add_outcome(outcome.fusions[a.pattern], reports[report_of[a.pattern]]);
  for (PassReport& report : reports) {
    report.nodes_after = graph.num_nodes();
    result.candidates += report.candidates;
    result.matches += report.matches;
  }
  if (context.expanded != nullptr)
    *context.expanded = std::move(reports);
  return result;
}

}  // namespace tandem
