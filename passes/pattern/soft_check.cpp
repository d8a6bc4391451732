#include <tandem/passes/pattern/soft_check.h>

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/passes/pattern/compare.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/predicates.h>
#include <tandem/passes/pattern/resolve.h>
#include <tandem/passes/pattern/soft_obstacles.h>
#include <tandem/passes/pattern/soft_state.h>

namespace tandem {

namespace {

class SoftChecker {
 public:
  explicit SoftChecker(SoftState& s) : s_(s) {}

  void run(std::size_t enough) {
    const auto is_over = [&] { return s_.failures.size() + s_.m.obstacles.size() > enough; };
    check_arity();
    check_values();
    check_attributes(s_);
    if (!is_over())
      check_types(s_, tainted());
    check_uses();
    if (!is_over())
      check_guards();
    if (is_over()) {
      s_.failures.resize(enough + 1);
      return;
    }
    std::vector<FailedPredicate> obstacles;
    for (const SoftObstacle& o : s_.m.obstacles)
      obstacles.push_back(describe_obstacle(s_.set, s_.graph, s_.names, s_.v, s_.m, o));
    s_.failures.insert(s_.failures.begin(), std::make_move_iterator(obstacles.begin()),
                       std::make_move_iterator(obstacles.end()));
    std::stable_sort(s_.failures.begin(), s_.failures.end(),
                     [](const FailedPredicate& a, const FailedPredicate& b) { return a.cause < b.cause; });
  }

 private:
  void check_arity() {
    for (std::size_t i = 0; i < s_.v.nodes.size(); ++i) {
      if (!s_.is_bound(i))
        continue;
      const PatternNode& n = s_.v.nodes[i];
      const Node node = s_.node(i);
      auto check = [&](std::size_t have, std::size_t want, bool more, std::string_view what) {
        if (more ? have >= want : have == want)
          return;
        FailedPredicate& f = s_.fail(
            Cause::arity, n.source->span,
            fmt::format("{} has {}{}", describe_node(s_.set, s_.v, i), more ? "at least " : "", counted(want, what)),
            fmt::format("it has {}", have));
        f.marks = {{node, Mark::Part::op, 0}};
        const std::string_view sizes = n.op == op::split && what == "result" ? ", and end 'sizes' with ..." : "";
        f.in_pattern = have > want ? fmt::format("name the others, or write a rest, %more..., last{}{}", sizes,
                                                 at_line(n.source->span))
                                   : fmt::format("name as many {}s as there are{}", what, at_line(n.source->span));
      };
      check(s_.graph.num_operands(node), n.operands.size(), n.rest_operands >= 0, "operand");
      check(s_.graph.num_results(node), n.results.size(), n.rest_results, "result");
    }
  }

  // --- one name, one value ----------------------------------------------------------------------------------------

  /// Whether an obstacle tells already why `value` is read as `found`.
  bool is_told(int value, std::uint32_t found) const {
    return std::any_of(s_.m.obstacles.begin(), s_.m.obstacles.end(), [&](const SoftObstacle& o) {
      if (o.value != value)
        return false;
      if (o.at == found)
        return true;
      return std::any_of(o.between.begin(), o.between.end(),
                         [&](std::uint32_t b) { return s_.view.result(b, 0) == found; });
    });
  }

  void check_values() {
    const SoftMatcher paths(s_.graph, s_.v);
    for (std::size_t i = 0; i < s_.v.nodes.size(); ++i) {
      if (!s_.is_bound(i))
        continue;
      const PatternNode& n = s_.v.nodes[i];
      const Node node = s_.node(i);
      for (std::size_t k = 0; k < n.operands.size(); ++k) {
        const std::size_t j = s_.m.nodes[i].swapped && k < 2 ? 1 - k : k;
        const int value = n.operands[k];
        const auto known = static_cast<std::size_t>(value);
        if (j >= s_.graph.num_operands(node) || !s_.is_known(known))
          continue;
        const Value found = s_.graph.operand(node, j);
        if (found == s_.value(known) || is_told(value, found.index))
          continue;
        const std::vector<std::uint32_t> between = paths.path_between(found.index, s_.m.values[known]);
        if (!between.empty()) {
          SoftObstacle o{Cause::in_between, static_cast<int>(i), value, found.index, false, between};
          s_.failures.push_back(describe_obstacle(s_.set, s_.graph, s_.names, s_.v, s_.m, o));
          late_between_.insert(late_between_.end(), between.begin(), between.end());
          late_readers_.push_back(i);
          continue;
        }
        FailedPredicate& f = s_.fail(Cause::other_value, n.source->span,
                                     fmt::format("operand '{}' of {} is %{}", s_.set.context->op(n.op).operand_name(k),
                                                 describe_node(s_.set, s_.v, i), s_.v.values[known].name),
                                     fmt::format("it is {}, where %{} is {}", s_.name(found), s_.v.values[known].name,
                                                 s_.name(s_.value(known))));
        f.detail = "another value";
        f.marks = {{node, Mark::Part::operand, static_cast<std::uint32_t>(j)}};
        f.in_graph = fmt::format("read {} there", s_.name(s_.value(known)));
        f.in_pattern = fmt::format("give the operand a name of its own{}", at_line(n.source->span));
      }
    }
  }

