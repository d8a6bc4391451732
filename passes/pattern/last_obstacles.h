// What stands against a rewrite where every predicate of the pattern holds.
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/explain.h>

namespace tandem {

/// For the sites without failures: tries the pattern alone on a copy of the graph, and adds to each site that the
/// engine refuses, or does not see, the reason: the rewrite is not legal, or a part is there that `unless` excludes.
void add_last_obstacles(const CompiledSet& set, const Graph& graph, const ValueNames& names, std::uint32_t pattern,
                        std::uint32_t kernel_dtypes, std::vector<SiteExplanation>& sites);

}  // namespace tandem
