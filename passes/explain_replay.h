// What the engine did in a run that an explanation repeats: the sites that it rewrote.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/created_nodes.h>
#include <tandem/passes/pattern/engine.h>

namespace tandem {

/// What a run of patterns did to one site.
struct RewrittenSite {
  std::uint32_t pattern;
  std::vector<Node> matched;
  std::vector<Node> created;
  std::vector<std::uint32_t> removed;
  bool of_graph = true;  ///< false: it matched what a rewrite of the same run had made.
};

/// Runs the patterns, and tells of each site that was rewritten, in order.
std::vector<RewrittenSite> replay(const CompiledSet& set, Graph& graph, std::span<const ActivePattern> active);

/// One pattern by itself: the sites of the graph as it was. One that matches what it makes is stopped when it has seen
/// those. What it creates is added to `created`.
std::vector<RewrittenSite> replay_alone(const CompiledSet& set, Graph& graph, ActivePattern pattern,
                                        CreatedNodes& created);

/// Whether both remove a node: they cannot both be rewritten.
bool shares_removed(const RewrittenSite& site, const RewrittenSite& other);

}  // namespace tandem
