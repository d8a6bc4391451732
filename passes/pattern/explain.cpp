#include <tandem/passes/pattern/explain.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <tandem/passes/pattern/last_obstacles.h>
#include <tandem/passes/pattern/soft_check.h>
#include <tandem/passes/pattern/soft_matcher.h>

namespace tandem {

std::string_view to_string(Cause cause) {
  static constexpr std::string_view names[] = {"in-between", "operand-order", "result-index", "other-op",    "missing",
                                               "arity",      "attribute",     "capture",      "other-value", "dtype",
                                               "rank",       "dims",          "other-use",    "guard",       "unless",
                                               "effects",    "kernel-dtype",  "types",        "not-convex",  "refused"};
  return names[static_cast<std::size_t>(cause)];
}

namespace {

/// Readings that cost more than this are no sites: too little of the pattern is there.
constexpr int hopeless = 8 * predicate_cost;

/// The best reading of one node, over all variants.
class Nearest final : public SoftMatcher::Sink {
 public:
  Nearest(const CompiledSet& set, const Graph& graph, const ValueNames& names, int limit)
      : set_(set), graph_(graph), names_(names), limit_(limit) {}

  void look(std::uint32_t variant, std::size_t pattern_node, Node node) {
    variant_ = variant;
    SoftMatcher(graph_, set_.variants[variant]).search(pattern_node, node, limit_, *this);
  }

  int take(const SoftMatch& match) override {
    std::vector<FailedPredicate> failures = check_softly(set_, graph_, names_, set_.variants[variant_], match);
    const std::size_t others = failures.size() - std::min(failures.size(), match.obstacles.size());
    const int distance = match.cost + static_cast<int>(others) * predicate_cost;
    if (distance >= limit_)
      return limit_;
    limit_ = distance;
    SiteExplanation site;
    site.variant = variant_;
    site.distance = distance;
    site.failures = std::move(failures);
    site.bound = match.num_bound();
    site.unreached = match.num_unreached();
    const GraphView view(graph_);
    for (const SoftBinding& b : match.nodes) {
      site.nodes.push_back(b.node != no_index ? view.node(b.node) : Node{});
      if (!site.anchor)
        site.anchor = site.nodes.back();
    }
    for (const FailedPredicate& f : site.failures) {
      if (f.cause != Cause::in_between)
        continue;
      for (const Mark& m : f.marks)
        site.between.push_back(m.node);
    }
    best_ = std::move(site);
    return limit_;
  }

  bool is_perfect() const { return limit_ == 0; }
  std::optional<SiteExplanation>& best() { return best_; }

 private:
  const CompiledSet& set_;
  const Graph& graph_;
  const ValueNames& names_;
  int limit_;
  std::uint32_t variant_ = 0;
  std::optional<SiteExplanation> best_;
};

/// The ops that a pattern's variants match, the rarest in the graph first; those that it lacks are left out.
std::vector<OpId> anchor_ops(const CompiledSet& set, const Graph& graph, std::uint32_t pattern) {
  std::vector<OpId> ops;
  for (const CompiledVariant& v : set.variants) {
    for (const PatternNode& n : v.nodes) {
      if (v.fusion == pattern && graph.count(n.op) != 0 && std::find(ops.begin(), ops.end(), n.op) == ops.end())
        ops.push_back(n.op);
    }
  }
  std::stable_sort(ops.begin(), ops.end(), [&](OpId a, OpId b) { return graph.count(a) < graph.count(b); });
  return ops;
}

class SiteFinder {
 public:
  SiteFinder(const CompiledSet& set, const Graph& graph, std::uint32_t pattern, const ExplainOptions& options)
      : set_(set), graph_(graph), pattern_(pattern), options_(options), names_(graph) {}

  std::vector<SiteExplanation> all() {
    std::vector<SiteExplanation> found;
    std::set<std::uint32_t> matched;  // nodes of sites that match: not looked at again
    std::size_t anchors = 0;
    for (const OpId op : anchor_ops(set_, graph_, pattern_)) {
      if (anchors != 0 && anchors + graph_.count(op) > options_.max_anchors)
        break;
      anchors += graph_.count(op);
      std::size_t left = options_.max_anchors;
      for (Node n = graph_.first_of(op); n && left-- != 0; n = graph_.next_of_same_op(n)) {
        if (matched.contains(n.index))
          continue;
        auto site = nearest(n, hopeless);
        if (!site || !is_enough(*site))
          continue;
        if (site->distance == 0) {
          for_removed(*site, [&](Node removed) { matched.insert(removed.index); });
        }
        found.push_back(std::move(*site));
      }
    }
    std::vector<SiteExplanation> sites = without_overlap(std::move(found));
    add_last_obstacles(set_, graph_, pattern_, options_.kernel_dtypes, sites);
    sort(sites);
    return sites;
  }

