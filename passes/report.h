// The decision report: for every pass and fusion whether it ran and by which rule, what it found, what it nearly found,
// and what it cost. It is what a user attaches to a bug report. The JSON form is documented in docs/decision-report.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/export.h>
#include <tandem/passes/capabilities.h>
#include <tandem/passes/config.h>
#include <tandem/passes/gate.h>

namespace tandem {

/// Candidates that failed one and the same predicate, and no other.
struct NearMiss {
  std::string predicate;  ///< What did not hold: "%q has another user".
  std::size_t count = 0;
  std::string example;  ///< What was there instead: "%q is used by add (%add_3)".
  std::string where;    ///< Node, value or scope of the example: "%qn in model.layers.3".
};

/// What a pass reports of one run.
struct PassResult {
  bool changed = false;
  std::size_t candidates = 0;  ///< Places that were looked at closely.
  std::size_t matches = 0;     ///< Of those, how many were rewritten.
  std::vector<NearMiss> near_misses;
  std::vector<std::string> notes;
};

/// One line of the report: a pass, or a fusion within the pass `fuse`.
struct PassReport {
  std::string name;
  bool is_fusion = false;
  std::string flag;  ///< Empty when it has none.
  bool on = false;
  std::string rule;  ///< Why it is on or off.
  std::vector<ProviderChoice> providers;
  bool changed = false;
  std::size_t candidates = 0;
  std::size_t matches = 0;
  std::vector<NearMiss> near_misses;
  std::vector<std::string> notes;
  std::size_t nodes_before = 0;
  std::size_t nodes_after = 0;
  double seconds = 0;  ///< 0 when it did not run, or nobody measured.
};

struct DecisionReport {
  static constexpr int schema_version = 1;

  std::string graph;
  std::string target;
  OptLevel level = OptLevel::O1;
  Numerics numerics = Numerics::exact;
  std::map<std::string, Toggle, std::less<>> flags;  ///< As set by the user.
  AiterInfo aiter;
  std::string pipeline;  ///< What ran, as text that runs again: "verify,dce,noops".
  std::vector<PassReport> passes;
  std::size_t nodes_before = 0;
  std::size_t nodes_after = 0;
  double seconds = 0;

  /// How often the pass or fusion of that name matched, over all its runs; -1 when the report has none of that name.
  TANDEM_PASSES_API std::int64_t matches(std::string_view name) const;
  /// The first entry of that name, or null.
  TANDEM_PASSES_API const PassReport* find(std::string_view name) const;
};

/// An aligned table with the rules, near misses and notes below it; no line is longer than 120 columns unless a name
/// is.
TANDEM_PASSES_API std::string to_text(const DecisionReport& report);

/// The JSON form; keys sorted, two spaces, ends with a newline.
TANDEM_PASSES_API std::string to_json(const DecisionReport& report);

/// "mla_dual_rms_norm must match 61 times".
struct Expectation {
  std::string name;
  std::size_t matches = 0;
};

/// "mla_dual_rms_norm=61". Throws Error "expect.syntax".
TANDEM_PASSES_API Expectation parse_expectation(std::string_view text);

/// A diagnostic for each expectation that does not hold ("expect.matches", with the rule that kept it off or the near
/// misses as notes) or names nothing in the report ("expect.unknown-name").
TANDEM_PASSES_API std::vector<Diagnostic> check_expectations(const DecisionReport& report,
                                                             std::span<const Expectation> expectations);

}  // namespace tandem
