// Where a pattern nearly fits: the readings of the soft matcher, the best for each place.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/explain.h>
#include <tandem/passes/pattern/soft_matcher.h>

namespace tandem {

class SiteFinder {
 public:
  SiteFinder(const CompiledSet& set, const Graph& graph, const ValueNames& names, std::uint32_t pattern,
             const ExplainOptions& options)
      : set_(set), graph_(graph), names_(names), pattern_(pattern), options_(options) {}

  /// Sites that have more than a part of the pattern: nearest first, none overlaps another.
  std::vector<SiteExplanation> all() const;

  /// Those among them at which one predicate fails. Far cheaper: a search begins only where the pattern's rarest nodes
  /// are, next to what the pattern has next to them, and ends at the second thing that is wrong.
  std::vector<SiteExplanation> near_misses() const;

  /// The nearest reading of one node.
  SiteExplanation at(Node node) const;

 private:
  std::optional<SiteExplanation> nearest(Node node, int limit) const;
  std::vector<SiteExplanation> finished(std::vector<SiteExplanation> found) const;
  bool is_enough(const SiteExplanation& site) const;
  void sort(std::vector<SiteExplanation>& sites) const;
  std::vector<SiteExplanation> without_overlap(std::vector<SiteExplanation> found) const;
  template <class F>
  void for_removed(const SiteExplanation& site, F&& f) const;

  const CompiledSet& set_;
  const Graph& graph_;
  const ValueNames& names_;
  std::uint32_t pattern_;
  const ExplainOptions& options_;
};

}  // namespace tandem
