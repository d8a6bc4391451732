// The engine: runs a compiled set over a graph to a fixpoint.
//
// All sites of all patterns are found first; then they are rewritten in the order of benefit, then of proved supersets,
// then of declaration, and within one pattern in the order of the graph. What a rewrite changed is looked at again,
// until nothing matches. The result depends on the graph and the set alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/rewriter.h>

namespace tandem {

/// What happened to one pattern.
struct FusionStatistics {
  std::size_t candidates = 0;                   ///< Nodes at which a match was tried.
  std::size_t matches = 0;                      ///< Sites rewritten.
  std::map<std::string, std::size_t> refusals;  ///< Sites that matched but were not legal, by reason.
  std::map<std::string, std::size_t> lost_to;   ///< Sites that another pattern took first, by its name.
};

struct EngineResult {
  bool changed = false;
  std::vector<FusionStatistics> fusions;  ///< By pattern of the set.
  std::vector<std::string> notes;
};

/// A pattern that is on.
struct ActivePattern {
  std::uint32_t pattern = 0;  ///< Index into the set's.
  /// Bits of the dtypes for which the target has the pattern's kernels: sites of others are refused. The dtype of a
  /// site is that of the kernel's first operand.
  std::uint32_t kernel_dtypes = ~std::uint32_t{0};
};

/// A site at which a pattern matched, as it is rewritten or refused. Handles are those of the graph at that time.
struct SiteEvent {
  bool rewritten = false;
  std::uint32_t pattern = 0;
  std::uint32_t variant = 0;
  std::span<const Node> matched;           ///< By node of the variant. Those that a rewrite removed are stale.
  std::span<const Node> created;           ///< By the rewrite.
  std::span<const std::uint32_t> removed;  ///< Indices of the nodes that the rewrite erased.
  Refusal refusal = Refusal::none;
  std::string_view reason;  ///< Of the refusal, in words.
};
/// Told of each site, in the order in which they are taken. Explaining needs it; nothing else pays for it.
using SiteObserver = std::function<void(const SiteEvent&)>;

/// Rewrites `graph` with the patterns `active`. Throws Error "pattern.non-terminating" when the
/// rewrites do not come to an end: more than 16 for each node of the graph as it was. It names the fusions that match
/// what they make, in turn or by themselves.
TANDEM_PASSES_API EngineResult run_patterns(const CompiledSet& set, Graph& graph, std::span<const ActivePattern> active,
                                            const SiteObserver& observer = {});

/// All patterns of the set.
TANDEM_PASSES_API EngineResult run_patterns(const CompiledSet& set, Graph& graph);

}  // namespace tandem
