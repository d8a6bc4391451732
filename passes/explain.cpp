#include <tandem/passes/explain.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/explain_missed.h>
#include <tandem/passes/explain_replay.h>
#include <tandem/passes/meetings.h>
#include <tandem/passes/pattern/draw.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/similar_ops.h>

namespace tandem {

namespace {

class Explainer {
 public:
  Explainer(const Graph& graph, std::string_view fusion, const PassConfig& config, const Capabilities& capabilities,
            const ExplainRequest& request)
      : graph_(graph),
        config_(config),
        capabilities_(capabilities),
        request_(request),
        fusions_(*request.fusions),
        set_(fusions_.compiled()),
        pattern_(find_pattern(fusion)) {}

  FusionExplanation run() {
    const Pattern& p = set_.patterns[pattern_];
    out_.fusion = p.name;
    out_.doc = p.doc;
    out_.span = p.span;
    out_.pass = fusions_.pass_of(pattern_);
    out_.graph = graph_.name();
    out_.target = capabilities_.target();
    meet();
    ask_gates();
    for (std::size_t i = 0; i < meetings_.size(); ++i)
      replay_meeting(i);
    const Meeting& last = meetings_.back();
    out_.runs = meetings_.size();
    out_.pipeline = last.passes_before;
    out_.nodes = last.graph.num_nodes();
    find_absent(last.graph);
    out_.num_fired = out_.fired.size();
    out_.num_lost = out_.lost.size();
    out_.num_would_fire = out_.would_fire.size();
    const Verdict of_all = verdict();  // `at` leaves one node's part
    if (request_.at.empty()) {
      add_missed(missed_sites(set_, alone_ends_, pattern_, bits_, matched_));
    } else {
      answer_at();
    }
    out_.verdict = out_.num_fired + out_.num_lost != 0 ? of_all : verdict();
    return std::move(out_);
  }

 private:
  using Verdict = FusionExplanation::Verdict;

  std::uint32_t find_pattern(std::string_view name) const {
    std::vector<std::string_view> names;
    for (std::uint32_t i = 0; i < set_.patterns.size(); ++i) {
      if (set_.patterns[i].name == name)
        return i;
      names.push_back(set_.patterns[i].name);
    }
    throw Error("explain.unknown-fusion", fmt::format("there is no fusion '{}'{}", name, did_you_mean(name, names)),
                "'tandem list fusions' shows all of them; --fusions FILE adds those of a file");
  }

  /// Runs the pipeline, and remembers after which pass the node that was asked for is gone.
  void meet() {
    meetings_ = meetings_with_fusions(
        graph_, config_, capabilities_, fusions_, fusions_.pass_of(pattern_), request_.passes, [&](const PassRun& r) {
          if (!request_.at.empty() && removed_by_.empty() && !find_node(r.graph, request_.at))
            removed_by_ = r.pass.name;
        });
  }

  void ask_gates() {
    for (std::uint32_t i = 0; i < set_.patterns.size(); ++i) {
      if (fusions_.pass_of(i) != out_.pass)
        continue;
      const GateAnswer answer = decide(fusions_.gate_request(i), config_, capabilities_);
      if (answer.on)
        active_.push_back({i, answer.dtype_bits()});
      if (i != pattern_)
        continue;
      out_.on = answer.on;
      out_.rule = answer.rule;
      out_.notes = answer.notes;
      if (answer.on)
        bits_ = answer.dtype_bits();
    }
  }

  // --- what the engine did ---------------------------------------------------------------------------------------

  void replay_meeting(std::size_t i) {
    const Graph& met = meetings_[i].graph;
    const ValueNames names(met);
    auto after = std::make_unique<Graph>(met);
    std::vector<RewrittenSite> done = replay(set_, *after, active_);
    auto alone_after = std::make_unique<Graph>(met);
    CreatedNodes own = own_;
    const std::vector<RewrittenSite> alone = replay_alone(set_, *alone_after, {pattern_, bits_}, own);
    for (const RewrittenSite& d : alone)
      matched_.add(d.matched);
    for (const RewrittenSite& d : done) {
      if (d.pattern == pattern_)
        own_.add(d.created);
    }
    if (out_.on) {
      const ValueNames names_after(*after);
      for (const RewrittenSite& d : done) {
        if (d.pattern == pattern_)
          out_.fired.push_back({i + 1, draw_done(met, names, d), draw_nodes(*after, names_after, d.created)});
      }
      for (const RewrittenSite& d : alone)
        add_if_lost(i, d, done, names);
    } else {
      for (const RewrittenSite& d : alone) {
        if (!would_have_gone(d))
          out_.would_fire.push_back(draw(met, names, d.matched));
      }
    }
    done_.push_back(std::move(done));
    ends_.push_back(out_.on ? std::move(*after) : *alone_after);
    alone_ends_.push_back({std::move(*alone_after), std::move(own)});
  }