  /// Values whose types follow from what is in the way.
  std::vector<bool> tainted() const {
    std::vector<bool> nodes(s_.v.nodes.size(), false), values(s_.v.values.size(), false);
    auto taint_readers = [&](int value) {
      for (std::size_t i = 0; i < s_.v.nodes.size(); ++i) {
        const auto& operands = s_.v.nodes[i].operands;
        if (std::find(operands.begin(), operands.end(), value) != operands.end())
          nodes[i] = true;
      }
    };
    for (const SoftObstacle& o : s_.m.obstacles) {
      if (o.cause == Cause::in_between && o.upwards)
        taint_readers(o.value);
      else if (o.cause != Cause::operand_order && o.cause != Cause::result_index)
        nodes[static_cast<std::size_t>(o.node)] = true;
      else if (o.cause == Cause::result_index)
        values[static_cast<std::size_t>(o.value)] = true;
    }
    for (const std::size_t i : late_readers_)
      nodes[i] = true;
    for (bool progress = true; progress;) {  // and what is computed from them
      progress = false;
      for (std::size_t i = 0; i < s_.v.nodes.size(); ++i) {
        if (!nodes[i])
          continue;
        for (const int r : s_.v.nodes[i].results) {
          if (r < 0 || values[static_cast<std::size_t>(r)])
            continue;
          values[static_cast<std::size_t>(r)] = progress = true;
          taint_readers(r);
        }
      }
    }
    return values;
  }

  // --- users ------------------------------------------------------------------------------------------------------

  bool is_matched(Node node) const {
    auto holds = [&](const std::vector<std::uint32_t>& list) {
      return std::find(list.begin(), list.end(), node.index) != list.end();
    };
    return std::any_of(s_.m.nodes.begin(), s_.m.nodes.end(), [&](const auto& b) { return b.node == node.index; }) ||
           holds(late_between_) ||
           std::any_of(s_.m.obstacles.begin(), s_.m.obstacles.end(), [&](const auto& o) { return holds(o.between); });
  }

  /// Whether a reader of the value is itself not there: then other readers are what stands in its place.
  bool lacks_reader(int value) const {
    for (std::size_t i = 0; i < s_.v.nodes.size(); ++i) {
      const auto& operands = s_.v.nodes[i].operands;
      if (s_.m.nodes[i].node == no_index && !s_.m.nodes[i].absent &&
          std::find(operands.begin(), operands.end(), value) != operands.end())
        return true;
    }
    return false;
  }

  /// Whether another op stands in the node's place that could be taken for it: then its users count, too.
  bool is_alike(std::size_t i) const {
    const PatternNode& n = s_.v.nodes[i];
    if (!s_.m.nodes[i].foreign || n.results.size() != 1 || s_.graph.num_results(s_.node(i)) != 1)
      return false;
    const OpDef &wanted = s_.set.context->op(n.op), &found = s_.graph.def(s_.node(i));
    return wanted.has(trait::view) == found.has(trait::view) &&
           wanted.has(trait::elementwise) == found.has(trait::elementwise);
  }

  void check_uses() {
    for (std::size_t i = 0; i < s_.v.nodes.size(); ++i) {
      const PatternNode& n = s_.v.nodes[i];
      if (!(s_.is_bound(i) || is_alike(i)) || n.keep || n.recompute)
        continue;
      for (std::size_t r = 0; r < n.results.size() && r < s_.graph.num_results(s_.node(i)); ++r) {
        const int id = n.results[r];
        const bool replaced = id >= 0 && s_.v.values[static_cast<std::size_t>(id)].replaced;
        if (replaced || (id >= 0 && lacks_reader(id)))
          continue;
        check_users_of(i, r, id);
      }
    }
  }

