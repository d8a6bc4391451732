#include <tandem/passes/pattern/engine.h>

#include <algorithm>
#include <array>
#include <optional>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/claims.h>
#include <tandem/passes/pattern/match_record.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/prefetch.h>
#include <tandem/passes/pattern/rewrite_trail.h>
#include <tandem/passes/pattern/rewriter.h>
#include <tandem/passes/pattern/surroundings.h>

namespace tandem {

namespace {

/// How many matches of one variant at one anchor are kept before the first of them is rewritten.
constexpr std::size_t max_hits_at_anchor = 16;

// Where the graph is larger than this its parts are asked for ahead of their use: it does not fit the caches.
constexpr std::size_t prefetch_from_nodes = 4096;

/// A site that was found: where, and by which variant.
struct Hit {
  std::uint64_t order;  // of the anchor, when it was found
  std::uint32_t variant;
  std::uint32_t record;  // what was bound
  Node anchor;
};

class Engine {
 public:
  Engine(const CompiledSet& set, Graph& graph, std::span<const ActivePattern> active, const SiteObserver& observer)
      : set_(set),
        graph_(graph),
        observer_(observer),
        matcher_(set, graph),
        rewriter_(set, graph),
        surroundings_(graph),
        suspicious_(graph.num_nodes() + 64),
        limit_(16 * graph.num_nodes() + 1024) {
    result_.fusions.resize(set.patterns.size());
    std::vector<bool> wanted(set.patterns.size(), false);
    for (const ActivePattern& a : active) {
      wanted[a.pattern] = true;
      rewriter_.admit(a.pattern, a.kernel_dtypes);
    }
    variants_.reserve(set.variants.size());
    for (std::uint32_t v = 0; v < set.variants.size(); ++v) {
      if (wanted[set.variants[v].fusion])
        variants_.push_back(v);
    }
  }

  EngineResult run() {
    matcher_.activate(variants_);
    count_candidates();
    find_everywhere();
    rewrite_hits();
    while (!seeds_.empty() || !released_.empty()) {
      forget_hits();
      matcher_.activate(variants_);  // what is rare may have changed
      find_around_seeds();
      rewrite_hits();
    }
    if (matcher_.exhausted()) {
      result_.notes.push_back("some sites have so many possible matches that not all were tried");
    }
    return std::move(result_);
  }

 private:
  void find_everywhere() {
    std::size_t anchors = 0;
    for (const Matcher::Anchor& anchor : matcher_.anchors())
      anchors += graph_.count(anchor.op);
    claims_.reach(graph_.node_capacity());
    hits_.reserve(anchors);
    records_.reserve(anchors);
    for (const Matcher::Anchor& anchor : matcher_.anchors()) {
      const GraphView& view = matcher_.view();
      const Node first = graph_.first_of(anchor.op);
      std::optional<AnchorsAhead> ahead;
      if (graph_.num_nodes() >= prefetch_from_nodes)
        ahead.emplace(view, first.index);
      for (std::uint32_t n = first.index; n != no_index; n = view.next_of_same_op(n)) {
        if (ahead)
          ahead->advance();
        find_at(anchor, n);
      }
    }
  }

  void find_at(const Matcher::Anchor& anchor, std::uint32_t node) {
    anchor_ = matcher_.view().node(node);
    matcher_.match_at(
        anchor, node,
        [](void* self, std::uint32_t variant, const MatchState& state) {
          auto* engine = static_cast<Engine*>(self);
          return engine->add_hit(variant, state);
        },
        this);
  }

  /// Two matches that share no node do not touch each other: what is inner to one has no users outside it. Guards and
  /// negative parts may look further, so those are tested again before the rewrite where they may have changed.
  /// True when there are enough hits of this variant at this anchor: the rest is found when these are rewritten.
  bool add_hit(std::uint32_t variant, const MatchState& state) {
    const CompiledVariant& v = set_.variants[variant];
    claims_.add(std::span(state.nodes).first(v.nodes.size()));
    hits_.push_back({matcher_.view().order(anchor_.index), variant, records_.add(variant, v, state), anchor_});
    if (hits_.size() < max_hits_at_anchor)
      return false;
    const Hit& earlier = hits_[hits_.size() - max_hits_at_anchor];
    if (earlier.anchor != anchor_ || earlier.variant != variant)
      return false;
    seeds_.push_back(anchor_);
    return true;
  }

