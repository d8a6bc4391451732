// What `tandem check` found, for people and for programs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/check.h>
#include <tandem/tools/check_run.h>

namespace tandem::cli {

struct FusionVerdict {
  CheckReport report;
  std::vector<Diagnostic> lints;
  std::vector<MutantOutcome> mutants;
  std::optional<SavedCounterexample> saved;

  /// No problem and no lint of severity error, no mutant that survived.
  bool proven() const;
};

class CheckSummary {
 public:
  explicit CheckSummary(bool as_json) : as_json_(as_json) {}

  void add(FusionVerdict verdict) { verdicts_.push_back(std::move(verdict)); }
  /// Lints of fusions as they are together.
  void add_together(std::span<const Diagnostic> lints) { together_.assign(lints.begin(), lints.end()); }
  bool all_proven() const;
  std::string render() const;

 private:
  bool as_json_;
  std::vector<FusionVerdict> verdicts_;
  std::vector<Diagnostic> together_;
};

}  // namespace tandem::cli
