// What a plan asks once all nodes are bound: readers, guards and negative parts.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/plan_building.h>
#include <tandem/passes/pattern/predicates.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

void PlanBuilder::test_uses() {
  for (const PatternNode& n : v_.nodes) {
    if (n.keep || n.recompute)
      continue;
    const std::uint8_t reg = plan_.registers[static_cast<std::size_t>(&n - v_.nodes.data())];
    for (std::size_t r = 0; r < n.results.size(); ++r) {
      const int id = n.results[r];
      if (id >= 0 && v_.values[static_cast<std::size_t>(id)].replaced)
        continue;
      Step s;
      s.kind = StepKind::uses;
      s.value = {reg, static_cast<std::uint8_t>(r), true};
      s.low = id >= 0 ? v_.values[static_cast<std::size_t>(id)].inner_uses : std::uint8_t{0};
      add(s, n.source->span,
          id >= 0 ? fmt::format("%{} has no other user", v_.values[static_cast<std::size_t>(id)].name)
                  : fmt::format("result {} of {} has no user", r, op_name(n.op)));
    }
  }
}

BoundExpr PlanBuilder::bind_guard_expr(const Expr& e, const Span& span) {
  BoundExpr out = bind_expr(*set_.context, v_, e, span);
  place_values(e, out, span);
  return out;
}

void PlanBuilder::place_values(const Expr& e, BoundExpr& out, const Span& span) {
  if (is_about_value(e)) {
    const auto it = std::find_if(v_.values.begin(), v_.values.end(), [&](const auto& v) { return v.name == e.text; });
    if (it == v_.values.end() || plan_.values[static_cast<std::size_t>(it - v_.values.begin())].node == unassigned) {
      fail(span, "pattern.unbound-value", fmt::format("'%{}' is not bound by the match", e.text));
    }
    out.value = plan_.values[static_cast<std::size_t>(it - v_.values.begin())];
  }
  for (std::size_t i = 0; i < e.args.size(); ++i)
    place_values(e.args[i], out.args[i], span);
}

void PlanBuilder::add_guards() {
  for (const Guard& g : pattern_.where) {
    BoundGuard bound;
    bound.source = &g;
    bound.negated = g.negated;
    bound.compare = g.compare;
    if (!g.predicate.empty()) {
      const Predicate* p = find_predicate(g.predicate);
      if (p == nullptr) {
        std::vector<std::string_view> names;
        for (const Predicate& known : predicates())
          names.push_back(known.name);
        fail(g.span, "pattern.predicate",
             fmt::format("no predicate '{}'{}", g.predicate, did_you_mean(g.predicate, names)));
      }
      if (p->arity != g.args.size() ||
          std::any_of(g.args.begin(), g.args.end(), [](const Expr& e) { return e.kind != Expr::Kind::value; })) {
        fail(g.span, "pattern.predicate", fmt::format("'{}' takes {}", g.predicate, counted(p->arity, "value")),
             std::string(p->doc));
      }
      bound.predicate = static_cast<int>(p - predicates().data());
    } else if (mentions(g.args, Expr::Kind::value)) {
      fail(g.span, "pattern.predicate", "a value by itself cannot be compared",
           "compare how often it is read, uses(%x) <= 2, or use a predicate, same_value(%a, %b)");
    }
    for (const Expr& e : g.args)
      bound.args.push_back(bind_guard_expr(e, g.span));
    Step s;
    s.kind = StepKind::guard;
    s.arg = static_cast<std::uint32_t>(set_.guards.size());
    set_.guards.push_back(std::move(bound));
    add(s, g.span, to_string(g));
  }
}

void PlanBuilder::add_unless() {
  for (const Clause& c : pattern_.match) {
    if (c.kind != Clause::Kind::unless)
      continue;
    for (const std::vector<Clause>& branch : c.branches) {
      Step s;
      s.kind = StepKind::unless;
      s.arg = static_cast<std::uint32_t>(set_.sub_programs.size());
      set_.sub_programs.push_back(negative_part(c, branch));
      add(s, c.span, "the 'unless' part does not match");
    }
  }
}