  /// Before another round.
  void forget_hits() {
    for (std::size_t i = 0; i < hits_.size(); ++i)
      claims_.remove(nodes_of_hit(i));
    claims_.none_left();
    hits_.clear();
    records_.clear();
    loaded_ = {};
    hindering_ = false;
  }

  void count_candidates() {
    for (const std::uint32_t v : matcher_.active()) {
      auto& candidates = result_.fusions[set_.variants[v].fusion].candidates;
      candidates = std::max(candidates, graph_.count(matcher_.plan_of(v).anchor));
    }
  }

  void rewrite_hits() {
    const GraphView view(graph_);
    auto before = [&](const Hit& a, const Hit& b) {
      const std::uint32_t x = set_.ranks[a.variant], y = set_.ranks[b.variant];
      if (x != y)
        return x < y;
      return a.order != b.order ? a.order < b.order : stands_before(view, a, b);
    };
    if (!std::is_sorted(hits_.begin(), hits_.end(), before))
      std::stable_sort(hits_.begin(), hits_.end(), before);
    const bool ahead = graph_.num_nodes() >= prefetch_from_nodes;
    for (std::size_t i = 0; i < hits_.size(); ++i) {
      if (ahead)
        prefetch_sites(GraphView(graph_), [&](std::size_t distance) { return nodes_of_hit(i + distance); });
      rewrite_hit(hits_[i]);
    }
  }

  /// Of two matches of one variant at one anchor: the one whose nodes come first in the graph.
  bool stands_before(const GraphView& view, const Hit& a, const Hit& b) const {
    const CompiledVariant& v = set_.variants[a.variant];
    const auto x = records_.nodes(a.record, v), y = records_.nodes(b.record, v);
    return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end(), [&](std::uint32_t m, std::uint32_t n) {
      return view.order(m) < view.order(n);
    });
  }

  /// The nodes of hit `i`, if there is one.
  std::span<const std::uint32_t> nodes_of_hit(std::size_t i) const {
    if (i >= hits_.size())
      return {};
    return records_.nodes(hits_[i].record, set_.variants[hits_[i].variant]);
  }

  void rewrite_hit(const Hit& hit) {
    const CompiledVariant& variant = set_.variants[hit.variant];
    FusionStatistics& statistics = result_.fusions[variant.fusion];
    if (!graph_.is_live(hit.anchor)) {
      lost(statistics, variant, hit.anchor.index);
      return;
    }
    Attempt attempt{this, &variant, &matcher_.plan_of(hit.variant), false, {}};
    bool matched = false;
    if (!claims_.are_contested(records_.nodes(hit.record, variant))) {
      const bool like_last = records_.load(hit.record, hit.variant, variant, state_, loaded_);
      const bool in_doubt = variant.has_guards || (variant.has_negative_parts && hindering_);
      matched = !in_doubt || matcher_.still_holds(hit.variant, state_);
      if (matched)
        try_rewrite(attempt, state_, like_last);
    }
    if (!attempt.done) {
      // Perhaps changed by an earlier rewrite, or not legal as it was found: look for another way to match here.
      loaded_ = {};
      matched |= matcher_.match_plan(
          hit.variant, hit.anchor,
          [](void* user, std::uint32_t, const MatchState& state) {
            auto* a = static_cast<Attempt*>(user);
            return a->engine->try_rewrite(*a, state, false);
          },
          &attempt);
    }
    if (attempt.done) {
      record(statistics, variant);
    } else if (!attempt.refusal.empty()) {
      ++statistics.refusals[attempt.refusal];
    } else if (!matched) {
      lost(statistics, variant, hit.anchor.index);
    }
  }

  struct Attempt {
    Engine* engine;
    const CompiledVariant* variant;
    const MatchPlan* plan;
    bool done;
    std::string refusal;
  };

  /// `like_last`: the rewriter's last site was of the same variant and bound the same, nodes apart.
  bool try_rewrite(Attempt& a, const MatchState& state, bool like_last) {
    if (observer_)
      note_matched(a, state);
    if (trail_)
      trail_->matched(std::span(state.nodes).first(a.variant->nodes.size()));
    a.done = rewriter_.rewrite(*a.variant, *a.plan, state, like_last);
    if (observer_)
      tell(a);
    if (!a.done && a.refusal.empty())
      a.refusal = rewriter_.refusal();
    return a.done;
  }

  void note_matched(const Attempt& a, const MatchState& state) {
    matched_.clear();
    for (std::size_t i = 0; i < a.variant->nodes.size(); ++i)
      matched_.push_back(GraphView(graph_).node(state.nodes[a.plan->registers[i]]));
  }