  /// Every run meets a site again, perhaps in another form: whether an earlier run would have removed some of it. If
  /// not, it is remembered.
  bool would_have_gone(const RewrittenSite& site) {
    bool gone = false;
    for (const Node n : site.matched) {
      if (std::find(site.removed.begin(), site.removed.end(), n.index) != site.removed.end())
        gone = !would_remove_.emplace(n.index, n.generation).second || gone;
    }
    return gone;
  }

  void add_if_lost(std::size_t i, const RewrittenSite& site, const std::vector<RewrittenSite>& done,
                   const ValueNames& names) {
    const RewrittenSite* winner = nullptr;
    for (const RewrittenSite& d : done) {
      if (!d.of_graph || !shares_removed(site, d))
        continue;
      if (d.pattern == pattern_)
        return;
      winner = winner == nullptr ? &d : winner;
    }
    if (winner != nullptr)
      out_.lost.push_back({i + 1, set_.patterns[winner->pattern].name, draw(meetings_[i].graph, names, site.matched)});
  }

  // --- what is in the way ----------------------------------------------------------------------------------------

  bool is_lacking(OpId op) const {
    return std::all_of(meetings_.begin(), meetings_.end(), [&](const Meeting& m) { return m.graph.count(op) == 0; });
  }

  void find_absent(const Graph& graph) {
    std::map<std::uint16_t, std::size_t> lacking;  // by op: in how many variants it is wanted and absent
    std::map<std::uint16_t, Span> spans;
    std::size_t variants = 0;
    for (const CompiledVariant& v : set_.variants) {
      if (v.fusion != pattern_)
        continue;
      ++variants;
      std::set<std::uint16_t> ops;
      for (const PatternNode& n : v.nodes) {
        if (is_lacking(n.op) && ops.insert(n.op.index).second) {
          ++lacking[n.op.index];
          spans.emplace(n.op.index, n.source->span);
        }
      }
    }
    const ValueNames names(graph);
    for (const auto& [op, count] : lacking) {
      if (count != variants)
        continue;
      const std::string& name = set_.context->op(OpId{op}).name;
      out_.absent.push_back({name, spans[op], similar_ops(graph, names, name)});
    }
  }

  void add_missed(std::vector<MissedSite> all) {
    for (std::size_t run = 0; run < alone_ends_.size(); ++run) {
      std::vector<SiteExplanation> sites;
      for (MissedSite& m : all) {
        if (m.run == run)
          sites.push_back(std::move(m.site));
      }
      add_missed(sites, alone_ends_[run].graph, run);
    }
    std::stable_sort(out_.missed.begin(), out_.missed.end(),
                     [](const auto& a, const auto& b) { return a.distance < b.distance; });
  }

  void add_missed(const std::vector<SiteExplanation>& sites, const Graph& graph, std::size_t run) {
    const ValueNames names(graph);
    for (const SiteGroup& group : group_sites(sites)) {
      const SiteExplanation& first = sites[group.sites.front()];
      FusionExplanation::Missed& missed = out_.missed.emplace_back();
      missed.run = run + 1;
      missed.distance = first.distance;
      missed.unreached = first.unreached;
      missed.failures = first.failures;
      missed.example = draw(graph, names, first.nodes, &first);
      for (const std::size_t i : group.sites) {
        missed.sites.push_back(draw(graph, names, sites[i].nodes));
        missed.sites.back().lines.clear();
      }
    }
  }

  /// As the run met it; a site that an earlier rewrite of the same run made is in no graph that is kept.
  static DrawnSite draw_done(const Graph& met, const ValueNames& names, const RewrittenSite& d) {
    if (d.of_graph)
      return draw(met, names, d.matched);
    DrawnSite site;
    site.name = "what an earlier rewrite made";
    return site;
  }

  static DrawnSite draw(const Graph& graph, const ValueNames& names, const std::vector<Node>& nodes,
                        const SiteExplanation* explained = nullptr) {
    DrawnSite site;
    std::vector<Node> all = nodes;
    std::vector<Mark> marks;
    if (explained != nullptr) {
      all.insert(all.end(), explained->between.begin(), explained->between.end());
      for (const FailedPredicate& f : explained->failures)
        marks.insert(marks.end(), f.marks.begin(), f.marks.end());
    }
    for (const Node n : nodes) {
      if (!n || !graph.is_live(n))
        continue;
      // A site is called by what it computes: the last of its nodes.
      if (graph.num_results(n) != 0)
        site.name = "%" + std::string(names[graph.result(n, 0)]);
      if (!graph.scope(n).empty())
        site.scope = graph.scope(n).view();
    }
    site.lines = draw_nodes(graph, names, std::move(all), marks);
    return site;
  }

  // --- one node --------------------------------------------------------------------------------------------------

  struct Found {
    std::size_t meeting;
    Node node;
  };