std::vector<Step> PlanBuilder::negative_part(const Clause& clause, const std::vector<Clause>& nodes) {
  // Resolve the part as a pattern of its own whose inputs are what the match has bound.
  Variant part;
  part.pattern.name = pattern_.name;
  part.pattern.types = pattern_.types;
  part.pattern.dims = pattern_.dims;
  part.pattern.span = clause.span;
  part.pattern.match = nodes;
  std::size_t unnamed = 0;
  for (Clause& c : part.pattern.match) {
    if (c.kind != Clause::Kind::node)
      fail(clause.span, "pattern.unless", "an 'unless' part holds plain nodes only");
    c.node.keep = true;
    c.node.recompute = false;
    for (std::string& r : c.node.results) {  // here `_` is a result that nothing else speaks of
      if (r == "_")
        r = fmt::format("_part_of_unless_{}", ++unnamed);
    }
  }
  // Something must be replaced for a pattern to be whole; the part is never rewritten.
  part.pattern.match[0].node.keep = false;
  const std::string& last =
      part.pattern.match[0].node.results.empty() ? std::string() : part.pattern.match[0].node.results[0];
  part.pattern.replacements = {{last, "_part_of_unless_", clause.span}};
  part.pattern.rewrite = {{{"_part_of_unless_"},
                           "full",
                           {},
                           {attr("shape", Expr::Kind::list), attr("value", Expr::Kind::integer), dtype_attr()},
                           clause.span}};
  CompiledVariant sub = resolve(*set_.context, v_.fusion, std::move(part));
  PlanBuilder inner(set_, sub, 0);
  inner.adopt(*this);
  std::vector<Step> steps = inner.walk_from_outside(clause.span);
  if (inner.next_register_ > max_pattern_nodes)
    fail(clause.span, "pattern.too-large", "too many nodes in 'unless'");
  return steps;
}

AttrPattern PlanBuilder::attr(std::string name, Expr::Kind kind) {
  Expr e;
  e.kind = kind;
  return {std::move(name), Compare::equal, e, {}};
}

AttrPattern PlanBuilder::dtype_attr() {
  Expr e;
  e.kind = Expr::Kind::name;
  e.text = "f32";
  return {"dtype", Compare::equal, e, {}};
}

void PlanBuilder::adopt(const PlanBuilder& outer) {
  is_negative_ = true;
  next_register_ = outer.next_register_;
  for (std::size_t i = 0; i < v_.values.size(); ++i) {
    for (std::size_t j = 0; j < outer.v_.values.size(); ++j) {
      if (v_.values[i].name == outer.v_.values[j].name)
        plan_.values[i] = outer.plan_.values[j];
    }
  }
  dim_known_.assign(v_.dims.size(), true);
  type_known_.assign(v_.types.size(), true);
  // Captures keep their slots: those of the match first, the part's own after them.
  std::vector<std::string> captures = outer.v_.captures;
  for (const std::string& c : v_.captures) {
    if (std::find(captures.begin(), captures.end(), c) == captures.end())
      captures.push_back(c);
  }
  if (captures.size() > max_pattern_captures)
    fail(pattern_.span, "pattern.too-large", "too many captures");
  v_.captures = captures;
  capture_known_.assign(captures.size(), false);
  std::fill_n(capture_known_.begin(), outer.v_.captures.size(), true);
}

std::vector<Step> PlanBuilder::walk_from_outside(const Span& span) {
  bool anchored = false;
  // A node of the part whose result the match has bound is reached upwards, the others from their operands.
  for (std::size_t i = 0; i < v_.nodes.size() && !anchored; ++i) {
    for (std::size_t r = 0; r < v_.nodes[i].results.size(); ++r) {
      const int id = v_.nodes[i].results[r];
      if (id < 0 || !is_bound(id))
        continue;
      Step s;
      s.kind = StepKind::up;
      s.value = plan_.values[static_cast<std::size_t>(id)];
      s.index = static_cast<std::uint8_t>(r);
      s.arg = v_.nodes[i].op.index;
      bind(static_cast<int>(i), s);
      anchored = true;
      break;
    }
  }
  if (!anchored && !walk_down()) {
    fail(span, "pattern.unless", "the 'unless' part shares no value with the match");
  }
  do {
    walk_up();
    test_values();
  } while (walk_down());
  return std::move(plan_.steps);
}

}  // namespace tandem
