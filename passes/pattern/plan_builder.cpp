#include <tandem/passes/pattern/plan_builder.h>

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/plan_building.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

PlanBuilder::PlanBuilder(CompiledSet& set, CompiledVariant& variant, std::size_t anchor)
    : set_(set), v_(variant), pattern_(variant.source.pattern) {
  plan_.anchor = v_.nodes[anchor].op;
  plan_.values.assign(v_.values.size(), ValueRef{unassigned, 0, false});
  plan_.registers.assign(v_.nodes.size(), unassigned);
  dim_known_.assign(v_.dims.size(), false);
  capture_known_.assign(v_.captures.size(), false);
  type_known_.assign(v_.types.size(), false);
  leading_known_.assign(v_.leading.size(), false);
  type_done_.assign(v_.values.size(), false);
  anchor_ = anchor;
  came_by_.fill(-1);
}

MatchPlan PlanBuilder::build() {
  bind(static_cast<int>(anchor_), Step{});
  for (;;) {
    walk_up();
    look_down();
    test_values();
    if (!walk_down())
      break;
    ++plan_.num_choices;
  }
  require_solved();
  test_uses();
  plan_.first_condition = plan_.steps.size();
  add_guards();
  add_unless();
  return std::move(plan_);
}

void PlanBuilder::fail(const Span& span, std::string_view code, std::string message, std::string help) const {
  throw Error(pattern_problem(pattern_, span, code, std::move(message), std::move(help)));
}

void PlanBuilder::add(const Step& step, const Span& span, std::string text) {
  plan_.steps.push_back(step);
  plan_.spans.push_back(span);
  plan_.texts.push_back(std::move(text));
}

void PlanBuilder::set_arity(Step& step, const PatternNode& n) {
  step.low = static_cast<std::uint8_t>(n.operands.size());
  step.high = n.rest_operands >= 0 ? unbounded : step.low;
  step.results_low = static_cast<std::uint8_t>(n.results.size());
  step.results_high = n.rest_results ? unbounded : step.results_low;
}

void PlanBuilder::bind(int node, Step step) {
  const PatternNode& n = v_.nodes[static_cast<std::size_t>(node)];
  step.node = next_register_++;
  plan_.registers[static_cast<std::size_t>(node)] = step.node;
  std::string results;
  for (const std::string& r : n.source->results)
    results += (results.empty() ? "%" : ", %") + r;
  add(step, n.source->span, fmt::format("{} is computed by {}", results, op_name(n.op)));
  const std::uint8_t reg = step.node;
  if (step.kind != StepKind::down)
    test_arity(n, reg);
  for (std::size_t r = 0; r < n.results.size(); ++r) {
    if (n.results[r] >= 0) {
      plan_.values[static_cast<std::size_t>(n.results[r])] = {reg, static_cast<std::uint8_t>(r), true};
    }
  }
  if (!is_negative_)
    test_distinct(n, reg);
  test_attrs(n, reg);
  queue_.push_back(node);
}

void PlanBuilder::test_arity(const PatternNode& n, std::uint8_t reg) {
  const OpDef& def = set_.context->op(n.op);
  Step s;
  s.node = reg;
  set_arity(s, n);
  if (s.low > def.min_operands || (s.high != unbounded && (def.variadic_operands || s.high < def.operands.size()))) {
    s.kind = StepKind::num_operands;
    add(s, n.source->span,
        fmt::format("{} has {}{}", def.name, s.high == unbounded ? "at least " : "", counted(s.low, "operand")));
  }
  if (def.variadic_results) {
    s.kind = StepKind::num_results;
    s.low = s.high = 0;
    add(s, n.source->span,
        fmt::format("{} has {}{}", def.name, s.results_high == unbounded ? "at least " : "",
                    counted(s.results_low, "result")));
  }
}

void PlanBuilder::test_distinct(const PatternNode& n, std::uint8_t reg) {
  for (std::size_t i = 0; i < v_.nodes.size(); ++i) {
    if (v_.nodes[i].op != n.op || plan_.registers[i] >= reg)
      continue;
    Step s;
    s.kind = StepKind::distinct;
    s.node = plan_.registers[i];
    s.index = reg;
    add(s, n.source->span, fmt::format("the two {} are two nodes", op_name(n.op)));
  }
}

void PlanBuilder::walk_up() {
  while (!queue_.empty()) {
    const int node = queue_.front();
    queue_.pop_front();
    const PatternNode& n = v_.nodes[static_cast<std::size_t>(node)];
    const std::uint8_t reg = plan_.registers[static_cast<std::size_t>(node)];
    const OpDef& def = set_.context->op(n.op);
    if (def.has(trait::commutative) && n.operands.size() >= 2 && n.operands[0] != n.operands[1] &&
        !commuted_by_down(reg)) {
      Step s;
      s.kind = StepKind::commute;
      s.node = reg;
      add(s, n.source->span, fmt::format("the operands of {} in either order", def.name));
    }
    for (std::size_t k = 0; k < n.operands.size(); ++k)
      visit_operand(n, reg, k);
  }
}

