#include <tandem/passes/explain_missed.h>

#include <algorithm>

namespace tandem {

namespace {

bool overlap(const SiteExplanation& a, const SiteExplanation& b) {
  return std::any_of(a.nodes.begin(), a.nodes.end(),
                     [&](Node n) { return n && std::find(b.nodes.begin(), b.nodes.end(), n) != b.nodes.end(); });
}

}  // namespace

std::vector<MissedSite> missed_sites(const CompiledSet& set, const std::vector<RunEnd>& runs, std::uint32_t pattern,
                                     std::uint32_t kernel_dtypes, const CreatedNodes& matched) {
  const auto sites_of = [&](const RunEnd& run) {
    ExplainOptions options;
    options.kernel_dtypes = kernel_dtypes;
    options.is_own = [&](Node n) { return run.own.has(n); };
    std::vector<SiteExplanation> sites = explain(set, run.graph, pattern, options);
    std::erase_if(sites, [](const SiteExplanation& s) { return s.failures.empty(); });
    return sites;
  };
  std::vector<MissedSite> missed;
  for (SiteExplanation& site : sites_of(runs.back()))
    missed.push_back({runs.size() - 1, std::move(site)});
  for (std::size_t run = 0; run + 1 < runs.size() && !missed.empty(); ++run) {
    for (const SiteExplanation& site : sites_of(runs[run])) {
      if (matched.has_any_of(site.nodes))
        continue;
      for (MissedSite& m : missed) {
        if (m.run + 1 == runs.size() && site.distance < m.site.distance && overlap(site, m.site)) {
          m = {run, site};
          break;
        }
      }
    }
  }
  std::stable_sort(missed.begin(), missed.end(),
                   [](const MissedSite& a, const MissedSite& b) { return a.site.distance < b.site.distance; });
  return missed;
}

}  // namespace tandem
