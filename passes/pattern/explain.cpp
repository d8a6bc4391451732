#include <tandem/passes/pattern/explain.h>

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/rewriter.h>
#include <tandem/passes/pattern/step_tester.h>

namespace tandem {

namespace {

// Where there are more choices than this at one step, only the first are weighed.
constexpr std::size_t max_choices = 16;

std::string name_of(const Graph& graph, Value v) {
  const Symbol s = graph.name(v);
  if (!s.empty())
    return "%" + std::string(s.view());
  const Node def = graph.def_node(v);
  return def ? fmt::format("a result of {}", graph.def(def).name) : std::string("an unnamed input");
}

/// Runs the plan of one variant at one anchor, softly.
class SoftMatcher {
 public:
  SoftMatcher(const CompiledSet& set, const Graph& graph, const CompiledVariant& variant, const MatchPlan& plan)
      : set_(set), graph_(graph), view_(graph), tester_(set, graph, view_), variant_(variant), plan_(plan) {}

  struct Outcome {
    std::vector<FailedPredicate> failures;
    MatchState state;
    std::uint32_t bound = 0;       // bit i: register i holds a node
    std::uint32_t dims_known = 0;  // bit i: dim variable i has a value
    std::uint32_t captures_known = 0, types_known = 0, leading_known = 0;
  };

  Outcome run(Node anchor) {
    Outcome o;
    o.state = MatchState{};
    o.state.nodes[0] = anchor.index;
    o.bound = 1;
    return go(0, std::move(o));
  }

 private:
  static bool has(std::uint32_t bits, std::size_t i) { return (bits >> i & 1U) != 0; }

  Outcome go(std::size_t at, Outcome o) {
    for (; at < plan_.steps.size(); ++at) {
      const Step& step = plan_.steps[at];
      if (!is_ready(step, o))
        continue;  // what it reads is missing, which was recorded already
      switch (step.kind) {
        case StepKind::up: walk_up(at, o); break;
        case StepKind::down: return walk_down(at, std::move(o));
        case StepKind::commute: {
          Outcome swapped = o;
          swapped.state.swapped |= 1U << step.node;
          return better(go(at + 1, std::move(o)), go(at + 1, std::move(swapped)));
        }
        case StepKind::unless: break;  // weighed by the matcher when all else holds
        default: test(at, o);
      }
    }
    return o;
  }

  static Outcome better(Outcome a, Outcome b) {
    return b.failures.size() < a.failures.size() ? std::move(b) : std::move(a);
  }

  bool is_ready(const Step& s, const Outcome& o) const {
    switch (s.kind) {
      case StepKind::anchor: return true;
      case StepKind::attr_is:
      case StepKind::axis_is:
      case StepKind::axes_are:
      case StepKind::attr_bind:
      case StepKind::attr_compare:
      case StepKind::list_length:
      case StepKind::commute: return has(o.bound, s.node);
      case StepKind::attr_same: return has(o.bound, s.node) && has(o.captures_known, s.slot);
      case StepKind::distinct: return has(o.bound, s.node) && has(o.bound, s.index);
      case StepKind::same_value: return has(o.bound, s.value.node) && has(o.bound, s.other.node);
      case StepKind::dtype_same: return has(o.bound, s.value.node) && has(o.types_known, s.slot);
      case StepKind::leading_same: return has(o.bound, s.value.node) && has(o.leading_known, s.slot);
      case StepKind::equation: return is_ready(set_.equations[s.arg], o);
      case StepKind::guard:
      case StepKind::unless: return o.failures.empty();
      default: return has(o.bound, s.value.node);
    }
  }
  bool is_ready(const Equation& e, const Outcome& o) const {
    const bool by_value = e.source == Equation::Source::from_end || e.source == Equation::Source::from_start;
    if (!has(o.bound, by_value ? e.value.node : e.node))
      return false;
    if (e.general >= 0)
      return o.failures.empty();
    for (std::size_t i = 0; i < e.linear.terms.size(); ++i) {
      if (static_cast<int>(i) != e.unknown && !has(o.dims_known, e.linear.terms[i].second))
        return false;
    }
    return true;
  }

  void test(std::size_t at, Outcome& o) {
    const Step& s = plan_.steps[at];
    const bool holds = tester_.test(s, o.state);
    switch (s.kind) {
      case StepKind::attr_bind: o.captures_known |= 1U << s.slot; break;
      case StepKind::dtype_bind: o.types_known |= 1U << s.slot; break;
      case StepKind::leading_bind: o.leading_known |= 1U << s.slot; break;
      case StepKind::equation: {
        const Equation& e = set_.equations[s.arg];
        if (holds && e.unknown >= 0)
          o.dims_known |= 1U << e.linear.terms[static_cast<std::size_t>(e.unknown)].second;
        break;
      }
      default: break;
    }
    if (!holds)
      fail(at, o, found_at(s, o));
  }

