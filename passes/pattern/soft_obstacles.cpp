#include <tandem/passes/pattern/soft_obstacles.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <tandem/passes/pattern/similar_ops.h>

namespace tandem {

std::string describe_node(const Graph& graph, const ValueNames& names, Node node) {
  if (graph.num_results(node) == 0)
    return graph.def(node).name;
  return fmt::format("{} (%{})", graph.def(node).name, names[graph.result(node, 0)]);
}

std::string describe_value(const Graph& graph, const ValueNames& names, Value value) {
  const Node def = graph.def_node(value);
  return fmt::format("%{} is {}", names[value],
                     def                      ? "computed by " + graph.def(def).name
                     : graph.is_weight(value) ? std::string("a weight")
                                              : std::string("an input"));
}

std::string describe_node(const CompiledSet& set, const CompiledVariant& variant, std::size_t node) {
  const PatternNode& n = variant.nodes[node];
  std::string result;
  for (const std::string& r : n.source->results) {
    if (r != "_" && !r.ends_with("...")) {
      result = " (%" + r + ")";
      break;
    }
  }
  return set.context->op(n.op).name + result;
}

std::string reader_ops(const Graph& graph, Value value) {
  std::map<std::string, int> ops;
  for (const Use use : graph.uses(value))
    ++ops[use.user == graph.return_node() ? "the output" : graph.def(use.user).name];
  std::string list;
  for (const auto& [op, count] : ops)
    list += (list.empty() ? "" : ", ") + op;
  return list;
}

namespace {

struct Words {
  const CompiledSet& set;
  const Graph& graph;
  const ValueNames& names;
  const CompiledVariant& v;
  const SoftMatch& m;
  const SoftObstacle& o;
  GraphView view{graph};

  const PatternNode& node() const { return v.nodes[static_cast<std::size_t>(o.node)]; }
  const std::string& op() const { return set.context->op(node().op).name; }
  std::string value() const {
    return o.value < 0 ? std::string() : "%" + v.values[static_cast<std::size_t>(o.value)].name;
  }
  std::string wanted() const {
    const std::string who = describe_node(set, v, static_cast<std::size_t>(o.node));
    return o.upwards ? fmt::format("{} is computed by {}", value(), op()) : fmt::format("{} reads {}", who, value());
  }
  Value at() const { return view.value(o.at); }
  std::string line() const {
    return node().source->span.line ? fmt::format(" (line {})", node().source->span.line) : "";
  }

  FailedPredicate in_between() const {
    FailedPredicate f;
    std::string who, ops;
    for (const std::uint32_t b : o.between) {
      who += (who.empty() ? "" : " and ") + describe_node(graph, names, view.node(b));
      ops += (ops.empty() ? "" : ", ") + graph.def(view.node(b)).name;
      f.marks.push_back({view.node(b), Mark::Part::op, 0});
    }
    f.predicate = o.upwards ? fmt::format("{} is computed by {} and read as it is", value(), op())
                            : fmt::format("{} reads {} as it is",
                                          describe_node(set, v, static_cast<std::size_t>(o.node)), value());
    f.found = fmt::format("{} stand{} in between", who, o.between.size() == 1 ? "s" : "");
    f.detail = ops + " in between";
    f.in_graph = fmt::format("remove {}", who);
    // From the value towards its reader; upwards they were found the other way round.
    std::vector<std::uint32_t> path = o.between;
    if (o.upwards)
      std::reverse(path.begin(), path.end());
    std::string read_as = value();
    for (const std::uint32_t b : path) {
      if (!may_be_passed_by(view.node(b))) {
        f.in_pattern = fmt::format("add the {} to the match", graph.def(view.node(b)).name);
        return f;
      }
      read_as += " " + through(view.node(b));
    }
    f.in_pattern = fmt::format("read it as '{}'{}", read_as, line());
    return f;
  }

  /// Whether what a node does can be of no matter to a fusion: it changes the form of the data, not the data.
  bool may_be_passed_by(Node n) const {
    const OpDef& def = graph.def(n);
    return graph.num_operands(n) == 1 &&
           ((def.has(trait::view) && def.name != "slice" && def.name != "expand") || def.name == "cast");
  }