  void check_users_of(std::size_t i, std::size_t r, int id) {
    const PatternNode& n = s_.v.nodes[i];
    const Value value = s_.graph.result(s_.node(i), r);
    std::string others, ops;
    std::vector<Mark> marks;
    bool returned = false;
    for (const Use use : s_.graph.uses(value)) {
      if (use.user == s_.graph.return_node()) {
        returned = true;
      } else if (!is_matched(use.user)) {
        others += (others.empty() ? "" : ", ") + describe_node(s_.graph, s_.names, use.user);
        ops += (ops.empty() ? "" : ", ") + s_.graph.def(use.user).name;
        marks.push_back({use.user, Mark::Part::operand, use.operand});
      }
    }
    const std::size_t inner = id >= 0 ? s_.v.values[static_cast<std::size_t>(id)].inner_uses : 0;
    const bool miscounted = s_.m.obstacles.empty() && s_.graph.num_uses(value) != inner;
    if (others.empty() && !returned && !miscounted)
      return;
    std::string found = returned ? fmt::format("{} is an output of the graph", s_.name(value)) : std::string();
    if (!others.empty())
      found += fmt::format("{}{}", found.empty() ? s_.name(value) + " is also used by " : " and used by ", others);
    if (found.empty())
      found = fmt::format("{} is read {} by what is matched, not {}", s_.name(value),
                          counted(s_.graph.num_uses(value), "time"), inner);
    FailedPredicate& f =
        s_.fail(Cause::other_use, n.source->span,
                id >= 0 ? fmt::format("%{} has no other user", s_.v.values[static_cast<std::size_t>(id)].name)
                        : fmt::format("result {} of {} has no user", r, describe_node(s_.set, s_.v, i)),
                std::move(found));
    f.detail = fmt::format("{}{}", returned ? "returned " : "", ops);
    f.marks = std::move(marks);
    f.marks.push_back({s_.node(i), Mark::Part::result, static_cast<std::uint32_t>(r)});
    f.in_graph = returned && others.empty() ? fmt::format("do not return {}", s_.name(value))
                                            : fmt::format("have no other user of {}", s_.name(value));
    f.in_pattern = fmt::format(
        "write 'keep' in front of the {}{}: it stays for its other users, and the new node may "
        "read it; or 'recompute' where it is cheap",
        s_.set.context->op(n.op).name, at_line(n.source->span));
  }

  // --- guards -----------------------------------------------------------------------------------------------------

  int value_of(const Expr& e) const {
    const auto it =
        std::find_if(s_.v.values.begin(), s_.v.values.end(), [&](const auto& v) { return v.name == e.text; });
    return it == s_.v.values.end() ? -1 : static_cast<int>(it - s_.v.values.begin());
  }

  bool is_ready(const Expr& e) const {
    auto known = [&](const std::vector<std::string>& names, const std::vector<bool>& flags) {
      const auto it = std::find(names.begin(), names.end(), e.text);
      return it == names.end() || flags[static_cast<std::size_t>(it - names.begin())];
    };
    bool ready = true;
    if (e.kind == Expr::Kind::name)
      ready = known(s_.v.dims, s_.dims_known) && known(s_.v.types, s_.types_known);
    if (e.kind == Expr::Kind::capture)
      ready = known(s_.v.captures, s_.captures_known);
    if (is_about_value(e))
      ready = value_of(e) >= 0 && s_.is_known(static_cast<std::size_t>(value_of(e)));
    return ready && std::all_of(e.args.begin(), e.args.end(), [&](const Expr& a) { return is_ready(a); });
  }

  void check_guards() {
    for (const Guard& g : s_.v.source.pattern.where) {
      if (std::all_of(g.args.begin(), g.args.end(), [&](const Expr& e) { return is_ready(e); }))
        check_guard(g);
    }
  }

  void check_guard(const Guard& g) {
    if (!g.predicate.empty()) {
      check_predicate(g);
      return;
    }
    const auto bind = [&](const Expr& e) { return bind_expr(*s_.set.context, s_.v, with_uses_counted(e), g.span); };
    const auto a = evaluate(bind(g.args[0]), s_.bound);
    bool holds = false;
    if (a && g.compare == Compare::one_of) {
      holds = std::any_of(g.args[1].args.begin(), g.args[1].args.end(), [&](const Expr& e) {
                const auto b = evaluate(bind(e), s_.bound);
                return b && compare_attributes(s_.graph, Compare::equal, *a, *b);
              }) != g.negated;
    } else if (a) {
      const auto b = evaluate(bind(g.args[1]), s_.bound);
      holds = b && compare_attributes(s_.graph, g.compare, *a, *b) != g.negated;
    }
    if (holds)
      return;
    std::string values;
    for (const Expr& e : g.args)
      list_values(e, values);
    FailedPredicate& f = s_.fail(Cause::guard, g.span, to_string(g),
                                 values.empty() ? "it does not hold" : "it does not hold where " + values);
    f.in_pattern = fmt::format("loosen the condition{}", at_line(g.span));
    for (const Expr& e : g.args)
      mark_counted(e, f);
  }

