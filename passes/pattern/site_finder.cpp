#include <tandem/passes/pattern/site_finder.h>

#include <algorithm>
#include <map>
#include <set>

#include <tandem/passes/pattern/last_obstacles.h>
#include <tandem/passes/pattern/soft_check.h>

namespace tandem {

namespace {

/// Readings that cost more than this are no sites: too little of the pattern is there.
constexpr int hopeless = 8 * predicate_cost;
/// More than any one thing costs that is in the way.
constexpr int beyond_one_failure = view_instead_cost + 1;

/// The best reading of one node, over all variants.
class Nearest final : public SoftMatcher::Sink {
 public:
  Nearest(const CompiledSet& set, const Graph& graph, const ValueNames& names, int limit,
          std::size_t most_failures = unlimited)
      : set_(set), graph_(graph), names_(names), limit_(limit), most_failures_(most_failures) {}

  static constexpr std::size_t unlimited = ~std::size_t{0};

  void look(std::uint32_t variant, std::size_t pattern_node, Node node) {
    variant_ = variant;
    SoftMatcher(graph_, set_.variants[variant]).search(pattern_node, node, {limit_, most_failures_}, *this);
  }

  int take(const SoftMatch& match) override {
    std::vector<FailedPredicate> failures =
        check_softly(set_, graph_, names_, set_.variants[variant_], match, most_failures_);
    if (failures.size() > most_failures_)
      return limit_;
    const std::size_t others = failures.size() - std::min(failures.size(), match.obstacles.size());
    const int distance = match.cost + static_cast<int>(others) * predicate_cost;
    const std::size_t bound = match.num_bound();
    // Of two readings that are as near, the one in which more of the pattern is there.
    if (distance > limit_ || (distance == limit_ && !(best_ && bound > best_->bound)))
      return limit_;
    limit_ = distance;
    SiteExplanation site;
    site.variant = variant_;
    site.distance = distance;
    site.failures = std::move(failures);
    site.bound = bound;
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
  std::size_t most_failures_;
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

/// The nodes of a variant at which a search finds every near miss. One node at most is not as the pattern wants it, so
/// that one of any two is there: the two of which the graph has fewest. None when it lacks more than one.
std::vector<std::size_t> anchors_of_near_misses(const CompiledVariant& v, const Graph& graph) {
  std::vector<std::size_t> nodes;
  std::size_t lacking = 0;
  for (std::size_t i = 0; i < v.nodes.size(); ++i) {
    if (graph.count(v.nodes[i].op) != 0)
      nodes.push_back(i);
  }
  for (const auto& [op, needed] : v.required_ops)
    lacking += needed - std::min<std::size_t>(needed, graph.count(op));
  if (lacking > 1 || nodes.empty())
    return {};
  std::stable_sort(nodes.begin(), nodes.end(), [&](std::size_t a, std::size_t b) {
    return graph.count(v.nodes[a].op) < graph.count(v.nodes[b].op);
  });
  nodes.resize(std::min<std::size_t>(nodes.size(), nodes.size() == v.nodes.size() ? 2 : 1));
  return nodes;
}

}  // namespace

/// Nodes that the rewrite would remove; where none is there, those that it keeps.
template <class F>
void SiteFinder::for_removed(const SiteExplanation& site, F&& f) const {
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

std::vector<SiteExplanation> SiteFinder::all() const {
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
  return finished(std::move(found));
}

std::vector<SiteExplanation> SiteFinder::near_misses() const {
  std::vector<SiteExplanation> found;
  std::map<std::vector<std::uint32_t>, std::size_t> known;  // the same nodes may be read in several ways: the nearest
  std::size_t left = options_.max_anchors;
  for (std::uint32_t v = 0; v < set_.variants.size(); ++v) {
    if (set_.variants[v].fusion != pattern_)
      continue;
    for (const std::size_t i : anchors_of_near_misses(set_.variants[v], graph_)) {
      for (Node n = graph_.first_of(set_.variants[v].nodes[i].op); n && left != 0; n = graph_.next_of_same_op(n)) {
        --left;
        Nearest nearest(set_, graph_, names_, beyond_one_failure, 1);
        nearest.look(v, i, n);
        if (!nearest.best() || nearest.best()->unreached != 0 || !is_enough(*nearest.best()))
          continue;
        std::vector<std::uint32_t> nodes;
        for (const Node there : nearest.best()->nodes)
          nodes.push_back(there.index);
        std::sort(nodes.begin(), nodes.end());
        const auto [it, added] = known.emplace(std::move(nodes), found.size());
        if (added)
          found.push_back(std::move(*nearest.best()));
        else if (nearest.best()->distance < found[it->second].distance)
          found[it->second] = std::move(*nearest.best());
      }
    }
  }
  std::vector<SiteExplanation> sites = finished(std::move(found));
  std::erase_if(sites, [](const SiteExplanation& s) { return s.failures.size() != 1; });
  return sites;
}

SiteExplanation SiteFinder::at(Node node) const {
  auto site = nearest(node, 1000);
  if (!site) {
    SiteExplanation none;
    none.anchor = node;
    none.distance = 1000;
    return none;
  }
  std::vector<SiteExplanation> one = {std::move(*site)};
  add_last_obstacles(set_, graph_, names_, pattern_, options_.kernel_dtypes, one);
  one[0].anchor = node;
  return std::move(one[0]);
}

std::optional<SiteExplanation> SiteFinder::nearest(Node node, int limit) const {
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

/// Sites that do not overlap, with what stands against a rewrite where every predicate holds.
std::vector<SiteExplanation> SiteFinder::finished(std::vector<SiteExplanation> found) const {
  std::vector<SiteExplanation> sites = without_overlap(std::move(found));
  add_last_obstacles(set_, graph_, names_, pattern_, options_.kernel_dtypes, sites);
  sort(sites);
  return sites;
}

/// Half of the pattern, where another op in its place counts half; and something that would be removed.
bool SiteFinder::is_enough(const SiteExplanation& site) const {
  const auto there =
      static_cast<std::size_t>(std::count_if(site.nodes.begin(), site.nodes.end(), [](Node n) { return bool(n); }));
  if (site.bound + there < site.nodes.size())
    return false;
  bool own = false;
  if (options_.is_own)
    for_removed(site, [&](Node n) { own |= options_.is_own(n); });
  if (own)
    return false;
  const CompiledVariant& v = set_.variants[site.variant];
  for (std::size_t i = 0; i < site.nodes.size(); ++i) {
    if (site.nodes[i] && graph_.op(site.nodes[i]) == v.nodes[i].op && !v.nodes[i].keep && !v.nodes[i].recompute)
      return true;
  }
  return false;
}

void SiteFinder::sort(std::vector<SiteExplanation>& sites) const {
  std::stable_sort(sites.begin(), sites.end(), [&](const SiteExplanation& a, const SiteExplanation& b) {
    if (a.distance != b.distance)
      return a.distance < b.distance;
    return a.bound != b.bound ? a.bound > b.bound : graph_.comes_before(a.anchor, b.anchor);
  });
}

std::vector<SiteExplanation> SiteFinder::without_overlap(std::vector<SiteExplanation> found) const {
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

}  // namespace tandem