  /// "through cast?", with what such a node says beyond its defaults.
  std::string through(Node n) const {
    std::string attrs;
    for (std::size_t i = 0; i < graph.def(n).attrs.size(); ++i) {
      const AttrDef& a = graph.def(n).attrs[i];
      if (a.default_value && graph.attr(n, i) != a.default_value)
        attrs += (attrs.empty() ? "" : ", ") + fmt::format("{} = {}", a.name, to_string(graph.attr(n, i)));
    }
    return fmt::format("through {}{}?", graph.def(n).name, attrs.empty() ? "" : " {" + attrs + "}");
  }

  FailedPredicate operand_order() const {
    FailedPredicate f;
    const Node n = view.node(m.nodes[static_cast<std::size_t>(o.node)].node);
    const auto name = [&](std::size_t k) { return "%" + v.values[static_cast<std::size_t>(node().operands[k])].name; };
    f.predicate =
        fmt::format("{} reads {}, then {}", describe_node(set, v, static_cast<std::size_t>(o.node)), name(0), name(1));
    f.found = fmt::format("{} reads them the other way round", describe_node(graph, names, n));
    f.detail = "the operands are swapped";
    f.marks = {{n, Mark::Part::operand, 0}, {n, Mark::Part::operand, 1}};
    f.in_graph = fmt::format("swap the operands of {}", describe_node(graph, names, n));
    f.in_pattern = fmt::format(
        "{} is not commutative: if the rewrite may take either order, write both with "
        "'either {{ }} or {{ }}'",
        op());
    return f;
  }

  FailedPredicate exchanged() const {
    FailedPredicate f;
    const auto wanted = static_cast<std::size_t>(v.values[static_cast<std::size_t>(o.value)].result);
    const std::size_t found = graph.result_index(at());
    const auto name = [&](std::size_t r) { return "%" + v.values[static_cast<std::size_t>(node().results[r])].name; };
    const auto first = std::min(wanted, found), second = std::max(wanted, found);
    const Node def = graph.def_node(at());
    f.predicate = fmt::format("{} is result {} of {}, {} result {}", name(first), first, op(), name(second), second);
    f.found =
        fmt::format("%{} and %{} change places", names[graph.result(def, first)], names[graph.result(def, second)]);
    f.detail = "the results change places";
    for (const std::size_t r : {first, second})
      f.marks.push_back({def, Mark::Part::result, static_cast<std::uint32_t>(r)});
    f.in_graph = fmt::format("let the readers of %{} and %{} change places", names[graph.result(def, first)],
                             names[graph.result(def, second)]);
    f.in_pattern =
        fmt::format("write {} where {} stands, and the other way round{}", name(second), name(first), line());
    return f;
  }

  FailedPredicate result_index() const {
    if (o.exchanged)
      return exchanged();
    FailedPredicate f;
    const int wanted_index = v.values[static_cast<std::size_t>(o.value)].result;
    const Node def = graph.def_node(at());
    f.predicate = fmt::format("{} is result {} of {}", value(), wanted_index, op());
    f.found = fmt::format("%{} is result {} of it", names[at()], graph.result_index(at()));
    f.detail = fmt::format("result {} of it", graph.result_index(at()));
    f.marks = {{def, Mark::Part::result, graph.result_index(at())}};
    f.in_graph = fmt::format("read result {} of {}", wanted_index, describe_node(graph, names, def));
    f.in_pattern = fmt::format("name result {} {}{}", graph.result_index(at()), value(), line());
    return f;
  }

