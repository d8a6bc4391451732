#include <tandem/passes/pattern/engine.h>

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/match_record.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/rewriter.h>

namespace tandem {

namespace {

/// How many matches of one variant at one anchor are kept before the first of them is rewritten.
constexpr std::size_t max_hits_at_anchor = 16;

/// A site that was found: where, and by which variant.
struct Hit {
  std::uint32_t variant;
  Node anchor;
  std::uint64_t order;  // of the anchor, when it was found
  std::size_t record;   // what was bound
  bool contested;       // shares a node with another hit, or depends on more than its nodes
};

class Engine {
 public:
  Engine(const CompiledSet& set, Graph& graph, std::span<const ActivePattern> active, const SiteObserver& observer)
      : set_(set),
        graph_(graph),
        observer_(observer),
        matcher_(set, graph),
        rewriter_(set, graph),
        limit_(16 * graph.num_nodes() + 1024) {
    result_.fusions.resize(set.patterns.size());
    std::vector<bool> wanted(set.patterns.size(), false);
    for (const ActivePattern& a : active) {
      wanted[a.pattern] = true;
      rewriter_.admit(a.pattern, a.kernel_dtypes);
    }
    for (std::uint32_t v = 0; v < set.variants.size(); ++v) {
      if (wanted[set.variants[v].fusion])
        variants_.push_back(v);
    }
    rank_variants();
  }

  EngineResult run() {
    matcher_.activate(variants_);
    for (const Matcher::Anchor& anchor : matcher_.anchors()) {
      for (Node n = graph_.first_of(anchor.op); n; n = graph_.next_of_same_op(n))
        find_at(anchor, n);
    }
    count_candidates();
    rewrite_hits();
    while (!seeds_.empty() || !released_.empty()) {
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
  // Priority: benefit, then the larger pattern (a superset is larger), then declaration.
  void rank_variants() {
    rank_.resize(set_.variants.size());
    std::vector<std::uint32_t> order(set_.variants.size());
    std::iota(order.begin(), order.end(), 0U);
    std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      const CompiledVariant &x = set_.variants[a], &y = set_.variants[b];
      const int bx = set_.patterns[x.fusion].benefit, by = set_.patterns[y.fusion].benefit;
      return bx != by ? bx > by : x.nodes.size() > y.nodes.size();
    });
    for (std::uint32_t i = 0; i < order.size(); ++i)
      rank_[order[i]] = i;
  }

  void find_at(const Matcher::Anchor& anchor, Node node) {
    anchor_ = node;
    matcher_.match_at(
        anchor, node,
        [](void* self, std::uint32_t variant, const MatchState& state) {
          auto* engine = static_cast<Engine*>(self);
          return engine->add_hit(variant, state);
        },
        this);
  }

  /// Two matches that share no node do not touch each other: what is inner to one has no users outside it. A guard or a
  /// negative part may look further, so those matches are tested again before they are rewritten.
  /// True when there are enough hits of this variant at this anchor: the rest is found when these are rewritten.
  bool add_hit(std::uint32_t variant, const MatchState& state) {
    const CompiledVariant& v = set_.variants[variant];
    const auto index = static_cast<std::uint32_t>(hits_.size());
    bool contested = v.looks_further;
    if (claimed_by_.size() < graph_.node_capacity())
      claimed_by_.resize(graph_.node_capacity(), no_index);
    for (std::size_t i = 0; i < v.nodes.size(); ++i) {
      std::uint32_t& claim = claimed_by_[state.nodes[i]];
      if (claim != no_index && claim != index) {
        hits_[claim].contested = true;
        contested = true;
      }
      claim = index;
    }
    hits_.push_back({variant, anchor_, graph_.order(anchor_), records_.add(v, state), contested});
    if (hits_.size() < max_hits_at_anchor)
      return false;
    const Hit& earlier = hits_[hits_.size() - max_hits_at_anchor];
    if (earlier.anchor != anchor_ || earlier.variant != variant)
      return false;
    seeds_.push_back(anchor_);
    return true;
  }

  void count_candidates() {
    for (const std::uint32_t v : variants_) {
      if (!matcher_.is_active(v))
        continue;
      auto& candidates = result_.fusions[set_.variants[v].fusion].candidates;
      candidates = std::max(candidates, graph_.count(matcher_.plan_of(v).anchor));
    }
  }

