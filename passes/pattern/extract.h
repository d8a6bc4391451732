// A draft of a fusion, cut out of a graph.
//
//     Pattern draft = extract(graph, {down, split, q_norm, kv_norm}, "my_fusion");
//
// The match is the nodes as they stand, with what is particular to this graph made general: dims and dtypes become
// variables (equal ones by equal names, sums where an axis is cut into parts), eps and scales are captured. The rewrite
// creates the same nodes again, so that the draft compiles, matches the site that it was cut from, and can be checked
// at once; the author then writes the fused op in its place. Until the target offers a kernel of the fusion's name, the
// draft is off under `auto`: as it stands its rewrite would match again without end.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// Nodes whose results are views and read by others stay (`keep`), and so does what they are computed from; all other
/// results with users outside are replaced. Throws Error "extract.no-nodes", "extract.too-large" (more than a pattern
/// may have), "extract.disconnected" (nodes that share no value, with those that would connect them),
/// "extract.not-convex" (a path leaves the nodes and comes back; the nodes on it are named) or "extract.unread" (nobody
/// else reads what they compute).
TANDEM_PASSES_API Pattern extract(const Graph& graph, std::span<const Node> nodes, std::string_view name);

/// The draft as text, with comments that say where it comes from and what is left to do.
TANDEM_PASSES_API std::string extract_text(const Graph& graph, std::span<const Node> nodes, std::string_view name);

/// Whether a fusion is a draft still: its right side makes the nodes again that the left side matches, and it is off
/// for want of a kernel.
TANDEM_PASSES_API bool is_draft(const Pattern& pattern);

}  // namespace tandem