  FailedPredicate other_op() const {
    FailedPredicate f;
    const Node n = view.node(m.nodes[static_cast<std::size_t>(o.node)].node);
    f.predicate = wanted();
    f.found = o.upwards ? describe_value(graph, names, at())
                        : fmt::format("{} reads %{} instead", describe_node(graph, names, n), names[at()]);
    f.detail = fmt::format("{} in its place", graph.def(n).name);
    f.marks = {{n, Mark::Part::op, 0}};
    const std::string& found = graph.def(n).name;
    const std::string_view why = meaning_of(op(), found);
    if (made_by_passes(op(), found)) {
      f.in_pattern = fmt::format("{}: match it as well, 'either {{ .. }} or {{ .. }}'{}", why, line());
      return f;
    }
    f.in_graph = fmt::format("use {} for {}{}{}", op(), found, why.empty() ? "" : ": ", why);
    // One op for the other needs one form; else the match must be written anew.
    const bool alike = graph.num_operands(n) == node().operands.size() &&
                       graph.num_results(n) == node().results.size() && node().rest_operands < 0 &&
                       !node().rest_results;
    f.in_pattern =
        alike ? fmt::format("if {} will do as well: 'for op in {{{}, {}}}', and op for {}{}", found, op(), found, op(),
                            line())
              : fmt::format("match the {} in its place, where the rewrite can be made from that{}", found, line());
    return f;
  }

  FailedPredicate missing() const {
    FailedPredicate f;
    f.predicate = wanted();
    const Node def = graph.def_node(at());
    if (o.upwards) {
      f.found = describe_value(graph, names, at());
      f.detail = f.found.substr(f.found.find(' '));
      if (def)
        f.marks = {{def, Mark::Part::result, graph.result_index(at())}};
    } else {
      const std::string ops = reader_ops(graph, at());
      bool has_others = false;
      for (const Use use : graph.uses(at()))
        has_others |= use.user != graph.return_node() && graph.op(use.user) == node().op;
      // Those that there are stand for other nodes of the match.
      f.detail = has_others    ? "read by no further " + op()
                 : ops.empty() ? "used by nobody"
                               : "used by " + ops + " only";
      f.found = fmt::format("%{} is {}", names[at()], f.detail);
      for (const Use use : graph.uses(at())) {
        if (use.user != graph.return_node() && f.marks.size() < 4)
          f.marks.push_back({use.user, Mark::Part::operand, use.operand});
      }
      if (f.marks.empty() && def)
        f.marks = {{def, Mark::Part::result, graph.result_index(at())}};
    }
    const bool vowel = std::string_view("aeiou").find(op().front()) != std::string_view::npos;
    const std::string_view why = o.upwards && def ? meaning_of(op(), graph.def(def).name) : std::string_view();
    f.in_graph = fmt::format("there must be {} {} here{}{}", vowel ? "an" : "a", op(),
                             why.empty() ? "" : fmt::format(", not {}: ", graph.def(def).name), why);
    if (!why.empty())
      f.in_pattern = fmt::format("match the {} as well: 'either {{ .. }} or {{ .. }}'{}", graph.def(def).name, line());
    else if (!m.nodes[static_cast<std::size_t>(o.node)].absent)
      f.in_pattern = fmt::format("leave the {} out of the match{}", op(), line());
    else if (node().operands.size() == 1)
      f.in_pattern = fmt::format("write 'optional' in front of the {}{}", op(), line());
    else
      f.in_pattern = fmt::format("if the rewrite can do without the {}, match both: 'either {{ .. }} or {{ .. }}'{}",
                                 op(), line());
    return f;
  }
};

}  // namespace

FailedPredicate describe_obstacle(const CompiledSet& set, const Graph& graph, const ValueNames& names,
                                  const CompiledVariant& variant, const SoftMatch& match,
                                  const SoftObstacle& obstacle) {
  const Words words{set, graph, names, variant, match, obstacle};
  FailedPredicate f;
  switch (obstacle.cause) {
    case Cause::in_between: f = words.in_between(); break;
    case Cause::operand_order: f = words.operand_order(); break;
    case Cause::result_index: f = words.result_index(); break;
    case Cause::other_op: f = words.other_op(); break;
    default: f = words.missing(); break;
  }
  f.cause = obstacle.cause;
  f.span = words.node().source->span;
  return f;
}

}  // namespace tandem
