// Proof by testing: is what a fusion puts in place the same as what it matched?
//
// Graphs are made from the pattern itself (check_instance.h), in every variant and with dims, dtypes, attributes and
// data drawn at random, edge values among them. The engine must match each; what it makes of it is computed beside the
// graph as it was, on the float64 oracle and on every other provider. Then the graphs are broken, one condition at a
// time, and must no longer match. docs/checking-fusions.md says what that proves and what it does not.
//
// Passes know no kernels: who computes is handed in.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// A tensor as numbers, row-major. An executor rounds them to the dtype.
struct CheckTensor {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// Computes a graph: its inputs and then its weights, each in the graph's order, to its outputs. Throws Error.
struct CheckExecutor {
  std::string name;
  std::function<std::vector<CheckTensor>(const Graph&, std::span<const CheckTensor>)> run;
};

struct CheckOptions {
  std::uint64_t seed = 1;
  std::size_t samples = 12;  ///< Graphs for each variant.
  bool negatives = true;     ///< Also break conditions, one at a time.
};

/// A graph for which the rewrite is wrong, made as small as could be.
struct Counterexample {
  Graph graph;
  std::optional<Graph> rewritten;
  std::vector<std::pair<std::string, CheckTensor>> inputs;    ///< By the input's name or the weight's key.
  std::vector<std::pair<std::string, CheckTensor>> expected;  ///< By the output's name; empty for a wrong match.
};

/// How often a condition of the fusion was seen to hold and, broken on purpose, to fail.
struct GuardCoverage {
  std::string text;
  Span span;
  std::size_t held = 0;
  std::size_t broken = 0;
};

struct CheckReport {
  std::string fusion;
  std::size_t variants = 0;
  std::size_t graphs = 0;         ///< Made from the pattern and rewritten.
  std::size_t commuted = 0;       ///< ... with swapped operands of commutative ops,
  std::size_t respelled = 0;      ///< ... with axes counted from the other end,
  std::size_t outside_users = 0;  ///< ... with kept values read from outside,
  std::size_t symbolic = 0;       ///< ... with symbolic dims.
  std::size_t negatives = 0;      ///< Broken, and rightly not matched.
  std::size_t elements = 0;       ///< Compared on the oracle.
  std::size_t inexact = 0;        ///< Of these, those that differ, within the tolerance.
  std::vector<std::string> executors;
  std::vector<GuardCoverage> guards;
  std::vector<Diagnostic> problems;
  std::optional<Counterexample> counterexample;  ///< Of the first problem that has one.

  /// Whether nothing of severity error was found.
  TANDEM_PASSES_API bool proven() const;
};

/// Checks one fusion. `executors` is not empty; the first is the oracle. Throws as `compile`.
///
/// Problems: "check.differs" (the rewrite computes something else), "check.rounds-otherwise" (more elements of a narrow
/// dtype differ in their last place than f32 arithmetic explains), "check.kernel-differs" (a provider's fused kernel,
/// not the fusion), "check.not-matched" (a graph made from the pattern), "check.wrong-match" (a broken one),
/// "check.non-terminating", "check.contradictory" (no graph satisfies the pattern), "check.not-tested" (a variant),
/// "check.refused" (graphs that match but cannot be rewritten), "lint.result-type" (... because a new value has another
/// type than the one that it replaces), "check.draft" (only the match could be tested).
TANDEM_PASSES_API CheckReport check_fusion(const std::shared_ptr<Context>& context, const Pattern& pattern,
                                           std::span<const CheckExecutor> executors, const CheckOptions& options = {});

/// What became of a fusion with a planted fault in its right side.
struct MutantOutcome {
  std::string mutation;  ///< "eps_q = $eps_kv in place of $eps_q"
  enum class Fate : std::uint8_t { killed, equivalent, survived } fate = Fate::survived;
  std::string reason;  ///< How it was found, or why it is no fault.
};

/// Plants every fault that `mutants` (check_mutants.h) knows of and checks each. Throws as `compile`.
TANDEM_PASSES_API std::vector<MutantOutcome> check_mutants(const std::shared_ptr<Context>& context,
                                                           const Pattern& pattern,
                                                           std::span<const CheckExecutor> executors,
                                                           const CheckOptions& options = {});

}  // namespace tandem
