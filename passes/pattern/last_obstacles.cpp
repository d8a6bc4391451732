#include <tandem/passes/pattern/last_obstacles.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/created_nodes.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/soft_check.h>

namespace tandem {

namespace {

struct TriedSite {
  bool rewritten;
  std::uint32_t variant;
  std::vector<Node> matched;
  Refusal refusal;
  std::string reason;
};

std::vector<TriedSite> try_alone(const CompiledSet& set, const Graph& graph, std::uint32_t pattern,
                                 std::uint32_t kernel_dtypes) {
  std::vector<TriedSite> tried;
  Graph copy = graph;
  const ActivePattern only[] = {{pattern, kernel_dtypes}};
  struct Enough {};
  CreatedNodes created;
  std::size_t again = 0;  // sites that rewrites made: a pattern that matches what it makes has no end of them
  try {
    run_patterns(set, copy, only, [&](const SiteEvent& e) {
      const bool of_graph = !created.has_any_of(e.matched);
      created.add(e.created);
      if (of_graph)
        tried.push_back(
            {e.rewritten, e.variant, {e.matched.begin(), e.matched.end()}, e.refusal, std::string(e.reason)});
      else if (++again > graph.num_nodes() + 16)
        throw Enough();
    });
  } catch (const Enough&) {
  } catch (const Error&) {
    // Rewrites without an end are the pipeline's to report; what was tried until then is known.
  }
  return tried;
}

/// The text without the names of values, which differ from site to site.
std::string without_names(const std::string& text) {
  std::string out;
  bool in_name = false;
  for (const char c : text) {
    in_name = c == '%' || (in_name && c != ' ' && c != ',' && c != ':');
    if (!in_name || c == '%')
      out += c;
  }
  return out;
}

class LastObstacles {
 public:
  LastObstacles(const CompiledSet& set, const Graph& graph, const ValueNames& names, SiteExplanation& site)
      : graph_(graph), names_(names), v_(set.variants[site.variant]), site_(site) {}

  void refuse(Refusal kind, const std::string& reason) {
    FailedPredicate f;
    f.found = reason;
    f.detail = without_names(reason);
    f.span = v_.source.pattern.span;
    if (!v_.rewrite.empty())
      f.span = v_.rewrite.front().span;
    switch (kind) {
      case Refusal::effects:
        f.cause = Cause::effects;
        f.predicate = "what goes away, or moves, has no effects";
        f.in_pattern = "keep the node that has effects";
        break;
      case Refusal::kernel_dtype:
        f.cause = Cause::kernel_dtype;
        f.predicate = "the target has a kernel for the dtype";
        f.in_graph = "another dtype, or another --target";
        break;
      case Refusal::types:
        f.cause = Cause::types;
        f.predicate = "each new value has the type of the one that it replaces";
        f.in_pattern = "correct the new node, or demand by types what makes them equal";
        mark_replaced(f, Mark::Part::type);
        break;
      case Refusal::not_convex:
        f.cause = Cause::not_convex;
        f.predicate = "nothing that the new nodes read depends on what they replace";
        f.in_graph = "compute the operands before the first of the replaced values is used";
        f.in_pattern = "nothing: one node cannot both wait for a value and give it";
        mark_dependence(f);
        break;
      default:
        f.cause = Cause::refused;
        f.predicate = "the rewrite is possible here";
        f.in_pattern = "say in the match, by types or 'where', what makes it possible: then it is a condition";
        mark_replaced(f, Mark::Part::result);
        break;
    }
    add(std::move(f));
  }

  /// A negative part is there: `nodes` are those of the graph that it matches.
  void exclude(const Clause& clause, const std::vector<Node>& nodes) {
    FailedPredicate f;
    f.cause = Cause::unless;
    f.span = clause.span;
    f.predicate = "the part under 'unless' is not there";
    std::string ops;
    for (const Node n : nodes) {
      f.found += (f.found.empty() ? "" : ", ") + describe_node(graph_, names_, n);
      ops += (ops.empty() ? "" : ", ") + graph_.def(n).name;
      f.marks.push_back({n, Mark::Part::op, 0});
    }
    f.found += nodes.size() == 1 ? " is there" : " are there";
    f.detail = ops;
    f.in_graph = "remove it";
    f.in_pattern = fmt::format("remove the 'unless'{}, if the rewrite is right all the same",
                               clause.span.line != 0 ? fmt::format(" (line {})", clause.span.line) : "");
    add(std::move(f));
  }

 private:
  void add(FailedPredicate f) {
    site_.failures.push_back(std::move(f));
    site_.distance += 4;
  }

  Value replaced(std::size_t i) const {
    const PatternValue& v = v_.values[static_cast<std::size_t>(v_.replacements[i].first)];
    return graph_.result(site_.nodes[static_cast<std::size_t>(v.node)], static_cast<std::size_t>(v.result));
  }

  void mark_replaced(FailedPredicate& f, Mark::Part part) const {
    for (std::size_t i = 0; i < v_.replacements.size(); ++i) {
      const Value v = replaced(i);
      f.marks.push_back({graph_.def_node(v), part, graph_.result_index(v)});
    }
  }

