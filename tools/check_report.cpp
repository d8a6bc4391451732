// See check_report.h.
#include <tandem/ir/counted.h>
#include <tandem/tools/check_report.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;
using Fate = MutantOutcome::Fate;

bool has_error(std::span<const Diagnostic> diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
}

std::size_t count(std::span<const MutantOutcome> mutants, Fate fate) {
  return static_cast<std::size_t>(
      std::count_if(mutants.begin(), mutants.end(), [&](const MutantOutcome& m) { return m.fate == fate; }));
}

constexpr std::string_view fate_names[] = {"killed", "equivalent", "survived"};
constexpr std::string_view severity_names[] = {"note", "warning", "error"};

Json to_json(std::span<const Diagnostic> diagnostics) {
  Json out = Json::array();
  for (const Diagnostic& d : diagnostics) {
    out.push_back({{"code", d.code},
                   {"severity", severity_names[static_cast<std::size_t>(d.severity)]},
                   {"file", d.where.file},
                   {"line", d.where.line},
                   {"message", d.message},
                   {"help", d.help},
                   {"notes", d.notes}});
  }
  return out;
}

Json to_json(const FusionVerdict& v) {
  Json guards = Json::array(), mutants = Json::array();
  for (const GuardCoverage& g : v.report.guards)
    guards.push_back({{"guard", g.text}, {"held", g.held}, {"broken", g.broken}});
  for (const MutantOutcome& m : v.mutants)
    mutants.push_back(
        {{"mutation", m.mutation}, {"fate", fate_names[static_cast<std::size_t>(m.fate)]}, {"reason", m.reason}});
  Json out = {{"fusion", v.report.fusion},
              {"proven", v.proven()},
              {"variants", v.report.variants},
              {"graphs", v.report.graphs},
              {"commuted", v.report.commuted},
              {"respelled", v.report.respelled},
              {"outside_users", v.report.outside_users},
              {"symbolic", v.report.symbolic},
              {"negatives", v.report.negatives},
              {"elements", v.report.elements},
              {"inexact", v.report.inexact},
              {"executors", v.report.executors},
              {"guards", guards},
              {"problems", to_json(v.report.problems)},
              {"lints", to_json(v.lints)}};
  if (!v.mutants.empty())
    out["mutants"] = mutants;
  if (v.saved)
    out["counterexample"] = {{"files", v.saved->files}, {"command", v.saved->command}};
  return out;
}

std::string to_text(const FusionVerdict& v) {
  const CheckReport& r = v.report;
  const bool is_draft =
      std::any_of(r.problems.begin(), r.problems.end(), [](const Diagnostic& d) { return d.code == "check.draft"; });
  std::string text = fmt::format("{}: {}\n", r.fusion,
                                 !v.proven() ? "WRONG"
                                 : is_draft  ? "a draft, whose match holds"
                                             : "holds");
  text += fmt::format("  {}, {} rewritten, {} refused; {} compared, {} inexact; on {}\n",
                      counted(r.variants, "variant"), counted(r.graphs, "graph"), counted(r.negatives, "broken one"),
                      counted(r.elements, "element"), r.inexact, fmt::join(r.executors, ", "));
  text += fmt::format(
      "  of the graphs {} with swapped operands, {} with axes from the other end, {} with users outside, {} with "
      "symbols\n",
      r.commuted, r.respelled, r.outside_users, r.symbolic);
  for (const GuardCoverage& g : r.guards) {
    text += fmt::format("  guard '{}': held {}, broken {}{}\n", g.text, counted(g.held, "time"), g.broken,
                        g.broken == 0 ? " (never seen to fail)" : "");
  }
  if (!v.mutants.empty()) {
    text += fmt::format("  mutants: {} killed, {} equivalent, {} survived\n", count(v.mutants, Fate::killed),
                        count(v.mutants, Fate::equivalent), count(v.mutants, Fate::survived));
    for (const MutantOutcome& m : v.mutants) {
      if (m.fate != Fate::killed)
        text += fmt::format("    {}: {} ({})\n", fate_names[static_cast<std::size_t>(m.fate)], m.mutation, m.reason);
    }
  }
  for (const auto& list : {r.problems, v.lints}) {
    for (const Diagnostic& d : list)
      text += to_string(d) + "\n";
  }
  if (v.saved)
    text += fmt::format("  counterexample in {}\n  to see it: {}\n", fmt::join(v.saved->files, ", "), v.saved->command);
  return text;
}

}  // namespace

bool FusionVerdict::proven() const {
  return report.proven() && !has_error(lints) && count(mutants, Fate::survived) == 0;
}

bool CheckSummary::all_proven() const {
  return !has_error(together_) &&
         std::all_of(verdicts_.begin(), verdicts_.end(), [](const FusionVerdict& v) { return v.proven(); });
}

std::string CheckSummary::render() const {
  if (as_json_) {
    Json fusions = Json::array();
    for (const FusionVerdict& v : verdicts_)
      fusions.push_back(to_json(v));
    const Json out = {{"proven", all_proven()}, {"fusions", fusions}, {"together", to_json(together_)}};
    return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  std::string text;
  std::size_t proven = 0;
  for (const FusionVerdict& v : verdicts_) {
    text += to_text(v);
    proven += v.proven() ? 1 : 0;
  }
  for (const Diagnostic& d : together_)
    text += to_string(d) + "\n";
  return text + fmt::format("{} of {} {}\n", proven, counted(verdicts_.size(), "fusion"),
                            verdicts_.size() == 1 ? "holds" : "hold");
}

}  // namespace tandem::cli