  void tell(const Attempt& a) const {
    SiteEvent event;
    event.rewritten = a.done;
    event.pattern = static_cast<std::uint32_t>(a.variant->fusion);
    event.variant = static_cast<std::uint32_t>(a.variant - set_.variants.data());
    event.matched = matched_;
    if (a.done) {
      event.created = rewriter_.created();
      event.removed = rewriter_.erased();
    } else {
      event.refusal = rewriter_.refusal_kind();
      event.reason = rewriter_.refusal();
    }
    observer_(event);
  }

  void record(FusionStatistics& statistics, const CompiledVariant& variant) {
    ++statistics.matches;
    result_.changed = true;
    last_ = &variant;
    hindering_ |= variant.may_hinder;
    if (++rewrites_ > suspicious_)
      follow(variant);
    for (const Node n : rewriter_.created()) {
      if (set_.interesting_ops[graph_.op(n).index])
        seeds_.push_back(n);
    }
    const auto& released = rewriter_.released();
    if (!released.empty())
      released_.insert(released_.end(), released.begin(), released.end());
    if (several_patterns()) {
      taken_by_.resize(graph_.node_capacity(), no_index);
      for (const std::uint32_t i : rewriter_.erased())
        taken_by_[i] = static_cast<std::uint32_t>(variant.fusion);
    }
  }

  /// More rewrites than there were nodes: from here on it is noted who matches what whom made.
  void follow(const CompiledVariant& variant) {
    if (!trail_)
      trail_.emplace(set_, graph_);
    trail_->rewritten(variant.fusion, rewriter_.created());
    if (rewrites_ > limit_)
      throw Error(trail_->endless(rewrites_));
  }

  bool several_patterns() const { return set_.patterns.size() > 1; }

  void lost(FusionStatistics& statistics, const CompiledVariant& variant, std::uint32_t anchor_index) {
    const CompiledVariant* winner = last_;
    if (anchor_index < taken_by_.size() && taken_by_[anchor_index] != no_index) {
      const std::uint32_t fusion = taken_by_[anchor_index];
      if (fusion != variant.fusion)
        ++statistics.lost_to[set_.patterns[fusion].name];
      return;
    }
    if (winner != nullptr && winner->fusion != variant.fusion)
      ++statistics.lost_to[set_.patterns[winner->fusion].name];
  }

  /// Nodes within reach of a change are tried again: as far as the largest pattern is wide.
  void find_around_seeds() {
    claims_.reach(graph_.node_capacity());
    const std::vector<Node> reached = surroundings_.of(seeds_, released_, set_.diameter);
    seeds_.clear();
    released_.clear();
    for (const Matcher::Anchor& anchor : matcher_.anchors()) {
      for (Node n : reached) {
        if (graph_.op(n) == anchor.op)
          find_at(anchor, n.index);
      }
    }
  }

  const CompiledSet& set_;
  Graph& graph_;
  const SiteObserver& observer_;
  Matcher matcher_;
  Rewriter rewriter_;
  Surroundings surroundings_;
  std::size_t suspicious_;
  std::size_t limit_;
  std::size_t rewrites_ = 0;
  std::optional<RewriteTrail> trail_;  // once there were more than `suspicious_`
  std::vector<std::uint32_t> variants_;
  GrowingArray<Hit> hits_;
  MatchRecords records_;
  MatchState state_;
  MatchRecords::Loaded loaded_;  // what `state_` holds
  Claims claims_;                // of the hits of this round
  std::vector<Node> seeds_;
  std::vector<Value> released_;          // lost a reader: what else reads them may match now
  std::vector<std::uint32_t> taken_by_;  // by node index: the pattern that removed it
  const CompiledVariant* last_ = nullptr;
  bool hindering_ = false;  // a rewrite of this round may have made a negative part match
  Node anchor_;
  std::vector<Node> matched_;  // of the site at hand, for the observer
  EngineResult result_;
};

}  // namespace

EngineResult run_patterns(const CompiledSet& set, Graph& graph, std::span<const ActivePattern> active,
                          const SiteObserver& observer) {
  return Engine(set, graph, active, observer).run();
}

EngineResult run_patterns(const CompiledSet& set, Graph& graph) {
  std::vector<ActivePattern> all(set.patterns.size());
  for (std::uint32_t i = 0; i < all.size(); ++i)
    all[i].pattern = i;
  return run_patterns(set, graph, all);
}

}  // namespace tandem