  /// Points at a reader of a replaced value on the way to what the new nodes read.
  void mark_dependence(FailedPredicate& f) const {
    std::set<std::uint32_t> behind;  // values that depend on a replaced one
    std::vector<Value> front;
    for (std::size_t i = 0; i < v_.replacements.size(); ++i)
      front.push_back(replaced(i));
    while (!front.empty() && behind.size() < 10'000) {
      const Value v = front.back();
      front.pop_back();
      if (!behind.insert(v.index).second)
        continue;
      for (const Use use : graph_.uses(v)) {
        if (use.user == graph_.return_node())
          continue;
        for (std::size_t r = 0; r < graph_.num_results(use.user); ++r)
          front.push_back(graph_.result(use.user, r));
      }
    }
    for (std::size_t i = 0; i < site_.nodes.size() && f.marks.size() < 4; ++i) {
      for (std::size_t k = 0; k < graph_.num_operands(site_.nodes[i]); ++k) {
        if (behind.contains(graph_.operand(site_.nodes[i], k).index))
          f.marks.push_back({site_.nodes[i], Mark::Part::operand, static_cast<std::uint32_t>(k)});
      }
    }
  }

  const Graph& graph_;
  const ValueNames& names_;
  const CompiledVariant& v_;
  SiteExplanation& site_;
};

/// Whether the engine tried these nodes.
bool is_of(const TriedSite& t, const SiteExplanation& site) {
  return t.matched.size() >= site.nodes.size() && std::all_of(site.nodes.begin(), site.nodes.end(), [&](Node n) {
           return std::find(t.matched.begin(), t.matched.end(), n) != t.matched.end();
         });
}

/// Which negative part keeps the sites from matching: each is tried as a part that must be there.
void find_excluded(const CompiledSet& set, const Graph& graph, const ValueNames& names, std::uint32_t variant,
                   std::vector<SiteExplanation*>& sites) {
  const Pattern& source = set.variants[variant].source.pattern;
  for (const Clause& c : source.match) {
    if (c.kind != Clause::Kind::unless)
      continue;
    for (const std::vector<Clause>& branch : c.branches) {
      Pattern with = source;
      with.where.clear();
      std::erase_if(with.match, [](const Clause& x) { return x.kind == Clause::Kind::unless; });
      for (Clause part : branch) {
        part.node.keep = true;
        with.match.push_back(std::move(part));
      }
      std::shared_ptr<const CompiledSet> compiled;
      try {
        compiled = compile(set.context, {std::move(with)});
      } catch (const Error&) {
        continue;  // a part that cannot stand for itself: the site stays without this reason
      }
      const std::vector<TriedSite> tried = try_alone(*compiled, graph, 0, ~std::uint32_t{0});
      for (SiteExplanation*& site : sites) {
        const auto hit =
            std::find_if(tried.begin(), tried.end(), [&](const TriedSite& t) { return site && is_of(t, *site); });
        if (hit == tried.end())
          continue;
        LastObstacles(set, graph, names, *site)
            .exclude(c, {hit->matched.begin() + static_cast<std::ptrdiff_t>(site->nodes.size()), hit->matched.end()});
        site = nullptr;
      }
    }
  }
}

}  // namespace

void add_last_obstacles(const CompiledSet& set, const Graph& graph, const ValueNames& names, std::uint32_t pattern,
                        std::uint32_t kernel_dtypes, std::vector<SiteExplanation>& sites) {
  const auto matches = [](const SiteExplanation& s) { return s.failures.empty() && s.distance == 0; };
  if (std::none_of(sites.begin(), sites.end(), matches))
    return;
  const std::vector<TriedSite> tried = try_alone(set, graph, pattern, kernel_dtypes);
  std::map<std::uint32_t, std::vector<SiteExplanation*>> unseen;
  for (SiteExplanation& site : sites) {
    if (!matches(site))
      continue;
    const auto done =
        std::find_if(tried.begin(), tried.end(), [&](const TriedSite& t) { return t.rewritten && is_of(t, site); });
    if (done != tried.end())
      continue;
    const auto refused = std::find_if(tried.begin(), tried.end(), [&](const TriedSite& t) { return is_of(t, site); });
    if (refused != tried.end())
      LastObstacles(set, graph, names, site).refuse(refused->refusal, refused->reason);
    else
      unseen[site.variant].push_back(&site);
  }
  for (auto& [variant, list] : unseen)
    find_excluded(set, graph, names, variant, list);
}

std::vector<std::vector<Node>> matching_sites(const CompiledSet& set, const Graph& graph, std::uint32_t pattern,
                                              const ExplainOptions& options) {
  std::vector<std::vector<Node>> sites;
  for (TriedSite& t : try_alone(set, graph, pattern, options.kernel_dtypes)) {
    if (t.rewritten)
      sites.push_back(std::move(t.matched));
  }
  return sites;
}

}  // namespace tandem