void PlanBuilder::visit_operand(const PatternNode& n, std::uint8_t reg, std::size_t k) {
  const int value = n.operands[k];
  const ValueRef here{reg, static_cast<std::uint8_t>(k), false};
  ValueRef& known = plan_.values[static_cast<std::size_t>(value)];
  const PatternValue& pv = v_.values[static_cast<std::size_t>(value)];
  if (known.node != unassigned) {
    // Known to be there, or the very edge by which the node was reached.
    if (known == here || (came_by_[reg] == static_cast<int>(k) && !commuted_by_down(reg)))
      return;
    Step s;
    s.kind = StepKind::same_value;
    s.value = here;
    s.other = known;
    add(s, n.source->span,
        fmt::format("operand '{}' of {} is %{}", set_.context->op(n.op).operand_name(k), op_name(n.op), pv.name));
    return;
  }
  if (pv.node < 0) {
    known = here;
    return;
  }
  const PatternNode& def = v_.nodes[static_cast<std::size_t>(pv.node)];
  Step s;
  s.kind = StepKind::up;
  s.value = here;
  s.index = static_cast<std::uint8_t>(pv.result);
  s.arg = def.op.index;
  bind(pv.node, s);
}

bool PlanBuilder::may_cross(const PatternNode& n, std::size_t k) const {
  return set_.context->op(n.op).has(trait::commutative) && n.operands.size() >= 2 && k < 2 &&
         n.operands[0] != n.operands[1];
}

void PlanBuilder::look_down() {
  looked_for_.resize(v_.nodes.size(), false);
  for (std::size_t i = 0; i < v_.nodes.size(); ++i) {
    const PatternNode& n = v_.nodes[i];
    for (std::size_t k = 0; k < n.operands.size() && plan_.registers[i] == unassigned && !looked_for_[i]; ++k) {
      if (!is_bound(n.operands[k]))
        continue;
      looked_for_[i] = true;
      Step s;
      s.kind = StepKind::has_user;
      s.value = plan_.values[static_cast<std::size_t>(n.operands[k])];
      s.node = next_register_;
      s.index = static_cast<std::uint8_t>(k);
      s.slot = may_cross(n, k) ? 1 : 0;
      s.arg = n.op.index;
      add(s, n.source->span,
          fmt::format("%{} is read by {}", v_.values[static_cast<std::size_t>(n.operands[k])].name, op_name(n.op)));
    }
  }
}

bool PlanBuilder::walk_down() {
  for (std::size_t i = 0; i < v_.nodes.size(); ++i) {
    if (plan_.registers[i] != unassigned)
      continue;
    const PatternNode& n = v_.nodes[i];
    for (std::size_t k = 0; k < n.operands.size(); ++k) {
      if (!is_bound(n.operands[k]))
        continue;
      Step s;
      s.kind = StepKind::down;
      s.value = plan_.values[static_cast<std::size_t>(n.operands[k])];
      s.index = static_cast<std::uint8_t>(k);
      s.arg = n.op.index;
      set_arity(s, n);
      // A commutative user may read the value at either of its first two operands: the step tries both.
      const bool either = may_cross(n, k);
      s.slot = either ? 1 : 0;
      if (either)
        commuted_by_down_.push_back(next_register_);
      came_by_[next_register_] = static_cast<int>(k);
      bind(static_cast<int>(i), s);
      return true;
    }
  }
  return false;
}

bool PlanBuilder::commuted_by_down(std::uint8_t reg) const {
  return std::find(commuted_by_down_.begin(), commuted_by_down_.end(), reg) != commuted_by_down_.end();
}

void build_plans(CompiledSet& set, CompiledVariant& variant) {
  for (const auto& [op, count] : variant.required_ops) {
    std::optional<std::size_t> best;
    std::size_t fewest = 0;
    for (std::size_t i = 0; i < variant.nodes.size(); ++i) {
      if (variant.nodes[i].op != op)
        continue;
      // Counting the choices needs no steps kept: build into a copy of what steps point at.
      CompiledSet scratch;
      scratch.context = set.context;
      PlanBuilder trial(scratch, variant, i);
      const std::size_t choices = trial.build().num_choices;
      if (!best || choices < fewest) {
        best = i;
        fewest = choices;
      }
    }
    variant.plans.push_back(PlanBuilder(set, variant, *best).build());
  }
}

}  // namespace tandem
