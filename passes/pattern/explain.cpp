#include <tandem/passes/pattern/explain.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <tandem/passes/pattern/site_finder.h>

namespace tandem {

std::string_view to_string(Cause cause) {
  static constexpr std::string_view names[] = {"in-between", "operand-order", "result-index", "other-op",    "missing",
                                               "arity",      "attribute",     "capture",      "other-value", "dtype",
                                               "rank",       "dims",          "other-use",    "guard",       "unless",
                                               "effects",    "kernel-dtype",  "types",        "not-convex",  "refused"};
  return names[static_cast<std::size_t>(cause)];
}

std::vector<SiteExplanation> explain(const CompiledSet& set, const Graph& graph, std::uint32_t pattern,
                                     const ExplainOptions& options) {
  return SiteFinder(set, graph, ValueNames(graph), pattern, options).all();
}

SiteExplanation explain_at(const CompiledSet& set, const Graph& graph, std::uint32_t pattern, Node node,
                           const ExplainOptions& options) {
  return SiteFinder(set, graph, ValueNames(graph), pattern, options).at(node);
}

std::vector<SiteGroup> group_sites(const std::vector<SiteExplanation>& sites) {
  std::vector<SiteGroup> groups;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    std::string key;
    for (const FailedPredicate& f : sites[i].failures)
      key += fmt::format("{}\n{}\n{}\n", to_string(f.cause), f.predicate, f.detail);
    const auto [it, added] = known.emplace(std::move(key), groups.size());
    if (added)
      groups.emplace_back();
    groups[it->second].sites.push_back(i);
  }
  return groups;
}

std::vector<NearMiss> near_misses(const CompiledSet& set, const Graph& graph, const ValueNames& names,
                                  std::uint32_t pattern, const ExplainOptions& options) {
  std::vector<NearMiss> out;
  std::map<std::string, std::size_t> by_predicate;
  for (const SiteExplanation& site : SiteFinder(set, graph, names, pattern, options).near_misses()) {
    const FailedPredicate& f = site.failures.front();
    const auto [it, added] = by_predicate.emplace(f.predicate, out.size());
    if (added) {
      NearMiss& miss = out.emplace_back();
      miss.predicate = f.predicate;
      miss.example = f.found;
      miss.where = graph.num_results(site.anchor) != 0 ? fmt::format("%{}", names[graph.result(site.anchor, 0)])
                                                       : graph.def(site.anchor).name;
      if (!graph.scope(site.anchor).empty())
        miss.where += " in " + std::string(graph.scope(site.anchor).view());
    }
    ++out[it->second].count;
  }
  std::stable_sort(out.begin(), out.end(), [](const NearMiss& a, const NearMiss& b) { return a.count > b.count; });
  return out;
}

}  // namespace tandem
