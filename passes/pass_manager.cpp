// Runs the passes that are on between their hooks, and makes the report entries.

#include <tandem/passes/pass_manager.h>

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

std::string joined_names(const std::vector<PassManager::Entry>& entries, std::size_t first) {
  std::string text;
  for (std::size_t i = first; i < entries.size(); ++i) {
    if (entries[i].gate.on)
      text += (text.empty() ? "" : ",") + entries[i].pass.name;
  }
  return text;
}

PassReport report_of(const PassManager::Entry& entry) {
  PassReport report;
  report.name = entry.pass.name;
  report.flag = entry.flag;
  report.on = entry.gate.on;
  report.rule = entry.gate.rule;
  report.providers = entry.gate.providers;
  report.notes = entry.gate.notes;
  return report;
}

void check_honest(const Pass& pass, bool says_changed, bool did_change) {
  if (says_changed == did_change)
    return;
  internal_error(fmt::format("pass '{}' says that it {} the graph, but it {}", pass.name,
                             says_changed ? "changed" : "did not change", did_change ? "did" : "did not"));
}

}  // namespace

void PassManager::add(Pass pass) {
  GateAnswer gate;
  gate.on = true;
  gate.rule = "asked for";
  add(std::move(pass), std::move(gate), {});
}

void PassManager::add(Pass pass, GateAnswer gate, std::string flag) {
  entries_.push_back({std::move(pass), std::move(gate), std::move(flag)});
}

std::string PassManager::pipeline_text() const {
  return joined_names(entries_, 0);
}

std::vector<PassReport> PassManager::run(Graph& graph, const PassContext& context) const {
  std::vector<PassReport> reports;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    PassReport report = report_of(entries_[i]);
    report.nodes_before = report.nodes_after = graph.num_nodes();
    if (!entries_[i].gate.on) {
      reports.push_back(std::move(report));
      continue;
    }
    std::vector<PassReport> expanded;
    run_one(graph, i, context, report, expanded);
    if (expanded.empty()) {
      reports.push_back(std::move(report));
      continue;
    }
    // What is known of the pass as a whole, its time and its notes, stands with the first of its parts.
    PassReport& front = expanded.front();
    front.seconds = report.seconds;
    front.notes.insert(front.notes.end(), report.notes.begin(), report.notes.end());
    std::move(expanded.begin(), expanded.end(), std::back_inserter(reports));
  }
  return reports;
}

void PassManager::run_one(Graph& graph, std::size_t index, const PassContext& context, PassReport& report,
                          std::vector<PassReport>& expanded) const {
  const Pass& pass = entries_[index].pass;
  const std::string remaining = hooks_.empty() ? std::string() : joined_names(entries_, index);
  const PassRun at{pass, graph, report, remaining};
  PassContext own = context;
  own.expanded = &expanded;
  try {
    for (const PassHooks& h : hooks_) {
      if (h.before)
        h.before(at);
    }
    const std::uint64_t edits = graph.edit_count();
    PassResult result = pass.run(graph, own);
    check_honest(pass, result.changed, graph.edit_count() != edits);
    report.changed = result.changed;
    report.candidates = result.candidates;
    report.matches = result.matches;
    report.near_misses = std::move(result.near_misses);
    report.notes.insert(report.notes.end(), std::make_move_iterator(result.notes.begin()),
                        std::make_move_iterator(result.notes.end()));
    report.nodes_after = graph.num_nodes();
    for (auto h = hooks_.rbegin(); h != hooks_.rend(); ++h) {
      if (h->after)
        h->after(at);
    }
  } catch (...) {
    const std::exception_ptr error = std::current_exception();
    for (auto h = hooks_.rbegin(); h != hooks_.rend(); ++h) {
      if (h->failed)
        h->failed(at, error);
    }
    throw;
  }
}

std::string pipeline_text(std::span<const Pass> passes) {
  std::string text;
  for (const Pass& pass : passes)
    text += (text.empty() ? "" : ",") + pass.name;
  return text;
}

}  // namespace tandem
