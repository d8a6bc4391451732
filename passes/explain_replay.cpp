#include <tandem/passes/explain_replay.h>

#include <algorithm>

namespace tandem {

namespace {

RewrittenSite site_of(const SiteEvent& e, bool of_graph) {
  return {e.pattern,
          {e.matched.begin(), e.matched.end()},
          {e.created.begin(), e.created.end()},
          {e.removed.begin(), e.removed.end()},
          of_graph};
}

}  // namespace

std::vector<RewrittenSite> replay(const CompiledSet& set, Graph& graph, std::span<const ActivePattern> active) {
  std::vector<RewrittenSite> done;
  CreatedNodes created;
  run_patterns(set, graph, active, [&](const SiteEvent& e) {
    if (!e.rewritten)
      return;
    done.push_back(site_of(e, !created.has_any_of(e.matched)));
    created.add(e.created);
  });
  return done;
}

std::vector<RewrittenSite> replay_alone(const CompiledSet& set, Graph& graph, ActivePattern pattern,
                                        CreatedNodes& created) {
  struct Enough {};
  const std::size_t most = graph.num_nodes() + 16;
  std::vector<RewrittenSite> done;
  CreatedNodes here;
  std::size_t again = 0;
  const ActivePattern only[] = {pattern};
  try {
    run_patterns(set, graph, only, [&](const SiteEvent& e) {
      if (!e.rewritten)
        return;
      const bool of_graph = !here.has_any_of(e.matched);
      here.add(e.created);
      created.add(e.created);
      if (of_graph)
        done.push_back(site_of(e, true));
      else if (++again > most)
        throw Enough();
    });
  } catch (const Enough&) {
  }
  return done;
}

bool shares_removed(const RewrittenSite& site, const RewrittenSite& other) {
  return std::any_of(site.removed.begin(), site.removed.end(), [&](std::uint32_t r) {
    return std::find(other.removed.begin(), other.removed.end(), r) != other.removed.end();
  });
}

}  // namespace tandem