  void fail(std::size_t at, Outcome& o, std::string found) {
    o.failures.push_back({plan_.texts[at], std::move(found), plan_.spans[at]});
  }

  // --- walking
  // ---------------------------------------------------------------------------------------------------------------

  bool is_wanted(const Step& s, std::uint32_t value) const {
    const std::uint32_t def = view_.def(value);
    return def != no_index && view_.op(def).index == s.arg && view_.result_index(value) == s.index &&
           tester_.fits(s, def);
  }

  void walk_up(std::size_t at, Outcome& o) {
    const Step& s = plan_.steps[at];
    const std::uint32_t value = value_index(view_, o.state, s.value);
    const std::uint32_t def = view_.def(value);
    auto bind = [&](std::uint32_t node) {
      o.state.nodes[s.node] = node;
      o.state.swapped &= ~(1U << s.node);
      o.bound |= 1U << s.node;
    };
    if (is_wanted(s, value))
      return bind(def);
    // One node that takes one value and gives one may stand in between.
    if (def != no_index && view_.num_operands(def) == 1 && view_.num_results(def) == 1 &&
        is_wanted(s, view_.operand(def, 0))) {
      fail(at, o, fmt::format("{} stands in between", describe(def)));
      return bind(view_.def(view_.operand(def, 0)));
    }
    fail(at, o, describe_source(s, value));
  }

  Outcome walk_down(std::size_t at, Outcome o) {
    const Step& s = plan_.steps[at];
    const std::uint32_t value = value_index(view_, o.state, s.value);
    std::optional<Outcome> best;
    std::size_t tried = 0;
    auto consider = [&](std::uint32_t use, std::string obstacle) {
      const std::uint32_t user = view_.user(use);
      if (user == 0 || tried == max_choices || view_.op(user).index != s.arg)
        return;
      const std::uint32_t operand = view_.user_operand(use);
      const bool crossed = s.slot == 1 && operand == 1U - s.index;
      if ((operand != s.index && !crossed) || !tester_.fits(s, user))
        return;
      ++tried;
      Outcome next = o;
      next.state.nodes[s.node] = user;
      next.state.swapped = crossed ? next.state.swapped | 1U << s.node : next.state.swapped & ~(1U << s.node);
      next.bound |= 1U << s.node;
      if (!obstacle.empty())
        fail(at, next, std::move(obstacle));
      Outcome done = go(at + 1, std::move(next));
      if (!best || done.failures.size() < best->failures.size())
        best = std::move(done);
    };
    for (std::uint32_t use = view_.first_use(value); use != no_index; use = view_.next_use(use))
      consider(use, "");
    if (!best) {
      for (std::uint32_t use = view_.first_use(value); use != no_index; use = view_.next_use(use)) {
        const std::uint32_t user = view_.user(use);
        if (user == 0 || view_.num_operands(user) != 1 || view_.num_results(user) != 1)
          continue;
        const std::uint32_t through = view_.result(user, 0);
        for (std::uint32_t u = view_.first_use(through); u != no_index; u = view_.next_use(u)) {
          consider(u, fmt::format("{} stands in between", describe(user)));
        }
      }
    }
    if (best)
      return std::move(*best);
    fail(at, o, describe_users(value));
    return go(at + 1, std::move(o));
  }

  // --- words
  // -----------------------------------------------------------------------------------------------------------------

  std::string describe(std::uint32_t node) const {
    const Node n = view_.node(node);
    const std::string name = graph_.num_results(n) != 0 ? name_of(graph_, graph_.result(n, 0)) : "";
    return fmt::format("{} ({})", graph_.def(n).name, name);
  }

  std::string describe_source(const Step& s, std::uint32_t value) const {
    const Value v = view_.value(value);
    const std::uint32_t def = view_.def(value);
    if (def == no_index)
      return fmt::format("{} is {}", name_of(graph_, v), graph_.is_weight(v) ? "a weight" : "an input");
    if (view_.op(def).index == s.arg && view_.result_index(value) != s.index) {
      return fmt::format("{} is result {} of {}, not {}", name_of(graph_, v), view_.result_index(value), describe(def),
                         s.index);
    }
    if (view_.op(def).index == s.arg) {
      return fmt::format("{} has {} operands and {} results", describe(def), view_.num_operands(def),
                         view_.num_results(def));
    }
    return fmt::format("{} is computed by {}", name_of(graph_, v), describe(def));
  }