  SiteExplanation at(Node node) {
    auto site = nearest(node, 1000);
    if (!site) {
      SiteExplanation none;
      none.anchor = node;
      none.distance = 1000;
      return none;
    }
    std::vector<SiteExplanation> one = {std::move(*site)};
    add_last_obstacles(set_, graph_, pattern_, options_.kernel_dtypes, one);
    one[0].anchor = node;
    return std::move(one[0]);
  }

 private:
  std::optional<SiteExplanation> nearest(Node node, int limit) {
    Nearest nearest(set_, graph_, names_, limit);
    const OpId op = graph_.op(node);
    for (const bool same_op : {true, false}) {  // another op only when there is none of its own
      for (std::uint32_t v = 0; v < set_.variants.size() && !nearest.is_perfect(); ++v) {
        if (set_.variants[v].fusion != pattern_)
          continue;
        const auto& nodes = set_.variants[v].nodes;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
          if ((nodes[i].op == op) == same_op)
            nearest.look(v, i, node);
        }
      }
      if (nearest.best())
        break;
    }
    return std::move(nearest.best());
  }

  /// Half of the pattern, where another op in its place counts half; and something that would be removed.
  bool is_enough(const SiteExplanation& site) const {
    const auto there =
        static_cast<std::size_t>(std::count_if(site.nodes.begin(), site.nodes.end(), [](Node n) { return bool(n); }));
    if (site.bound + there < site.nodes.size())
      return false;
    const CompiledVariant& v = set_.variants[site.variant];
    for (std::size_t i = 0; i < site.nodes.size(); ++i) {
      if (site.nodes[i] && graph_.op(site.nodes[i]) == v.nodes[i].op && !v.nodes[i].keep && !v.nodes[i].recompute)
        return true;
    }
    return false;
  }

  /// Nodes that the rewrite would remove; where none is there, those that it keeps.
  template <class F>
  void for_removed(const SiteExplanation& site, F&& f) const {
    const CompiledVariant& v = set_.variants[site.variant];
    bool any = false;
    for (const bool kept : {false, true}) {
      for (std::size_t i = 0; i < site.nodes.size(); ++i) {
        if (site.nodes[i] && (v.nodes[i].keep || v.nodes[i].recompute) == kept) {
          f(site.nodes[i]);
          any = true;
        }
      }
      if (any)
        return;
    }
  }

  void sort(std::vector<SiteExplanation>& sites) const {
    std::stable_sort(sites.begin(), sites.end(), [&](const SiteExplanation& a, const SiteExplanation& b) {
      return a.distance != b.distance ? a.distance < b.distance : graph_.comes_before(a.anchor, b.anchor);
    });
  }

  std::vector<SiteExplanation> without_overlap(std::vector<SiteExplanation> found) const {
    sort(found);
    std::vector<SiteExplanation> sites;
    std::set<std::uint32_t> taken;
    for (SiteExplanation& site : found) {
      bool overlaps = false;
      for_removed(site, [&](Node n) { overlaps |= taken.contains(n.index); });
      if (overlaps)
        continue;
      for_removed(site, [&](Node n) { taken.insert(n.index); });
      sites.push_back(std::move(site));
    }
    return sites;
  }

  const CompiledSet& set_;
  const Graph& graph_;
  std::uint32_t pattern_;
  const ExplainOptions& options_;
  ValueNames names_;
};

}  // namespace

std::vector<SiteExplanation> explain(const CompiledSet& set, const Graph& graph, std::uint32_t pattern,
                                     const ExplainOptions& options) {
  return SiteFinder(set, graph, pattern, options).all();
}

SiteExplanation explain_at(const CompiledSet& set, const Graph& graph, std::uint32_t pattern, Node node,
                           const ExplainOptions& options) {
  return SiteFinder(set, graph, pattern, options).at(node);
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

std::vector<NearMiss> near_misses(const CompiledSet& set, const Graph& graph, std::uint32_t pattern,
                                  const ExplainOptions& options) {
  const ValueNames names(graph);
  std::vector<NearMiss> out;
  std::map<std::string, std::size_t> by_predicate;
  for (const SiteExplanation& site : explain(set, graph, pattern, options)) {
    if (site.failures.size() != 1 || site.unreached != 0)
      continue;
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
