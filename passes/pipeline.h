// The pipeline: which passes there are, and in which order they run. The table itself is passes/pipeline.def.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/capabilities.h>
#include <tandem/passes/config.h>
#include <tandem/passes/pass.h>
#include <tandem/passes/pass_manager.h>
#include <tandem/passes/report.h>

namespace tandem {

/// The passes of tandem, one function each, named as in the table: `pass::dce(graph, context)`.
namespace pass {
#define TANDEM_PASS(name, level, flag, doc, needs, why) \
  TANDEM_PASSES_API PassResult name(Graph& graph, PassContext& context);
#include <tandem/passes/pipeline.def>
#undef TANDEM_PASS
}  // namespace pass

/// One row of the table. A pass may stand in several.
struct PassRow {
  std::string_view name;
  OptLevel level;  ///< On from this level, under `auto`.
  std::string_view flag;
  std::string_view doc;
  std::string_view needs;  ///< What must be true of the graph for it to be of use.
  std::string_view why;    ///< Why it stands where it stands.
  PassResult (*run)(Graph&, PassContext&);
};

/// All rows, in the order in which they run.
TANDEM_PASSES_API std::span<const PassRow> pipeline_table();

/// The pass of that name. Throws Error "pipeline.unknown-pass" with the nearest name.
TANDEM_PASSES_API Pass pass_named(std::string_view name);

/// "dce,cse,dce" as passes, the inverse of `pipeline_text`. Throws Error "pipeline.unknown-pass" or "pipeline.syntax".
TANDEM_PASSES_API std::vector<Pass> parse_pipeline(std::string_view text);

struct PipelineOptions {
  /// The fusions on offer; null: none.
  const FusionSet* fusions = nullptr;
  /// Non-empty: run these passes instead of the table, whatever level and flags say ("verify,dce"). Fusions within
  /// `fuse` keep their own gates.
  std::string passes{};
  std::vector<PassHooks> hooks{};
  LogSink log{};
  /// Whether fusions report the sites that they missed by one predicate, as `add_near_misses` does afterwards.
  bool near_misses = false;
};

/// Runs the pipeline over `graph` and reports every row of the table, those that were off too. Checks the flags first.
/// Throws Error "config.unknown-flag", "gate.no-kernel", "gate.numerics", "pipeline.unknown-pass", or what the verifier
/// finds; on an Error from a pass the graph is as the failing pass left it.
TANDEM_PASSES_API DecisionReport run_pipeline(Graph& graph, const PassConfig& config, const Capabilities& capabilities,
                                              const PipelineOptions& options = {});

/// Adds to the report of a run what each fusion that is on misses by one predicate in `graph`, which is as the run left
/// it. That costs more than matching itself: for a report that somebody reads. `only`: those fusions; empty: all.
TANDEM_PASSES_API void add_near_misses(DecisionReport& report, const Graph& graph, const FusionSet& fusions,
                                       const PassConfig& config, const Capabilities& capabilities,
                                       std::span<const std::string> only = {});

/// The flags that the table's passes answer to, and those of `fusions`.
TANDEM_PASSES_API std::vector<std::string> known_flags(const FusionSet* fusions = nullptr);

}  // namespace tandem
