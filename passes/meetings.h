// The graphs as the runs of a pass that applies fusions meet them: what explanations and drafts of fusions are about.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/capabilities.h>
#include <tandem/passes/config.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>

namespace tandem {

struct Meeting {
  Graph graph;
  std::string passes_before;  ///< "verify,dce,cse"
};

/// Runs the pipeline on a copy of the graph and keeps what each run of `pass` ("fuse", "raise") meets. `after` is
/// called after each pass. Throws Error "explain.no-fuse" when the pipeline has no such pass, and what `run_pipeline`
/// throws.
TANDEM_PASSES_API std::vector<Meeting> meetings_with_fusions(const Graph& graph, const PassConfig& config,
                                                             const Capabilities& capabilities, const FusionSet& fusions,
                                                             std::string_view pass, std::string_view passes = {},
                                                             const std::function<void(const PassRun&)>& after = {});

/// The node that computes the value of that name ("%qn", "qn"); null when there is none.
TANDEM_PASSES_API Node find_named_node(const Graph& graph, std::string_view name);

/// The same, or the node that stands at that position, from 0 ("12"; names first).
TANDEM_PASSES_API Node find_node(const Graph& graph, std::string_view name_or_position);

/// Says why `find_node` finds nothing: the value is an input, a weight, or near some other name.
TANDEM_PASSES_API Diagnostic unknown_node(const Graph& graph, std::string_view code, std::string_view name_or_position);

}  // namespace tandem