  /// Points at the values whose uses a condition counts.
  void mark_counted(const Expr& e, FailedPredicate& f) const {
    if (e.kind == Expr::Kind::uses) {
      const Value v = s_.value(static_cast<std::size_t>(value_of(e)));
      if (const Node def = s_.graph.def_node(v))
        f.marks.push_back({def, Mark::Part::result, s_.graph.result_index(v)});
    }
    for (const Expr& a : e.args)
      mark_counted(a, f);
  }

  std::size_t uses_of(const Expr& e) const {
    return s_.graph.num_uses(s_.value(static_cast<std::size_t>(value_of(e))));
  }

  Expr with_uses_counted(Expr e) const {
    if (e.kind == Expr::Kind::uses) {
      e.integer = static_cast<std::int64_t>(uses_of(e));
      e.kind = Expr::Kind::integer;
    }
    for (Expr& a : e.args)
      a = with_uses_counted(std::move(a));
    return e;
  }

  void check_predicate(const Guard& g) {
    const Predicate* p = find_predicate(g.predicate);
    std::vector<Value> values;
    for (const Expr& e : g.args)
      values.push_back(s_.value(static_cast<std::size_t>(value_of(e))));
    if (p == nullptr || p->holds(s_.graph, values) != g.negated)
      return;
    std::string found, detail;
    for (const Value v : values) {
      const std::string is = describe_value(s_.graph, s_.names, v);
      const std::string type = to_string(s_.graph.type(v));
      found += fmt::format("{}{} ({}, {})", found.empty() ? "" : "; ", is, type, counted(s_.graph.num_uses(v), "use"));
      detail += fmt::format("{}{} ({})", detail.empty() ? "" : "; ", is.substr(is.find(' ') + 1), type);
    }
    FailedPredicate& f = s_.fail(Cause::guard, g.span, to_string(g), std::move(found));
    f.detail = std::move(detail);
    for (const Value v : values) {
      if (const Node def = s_.graph.def_node(v))
        f.marks.push_back({def, Mark::Part::result, s_.graph.result_index(v)});
    }
    f.in_graph = fmt::format("{}{} must be true: {}", g.negated ? "not " : "", g.predicate, p->doc);
    f.in_pattern = fmt::format("remove the condition{}", at_line(g.span));
  }

  void list_values(const Expr& e, std::string& out) const {
    std::string text;
    auto slot = [&](const std::vector<std::string>& names) {
      return static_cast<std::size_t>(std::find(names.begin(), names.end(), e.text) - names.begin());
    };
    if (e.kind == Expr::Kind::name && slot(s_.v.dims) < s_.v.dims.size())
      text = fmt::format("{} = {}", e.text, to_string(s_.bound.dims[slot(s_.v.dims)]));
    else if (e.kind == Expr::Kind::name && slot(s_.v.types) < s_.v.types.size())
      text = fmt::format("{} = {}", e.text, to_string(s_.bound.dtypes[slot(s_.v.types)]));
    else if (e.kind == Expr::Kind::capture && slot(s_.v.captures) < s_.v.captures.size())
      text = fmt::format("${} = {}", e.text, to_string(s_.bound.captures[slot(s_.v.captures)]));
    else if (e.kind == Expr::Kind::uses)
      text = fmt::format("uses(%{}) = {} ({})", e.text, uses_of(e),
                         reader_ops(s_.graph, s_.value(static_cast<std::size_t>(value_of(e)))));
    if (!text.empty() && out.find(text) == std::string::npos)
      out += (out.empty() ? "" : ", ") + text;
    for (const Expr& a : e.args)
      list_values(a, out);
  }

  SoftState& s_;
  std::vector<std::uint32_t> late_between_;  // found when all was bound
  std::vector<std::size_t> late_readers_;
};

}  // namespace

std::vector<FailedPredicate> check_softly(const CompiledSet& set, const Graph& graph, const ValueNames& names,
                                          const CompiledVariant& variant, const SoftMatch& match, std::size_t enough) {
  SoftState state(set, graph, names, variant, match);
  SoftChecker(state).run(enough);
  return std::move(state.failures);
}

}  // namespace tandem