  std::string describe_users(std::uint32_t value) const {
    const Value v = view_.value(value);
    std::map<std::string, int> users;
    for (const Use use : graph_.uses(v))
      ++users[use.user == graph_.return_node() ? "the output" : graph_.def(use.user).name];
    if (users.empty())
      return fmt::format("{} has no users", name_of(graph_, v));
    std::string list;
    for (const auto& [op, count] : users)
      list += (list.empty() ? "" : ", ") + op;
    return fmt::format("{} is used by {}", name_of(graph_, v), list);
  }

  std::string found_at(const Step& s, const Outcome& o) const {
    auto attr = [&] { return to_string(view_.attr(o.state.nodes[s.node], s.index)); };
    auto value = [&] { return view_.value(value_index(view_, o.state, s.value)); };
    switch (s.kind) {
      case StepKind::anchor:
        return fmt::format("{} has {} operands and {} results", describe(o.state.nodes[0]),
                           view_.num_operands(o.state.nodes[0]), view_.num_results(o.state.nodes[0]));
      case StepKind::same_value:
        return fmt::format("{} and {} are two values", name_of(graph_, value()),
                           name_of(graph_, view_.value(value_index(view_, o.state, s.other))));
      case StepKind::attr_same: return fmt::format("{} and {}", attr(), to_string(o.state.captures[s.slot]));
      case StepKind::attr_is:
      case StepKind::axis_is:
      case StepKind::axes_are:
      case StepKind::attr_compare:
      case StepKind::list_length: return fmt::format("it is {}", attr());
      case StepKind::dtype_in:
      case StepKind::dtype_bind:
        return fmt::format("{} is {}", name_of(graph_, value()), to_string(graph_.type(value()).dtype));
      case StepKind::dtype_same:
        return fmt::format("{} is {}, not {}", name_of(graph_, value()), to_string(graph_.type(value()).dtype),
                           to_string(o.state.dtypes[s.slot]));
      case StepKind::rank:
      case StepKind::leading_same:
        return fmt::format("{} is {}", name_of(graph_, value()), to_string(graph_.type(value())));
      case StepKind::uses: {
        std::string others;
        for (const Use use : graph_.uses(value())) {
          if (is_matched(use.user, o))
            continue;
          others += (others.empty() ? "" : ", ") +
                    (use.user == graph_.return_node() ? std::string("the output") : describe(use.user.index));
        }
        return fmt::format("{} is also used by {}", name_of(graph_, value()), others.empty() ? "nobody" : others);
      }
      case StepKind::equation: return found_for(set_.equations[s.arg], o);
      default: return "it does not hold";
    }
  }

  bool is_matched(Node node, const Outcome& o) const {
    for (std::size_t i = 0; i < variant_.nodes.size(); ++i) {
      if (has(o.bound, i) && o.state.nodes[i] == node.index)
        return true;
    }
    return false;
  }

  std::string found_for(const Equation& e, const Outcome& o) const {
    std::string known;
    for (const auto& [coefficient, dim] : e.linear.terms) {
      if (!has(o.dims_known, dim))
        continue;
      known +=
          fmt::format("{}{} = {}", known.empty() ? ", where " : ", ", variant_.dims[dim], to_string(o.state.dims[dim]));
    }
    if (e.source == Equation::Source::dim_attr)
      return fmt::format("it is {}{}", to_string(view_.attr(o.state.nodes[e.node], e.attr)), known);
    const bool by_list = e.source == Equation::Source::list_element;
    const Shape shape = by_list ? view_.attr(o.state.nodes[e.node], e.attr).dims()
                                : view_.type(value_index(view_, o.state, e.value)).shape;
    const std::size_t i = e.source == Equation::Source::from_end ? shape.rank() - 1 - e.index : e.index;
    if (i >= shape.rank())
      return fmt::format("there is none in {}", to_string(shape));
    return fmt::format("it is {}{}", to_string(shape[i]), known);
  }