  void rewrite_hits() {
    auto before = [&](const Hit& a, const Hit& b) {
      return rank_[a.variant] != rank_[b.variant] ? rank_[a.variant] < rank_[b.variant] : a.order < b.order;
    };
    if (!std::is_sorted(hits_.begin(), hits_.end(), before))
      std::sort(hits_.begin(), hits_.end(), before);
    claimed_by_.clear();
    for (const Hit& hit : hits_)
      rewrite_hit(hit);
    hits_.clear();
    records_.clear();
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
    if (!hit.contested) {
      matched = true;
      records_.load(hit.record, variant, state_);
      try_rewrite(attempt, state_);
    }
    if (!attempt.done) {
      // Perhaps changed by an earlier rewrite, or not legal as it was found: look for another way to match here.
      matched |= matcher_.match_plan(
          hit.variant, hit.anchor,
          [](void* user, std::uint32_t, const MatchState& state) {
            auto* a = static_cast<Attempt*>(user);
            return a->engine->try_rewrite(*a, state);
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

  bool try_rewrite(Attempt& a, const MatchState& state) {
    if (observer_)
      note_matched(a, state);
    a.done = rewriter_.rewrite(*a.variant, *a.plan, state);
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
      event.removed = rewriter_.removed_indices();
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
    if (++rewrites_ > limit_) {
      throw Error("pattern.non-terminating",
                  fmt::format("the rewrites do not come to an end: stopped after {}, the last by fusion '{}'",
                              rewrites_, set_.patterns[variant.fusion].name),
                  "make sure that what a fusion creates is not matched again by itself or by another");
    }
    for (Node n : rewriter_.created()) {
      if (set_.interesting_ops[graph_.op(n).index])
        seeds_.push_back(n);
    }
    const auto& released = rewriter_.released();
    released_.insert(released_.end(), released.begin(), released.end());
    if (several_patterns()) {
      taken_by_.resize(graph_.node_capacity(), no_index);
      for (const std::uint32_t i : rewriter_.removed_indices())
        taken_by_[i] = static_cast<std::uint32_t>(variant.fusion);
    }
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
    std::vector<Node> frontier = std::move(seeds_), next;
    seeds_.clear();
    std::vector<std::uint32_t> seen(graph_.node_capacity(), 0);
    std::vector<Node> reached;
    auto visit = [&](Node n) {
      if (!n || n == graph_.return_node() || !graph_.is_live(n) || seen[n.index] != 0)
        return;
      seen[n.index] = 1;
      reached.push_back(n);
      next.push_back(n);
    };
    // A constant that every layer shares has many users, each of which leads back to it: they are visited once.
    std::vector<bool> spread(graph_.value_capacity());
    auto visit_users = [&](Value v) {
      if (spread[v.index])
        return;
      spread[v.index] = true;
      for (const Use use : graph_.uses(v))
        visit(use.user);
    };
    for (Node n : frontier)
      visit(n);
    for (Value v : released_) {
      if (!graph_.is_live(v))
        continue;
      visit(graph_.def_node(v));
      visit_users(v);
    }
    released_.clear();
    for (std::size_t depth = 0; depth < set_.diameter && !next.empty(); ++depth) {
      frontier = std::move(next);
      next.clear();
      for (Node n : frontier) {
        for (std::size_t i = 0; i < graph_.num_operands(n); ++i) {
          const Value v = graph_.operand(n, i);
          visit(graph_.def_node(v));
          visit_users(v);
        }
        for (std::size_t i = 0; i < graph_.num_results(n); ++i)
          visit_users(graph_.result(n, i));
      }
    }
    std::sort(reached.begin(), reached.end(), [&](Node a, Node b) { return graph_.comes_before(a, b); });
    for (const Matcher::Anchor& anchor : matcher_.anchors()) {
      for (Node n : reached) {
        if (graph_.op(n) == anchor.op)
          find_at(anchor, n);
      }
    }
  }

  const CompiledSet& set_;
  Graph& graph_;
  const SiteObserver& observer_;
  Matcher matcher_;
  Rewriter rewriter_;
  std::size_t limit_;
  std::size_t rewrites_ = 0;
  std::vector<std::uint32_t> variants_;
  std::vector<std::uint32_t> rank_;
  std::vector<Hit> hits_;
  MatchRecords records_;
  MatchState state_;
  std::vector<std::uint32_t> claimed_by_;  // by node index: the hit that bound it last
  std::vector<Node> seeds_;
  std::vector<Value> released_;          // lost a reader: what else reads them may match now
  std::vector<std::uint32_t> taken_by_;  // by node index: the pattern that removed it
  const CompiledVariant* last_ = nullptr;
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
