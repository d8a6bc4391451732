// Replacing fused ops that nobody has a kernel for by their decompositions.
#pragma once

#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/graph.h>
#include <tandem/runtime/provider_choice.h>

namespace tandem {

/// How deep decompositions may nest: beyond it, one contains itself.
inline constexpr int max_decomposition_depth = 16;

/// Before -> after, where no provider has `fused_mla_dual_rms_norm`:
///
///     %a, %b = fused_mla_dual_rms_norm %q, %qw, %c, %cw     ->    %a = rms_norm %q, %qw
///                                                                 %b = rms_norm %c, %cw
///
/// Repeated until every node has a kernel, is a core view or has no decomposition. Returns by node index which fused op
/// a node comes from (empty for those of the graph itself). Adds to `findings` "plan.no-kernel" and
/// "plan.decomposition".
std::vector<std::string> decompose_without_kernel(Graph& graph, const ProviderChooser& chooser,
                                                  std::vector<Diagnostic>& findings);

}  // namespace tandem