  const CompiledSet& set_;
  const Graph& graph_;
  GraphView view_;
  StepTester tester_;
  const CompiledVariant& variant_;
  const MatchPlan& plan_;
};

/// When every predicate of the plan holds: what else stands against the rewrite.
void add_last_obstacles(const CompiledSet& set, const Graph& graph, std::uint32_t index, const MatchPlan& plan,
                        Node anchor, const MatchState& state, std::vector<FailedPredicate>& failures) {
  const CompiledVariant& variant = set.variants[index];
  Matcher matcher(set, graph);
  const std::uint32_t only[] = {index};
  matcher.activate(only);
  const bool matches = !matcher.is_active(index) ||
                       matcher.match_plan(
                           index, anchor, [](void*, std::uint32_t, const MatchState&) { return true; }, nullptr);
  if (!matches && &matcher.plan_of(index) == &plan) {
    failures.push_back({"the 'unless' part does not match", "it matches here", variant.source.pattern.span});
    return;
  }
  Graph copy = graph;  // the proof wants a graph that it could change
  Rewriter rewriter(set, copy);
  if (!rewriter.is_legal(variant, plan, state))
    failures.push_back({"the rewrite is legal", rewriter.refusal(), variant.source.pattern.span});
}

/// The nearest reading of `node` as the anchor of any of the pattern's variants. `any_plan`: as any node of the match.
SiteExplanation nearest(const CompiledSet& set, const Graph& graph, std::uint32_t pattern, Node node, OpId anchor_op,
                        bool check_legality) {
  SiteExplanation best;
  best.anchor = node;
  bool found = false;
  for (std::uint32_t v = 0; v < set.variants.size(); ++v) {
    const CompiledVariant& variant = set.variants[v];
    if (variant.fusion != pattern)
      continue;
    for (const MatchPlan& plan : variant.plans) {
      if (plan.anchor != anchor_op)
        continue;
      auto outcome = SoftMatcher(set, graph, variant, plan).run(node);
      if (outcome.failures.empty() && check_legality) {
        add_last_obstacles(set, graph, v, plan, node, outcome.state, outcome.failures);
      }
      if (found && outcome.failures.size() >= best.failures.size())
        continue;
      found = true;
      best.variant = v;
      best.failures = std::move(outcome.failures);
      best.nodes.clear();
      const GraphView view(graph);
      for (std::size_t i = 0; i < variant.nodes.size(); ++i) {
        const std::uint8_t reg = plan.registers[i];
        best.nodes.push_back((outcome.bound >> reg & 1U) != 0 ? view.node(outcome.state.nodes[reg]) : Node{});
      }
    }
  }
  return best;
}

/// The op by which sites of the pattern are counted: the one among its variants' that is rarest in the graph.
std::optional<OpId> anchor_of(const CompiledSet& set, const Graph& graph, std::uint32_t pattern) {
  std::optional<OpId> best;
  for (const CompiledVariant& variant : set.variants) {
    if (variant.fusion != pattern)
      continue;
    for (const MatchPlan& plan : variant.plans) {
      const std::size_t count = graph.count(plan.anchor);
      if (count != 0 && (!best || count < graph.count(*best)))
        best = plan.anchor;
    }
  }
  return best;
}

}  // namespace

SiteExplanation explain_at(const CompiledSet& set, const Graph& graph, std::uint32_t pattern, Node node) {
  return nearest(set, graph, pattern, node, graph.op(node), true);
}

std::vector<SiteExplanation> explain(const CompiledSet& set, const Graph& graph, std::uint32_t pattern) {
  std::vector<SiteExplanation> sites;
  const auto anchor = anchor_of(set, graph, pattern);
  if (!anchor)
    return sites;
  for (Node n = graph.first_of(*anchor); n; n = graph.next_of_same_op(n)) {
    sites.push_back(nearest(set, graph, pattern, n, *anchor, true));
  }
  std::stable_sort(sites.begin(), sites.end(), [&](const SiteExplanation& a, const SiteExplanation& b) {
    if (a.failures.size() != b.failures.size())
      return a.failures.size() < b.failures.size();
    return graph.comes_before(a.anchor, b.anchor);
  });
  return sites;
}

std::vector<NearMiss> near_misses(const CompiledSet& set, const Graph& graph, std::uint32_t pattern) {
  std::map<std::string, NearMiss> by_predicate;
  const auto anchor = anchor_of(set, graph, pattern);
  if (!anchor)
    return {};
  for (Node n = graph.first_of(*anchor); n; n = graph.next_of_same_op(n)) {
    const SiteExplanation site = nearest(set, graph, pattern, n, *anchor, false);
    if (site.failures.size() != 1)
      continue;
    const FailedPredicate& failure = site.failures.front();
    NearMiss& miss = by_predicate[failure.predicate];
    if (miss.count++ == 0) {
      miss.predicate = failure.predicate;
      miss.example = failure.found;
      miss.where = graph.num_results(n) != 0 ? name_of(graph, graph.result(n, 0)) : graph.def(n).name;
      if (!graph.scope(n).empty())
        miss.where += " in " + std::string(graph.scope(n).view());
    }
  }
  std::vector<NearMiss> out;
  for (auto& [predicate, miss] : by_predicate)
    out.push_back(std::move(miss));
  std::stable_sort(out.begin(), out.end(), [](const NearMiss& a, const NearMiss& b) { return a.count > b.count; });
  return out;
}

}  // namespace tandem