  /// Whether a rewrite of that run concerns the node: of this fusion, or one that removed it.
  bool is_done(std::size_t meeting, Node node) const {
    return std::any_of(done_[meeting].begin(), done_[meeting].end(), [&](const RewrittenSite& d) {
      return d.of_graph &&
             (d.pattern == pattern_ ? std::find(d.matched.begin(), d.matched.end(), node) != d.matched.end()
                                    : std::find(d.removed.begin(), d.removed.end(), node.index) != d.removed.end());
    });
  }

  Found find_asked() const {
    // What replaces a value takes its name: the first run that rewrote the node is meant, not what came of it.
    for (std::size_t i = 0; i < meetings_.size(); ++i) {
      const Node n = find_named_node(meetings_[i].graph, request_.at);
      if (n && is_done(i, n))
        return {i, n};
    }
    for (std::size_t i = meetings_.size(); i-- != 0;) {
      if (const Node n = find_node(meetings_[i].graph, request_.at))
        return {i, n};
    }
    Diagnostic d = unknown_node(meetings_.back().graph, "explain.unknown-node", request_.at);
    if (find_node(graph_, request_.at)) {
      d.message = fmt::format("'{}' is gone when the fusion looks: pass '{}' removed it", request_.at, removed_by_);
      d.help =
          fmt::format("'tandem opt --passes {}' gives the graph that the fusion meets", meetings_.back().passes_before);
    }
    throw Error(std::move(d));
  }

  void answer_at() {
    const auto [meeting, node] = find_asked();
    const Graph& met = meetings_[meeting].graph;
    const ValueNames names(met);
    out_.at = draw_node(met, names, node);
    out_.fired.clear();
    out_.lost.clear();
    out_.would_fire.clear();
    for (const RewrittenSite& d : done_[meeting]) {
      const bool matched = d.of_graph && std::find(d.matched.begin(), d.matched.end(), node) != d.matched.end();
      if (d.pattern == pattern_ && matched) {
        out_.fired.push_back(
            {meeting + 1, draw_done(met, names, d), draw_nodes(ends_[meeting], ValueNames(ends_[meeting]), d.created)});
        out_.at_answer = "it is part of a site that was rewritten";
        return;
      }
      if (d.of_graph && std::find(d.removed.begin(), d.removed.end(), node.index) != d.removed.end()) {
        out_.at_answer = fmt::format("fusion '{}' took it first", set_.patterns[d.pattern].name);
        out_.lost.push_back({meeting + 1, set_.patterns[d.pattern].name, draw_done(met, names, d)});
      }
    }
    const bool is_there = ends_[meeting].is_live(node);
    const Graph& graph = out_.on && is_there ? ends_[meeting] : met;
    const SiteExplanation site = explain_at(set_, graph, pattern_, node, {.kernel_dtypes = bits_});
    if (site.nodes.empty()) {
      out_.at_answer += fmt::format("{}it fits no node of the pattern, which has no {}",
                                    out_.at_answer.empty() ? "" : "; ", met.def(node).name);
      return;
    }
    if (site.failures.empty()) {
      if (out_.at_answer.empty())
        out_.at_answer = out_.on ? "it is part of a site that matches" : "it would be rewritten if the fusion were on";
      out_.would_fire.push_back(draw(graph, ValueNames(graph), site.nodes));
      return;
    }
    if (out_.at_answer.empty())
      out_.at_answer = "it is not rewritten; the nearest reading has this in the way";
    add_missed({site}, graph, meeting);
  }

  Verdict verdict() const {
    if (!out_.fired.empty())
      return Verdict::fired;
    if (!out_.on)
      return Verdict::off;
    if (!out_.lost.empty())
      return Verdict::lost;
    return out_.missed.empty() ? Verdict::no_candidates : Verdict::near_misses;
  }

  const Graph& graph_;
  const PassConfig& config_;
  const Capabilities& capabilities_;
  const ExplainRequest& request_;
  const FusionSet& fusions_;
  const CompiledSet& set_;
  std::uint32_t pattern_;
  FusionExplanation out_;
  std::uint32_t bits_ = ~std::uint32_t{0};
  std::vector<ActivePattern> active_;
  std::vector<Meeting> meetings_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> would_remove_;  // nodes of the sites told of
  std::vector<std::vector<RewrittenSite>> done_;                    // by meeting
  std::vector<Graph> ends_;                                         // by meeting: what the run left
  std::vector<RunEnd> alone_ends_;  // by meeting: what the run leaves of this pattern alone, where misses are sought
  CreatedNodes own_;                // what the pattern made, in the runs so far
  CreatedNodes matched_;            // nodes of its sites
  std::string removed_by_;
};

}  // namespace

FusionExplanation explain_fusion(const Graph& graph, std::string_view fusion, const PassConfig& config,
                                 const Capabilities& capabilities, const ExplainRequest& request) {
  if (request.fusions == nullptr)
    throw Error("explain.unknown-fusion", fmt::format("there is no fusion '{}': none are loaded", fusion));
  return Explainer(graph, fusion, config, capabilities, request).run();
}

}  // namespace tandem
