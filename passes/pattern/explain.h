// Why a fusion fired, or did not: sites, what does not hold at each, and what would make it match.
//
// Matching stops at the first predicate that fails; explaining goes on (soft_matcher.h, soft_check.h), ranks the sites
// by how much is in the way, and puts equal causes together. passes/explain.h does the same for a fusion within the
// pipeline, where it may also be gated off or lose its sites to others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/report.h>

namespace tandem {

/// What kind of predicate does not hold. In the order in which they are told: what is wrong with the structure explains
/// what is wrong with types.
enum class Cause : std::uint8_t {
  in_between,     ///< A node stands between two that the pattern has next to each other.
  operand_order,  ///< The operands are swapped, and the op is not commutative.
  result_index,   ///< It is another result of the node.
  other_op,       ///< Another op stands there.
  missing,        ///< Nobody computes the value, or nobody of that op reads it.
  arity,          ///< The number of operands or results.
  attribute,      ///< An attribute has another value.
  capture,        ///< Two attributes that are to be equal are not.
  other_value,    ///< Two places that are to read one value read two.
  dtype,
  rank,
  dims,
  other_use,     ///< A value that would go away has users outside the match, or is returned.
  guard,         ///< A condition of `where`.
  unless,        ///< A part that must not be there is there.
  effects,       ///< A node that would go away has effects.
  kernel_dtype,  ///< The target has no kernel for the dtype.
  types,         ///< A new value would have another type than the one that it replaces.
  not_convex,    ///< A new node would read what depends on its own result.
  refused,       ///< The rewrite is not possible here for another reason.
};

/// "in-between", "operand-order", ...
TANDEM_PASSES_API std::string_view to_string(Cause cause);

/// A part of a node's line, to be pointed at.
struct Mark {
  enum class Part : std::uint8_t { op, result, operand, attr, type };
  Node node;
  Part part = Part::op;
  std::uint32_t index = 0;  ///< Which result, operand, attribute (by position in the op's row) or result's type.
};

/// A predicate that does not hold at a site.
struct FailedPredicate {
  Cause cause = Cause::missing;
  std::string predicate;  ///< In the pattern's words: "eps of rms_norm (%cn) is 1e-06".
  std::string found;      ///< What is there instead: "it is 1e-05".
  std::string detail;     ///< `found` without the names of this site: equal details, equal causes.
  Span span;              ///< Where the pattern says so.
  std::vector<Mark> marks;
  std::string in_graph;    ///< What change of the graph would make it hold; may be empty.
  std::string in_pattern;  ///< What change of the pattern would make it match; may be empty.
};

/// One site: nodes of the graph that nearly, or wholly, fit.
struct SiteExplanation {
  Node anchor;                            ///< The first of `nodes` that is there.
  std::uint32_t variant = 0;              ///< The variant that comes nearest.
  std::vector<FailedPredicate> failures;  ///< The gravest first. Empty: it matches.
  std::vector<Node> nodes;                ///< By node of the variant; null where nothing fits.
  std::vector<Node> between;              ///< Nodes that stand in between.
  std::size_t bound = 0;                  ///< Nodes of the right op among `nodes`.
  std::size_t unreached = 0;              ///< Nodes of the match that nothing leads to, because others are missing.
  int distance = 0;                       ///< By which sites are ranked; 0: it matches.
};

struct ExplainOptions {
  /// As `ActivePattern::kernel_dtypes`.
  std::uint32_t kernel_dtypes = ~std::uint32_t{0};
  /// How many nodes are tried as the beginning of a site, of the rarest ops first. Ample for models; a bound for a
  /// pattern of one frequent op in a graph of millions.
  std::size_t max_anchors = 100'000;
  /// Nodes that the pattern made itself, where it has run: what it would remove of a site is none of them.
  std::function<bool(Node)> is_own = {};
};

/// All sites of a pattern that have more than a part of it: nearest to matching first, then in graph order. No node
/// that a rewrite would remove belongs to two of them.
TANDEM_PASSES_API std::vector<SiteExplanation> explain(const CompiledSet& set, const Graph& graph,
                                                       std::uint32_t pattern, const ExplainOptions& options = {});

/// Explains a pattern at one node, which may stand for any node of the match: the nearest of all readings. A node of an
/// op that the pattern does not have stands in the place of one that it has, or gets no `nodes` at all.
TANDEM_PASSES_API SiteExplanation explain_at(const CompiledSet& set, const Graph& graph, std::uint32_t pattern,
                                             Node node, const ExplainOptions& options = {});

/// The sites that the pattern alone matches in the graph as it is, by node of their variants.
TANDEM_PASSES_API std::vector<std::vector<Node>> matching_sites(const CompiledSet& set, const Graph& graph,
                                                                std::uint32_t pattern,
                                                                const ExplainOptions& options = {});

/// Sites that fail for the same reasons.
struct SiteGroup {
  std::vector<std::size_t> sites;  ///< Indices into the list, in its order.
};
/// Puts sites of equal causes together; in the order of the first site of each.
TANDEM_PASSES_API std::vector<SiteGroup> group_sites(const std::vector<SiteExplanation>& sites);

/// The sites that fail exactly one predicate, counted by predicate; most frequent first.
/// `names` are those of `graph`: one index for all patterns that are asked about.
TANDEM_PASSES_API std::vector<NearMiss> near_misses(const CompiledSet& set, const Graph& graph, const ValueNames& names,
                                                    std::uint32_t pattern, const ExplainOptions& options = {});

}  // namespace tandem
