// Why a fusion fired, or did not.
//
// Matching stops at the first predicate that fails; explaining goes on: it records every predicate that fails, looks
// past a single unary node that stands in between, and where there is a choice takes the one with the fewest failures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/report.h>

namespace tandem {

/// A predicate that does not hold at a site.
struct FailedPredicate {
  std::string predicate;  ///< In the pattern's words: "dim -1 of %q_w is Q".
  std::string found;      ///< What is there instead: "1024, where Q = 1536".
  Span span;              ///< Where the pattern says so.
};

/// One site: an anchor node and how far it is from matching.
struct SiteExplanation {
  Node anchor;
  std::uint32_t variant = 0;              ///< The variant that comes nearest.
  std::vector<FailedPredicate> failures;  ///< Empty: it matches.
  std::vector<Node> nodes;  ///< What was bound, in the order of the pattern's nodes; null where nothing fits.
};

/// Explains pattern `pattern` at one node, which may stand for any node of the match: the nearest of all readings.
TANDEM_PASSES_API SiteExplanation explain_at(const CompiledSet& set, const Graph& graph, std::uint32_t pattern,
                                             Node node);

/// All candidate sites of a pattern: the nodes of its rarest op, nearest to matching first, then in graph order.
TANDEM_PASSES_API std::vector<SiteExplanation> explain(const CompiledSet& set, const Graph& graph,
                                                       std::uint32_t pattern);

/// The sites that fail exactly one predicate, counted by predicate; most frequent first.
TANDEM_PASSES_API std::vector<NearMiss> near_misses(const CompiledSet& set, const Graph& graph, std::uint32_t pattern);

}  // namespace tandem
