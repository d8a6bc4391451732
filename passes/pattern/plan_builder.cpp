#include <tandem/passes/pattern/plan_builder.h>

#include <algorithm>
#include <array>
#include <deque>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/predicates.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

constexpr std::uint8_t unassigned = 0xff;

template <class T>
std::uint32_t intern(std::vector<T>& pool, const T& value) {
  const auto it = std::find(pool.begin(), pool.end(), value);
  if (it != pool.end())
    return static_cast<std::uint32_t>(it - pool.begin());
  pool.push_back(value);
  return static_cast<std::uint32_t>(pool.size() - 1);
}

std::uint32_t dtype_mask(const std::vector<std::string>& names) {
  if (names.empty())
    return (1U << num_dtypes) - 1;
  std::uint32_t mask = 0;
  for (const std::string& n : names)
    mask |= 1U << static_cast<unsigned>(*parse_dtype(n));
  return mask;
}

class PlanBuilder {
 public:
  PlanBuilder(CompiledSet& set, CompiledVariant& variant, std::size_t anchor)
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

  MatchPlan build() {
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

 private:
  [[noreturn]] void fail(const Span& span, std::string_view code, std::string message, std::string help = {}) const {
    throw Error(pattern_problem(pattern_, span, code, std::move(message), std::move(help)));
  }

  void add(const Step& step, const Span& span, std::string text) {
    plan_.steps.push_back(step);
    plan_.spans.push_back(span);
    plan_.texts.push_back(std::move(text));
  }

  static void set_arity(Step& step, const PatternNode& n) {
    step.low = static_cast<std::uint8_t>(n.operands.size());
    step.high = n.rest_operands >= 0 ? unbounded : step.low;
    step.results_low = static_cast<std::uint8_t>(n.results.size());
    step.results_high = n.rest_results ? unbounded : step.results_low;
  }

  const std::string& op_name(OpId op) const { return set_.context->op(op).name; }

  // --- binding nodes
  // -------------------------------------------------------------------------------------------------------

  void bind(int node, Step step) {
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

  /// Counts operands and results where nodes of the op differ in them.
  void test_arity(const PatternNode& n, std::uint8_t reg) {
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

  /// Another node than those of its op that are bound already: known here, a wrong choice is given up before others are
  /// made behind it.
  void test_distinct(const PatternNode& n, std::uint8_t reg) {
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

  bool is_bound(int value) const { return plan_.values[static_cast<std::size_t>(value)].node != unassigned; }

  void walk_up() {
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

  void visit_operand(const PatternNode& n, std::uint8_t reg, std::size_t k) {
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

  /// Whether the first two operands of a node may stand in either order, and `k` is one of them.
  bool may_cross(const PatternNode& n, std::size_t k) const {
    return set_.context->op(n.op).has(trait::commutative) && n.operands.size() >= 2 && k < 2 &&
           n.operands[0] != n.operands[1];
  }

  /// Asks of every value that is bound whether the nodes that read it can be there at all.
  void look_down() {
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

  /// Binds one more node through a use of a bound value. False when all are bound.
  bool walk_down() {
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
  bool commuted_by_down(std::uint8_t reg) const {
    return std::find(commuted_by_down_.begin(), commuted_by_down_.end(), reg) != commuted_by_down_.end();
  }

  // --- attributes
  // ------------------------------------------------------------------------------------------------------------

  void test_attrs(const PatternNode& n, std::uint8_t reg) {
    const OpDef& def = set_.context->op(n.op);
    for (std::size_t i = 0; i < def.attrs.size(); ++i) {
      bool mentioned = false;
      for (const AttrPattern& a : n.source->attrs) {
        if (a.name != def.attrs[i].name)
          continue;
        mentioned = true;
        test_attr(n, reg, def, static_cast<std::uint8_t>(i), a);
      }
      if (mentioned)
        continue;
      Step s;
      s.kind = StepKind::attr_is;
      s.node = reg;
      s.index = static_cast<std::uint8_t>(i);
      s.arg = static_cast<std::uint32_t>(def.attrs[i].default_value.kind());
      s.payload = def.attrs[i].default_value.bits();
      add(s, n.source->span,
          fmt::format("{} of {} has its default, {}", def.attrs[i].name, def.name,
                      to_string(def.attrs[i].default_value)));
    }
  }

  void test_attr(const PatternNode& n, std::uint8_t reg, const OpDef& def, std::uint8_t i, const AttrPattern& a) {
    if (a.compare == Compare::any)
      return;
    const AttrDef& attr = def.attrs[i];
    const Span& span = a.span.line != 0 ? a.span : n.source->span;
    Step s;
    s.node = reg;
    s.index = i;
    if (a.compare == Compare::equal && a.value.kind == Expr::Kind::capture) {
      const auto c = static_cast<std::uint8_t>(std::find(v_.captures.begin(), v_.captures.end(), a.value.text) -
                                               v_.captures.begin());
      s.slot = c;
      s.kind = capture_known_[c] ? StepKind::attr_same : StepKind::attr_bind;
      capture_known_[c] = true;
      add(s, span, fmt::format("{} of {} is ${}", attr.name, def.name, a.value.text));
      return;
    }
    if (attr.kind == AttrKind::dims && a.compare == Compare::equal && a.value.kind == Expr::Kind::list) {
      test_list(n, s, attr, a, span);
      return;
    }
    if (attr.kind == AttrKind::dim && a.compare == Compare::equal) {
      Equation e;
      e.source = Equation::Source::dim_attr;
      e.node = reg;
      e.attr = i;
      add_equation(e, a.value, span, fmt::format("{} of {}", attr.name, def.name));
      return;
    }
    if (a.compare == Compare::one_of) {
      std::vector<Attribute> list;
      for (const Expr& element : a.value.args)
        list.push_back(literal(attr, element, span));
      s.kind = StepKind::attr_compare;
      s.low = static_cast<std::uint8_t>(Compare::one_of);
      s.arg = intern(set_.constant_lists, list);
      add(s, span, fmt::format("{} of {} is in {}", attr.name, def.name, to_string(a.value)));
      return;
    }
    const Attribute value = literal(attr, a.value, span);
    if (a.compare == Compare::equal) {
      s.kind = attr.name == "axis" && attr.kind == AttrKind::integer ? StepKind::axis_is : StepKind::attr_is;
      s.arg = static_cast<std::uint32_t>(attr.kind);
      s.payload = value.bits();
      add(s, span, fmt::format("{} of {} is {}", attr.name, def.name, to_string(a.value)));
      return;
    }
    if (attr.kind != AttrKind::integer && attr.kind != AttrKind::real && attr.kind != AttrKind::dim &&
        a.compare != Compare::not_equal) {
      fail(span, "pattern.attribute-kind",
           fmt::format("'{}' of op '{}' is a {} and has no order", attr.name, def.name, to_string(attr.kind)));
    }
    s.kind = StepKind::attr_compare;
    s.low = static_cast<std::uint8_t>(a.compare);
    s.arg = intern(set_.constants, value);
    static constexpr std::string_view words[] = {"is",       "is not",      "is below", "is at most",
                                                 "is above", "is at least", "is among", "is"};
    add(s, span,
        fmt::format("{} of {} {} {}", attr.name, def.name, words[static_cast<std::size_t>(a.compare)],
                    to_string(a.value)));
  }

  void test_list(const PatternNode& n, Step s, const AttrDef& attr, const AttrPattern& a, const Span& span) {
    const OpDef& def = set_.context->op(n.op);
    const bool open = !a.value.args.empty() && a.value.args.back().kind == Expr::Kind::rest;
    const std::size_t count = a.value.args.size() - (open ? 1 : 0);
    if (attr.name == "axes" && !open) {
      std::vector<Attribute> axes;
      for (const Expr& e : a.value.args) {
        const auto linear = linear_form(v_, e);
        if (!linear || !linear->terms.empty())
          fail(span, "pattern.attribute-kind", "axes must be integers");
        axes.push_back(Attribute::of(linear->constant));
      }
      s.kind = StepKind::axes_are;
      s.arg = intern(set_.constant_lists, axes);
      add(s, span, fmt::format("axes of {} are {}", def.name, to_string(a.value)));
      return;
    }
    s.kind = StepKind::list_length;
    s.low = static_cast<std::uint8_t>(count);
    s.high = open ? unbounded : s.low;
    add(s, span,
        fmt::format("{} of {} has {}{}", attr.name, def.name, open ? "at least " : "", counted(count, "element")));
    for (std::size_t i = 0; i < count; ++i) {
      Equation e;
      e.source = Equation::Source::list_element;
      e.node = s.node;
      e.attr = s.index;
      e.index = static_cast<std::uint8_t>(i);
      add_equation(e, a.value.args[i], span, fmt::format("{}[{}] of {}", attr.name, i, def.name));
    }
  }

  Attribute literal(const AttrDef& attr, const Expr& e, const Span& span) {
    const auto value = [&]() -> std::optional<AttrValue> {
      switch (e.kind) {
        case Expr::Kind::boolean: return AttrValue(e.boolean);
        case Expr::Kind::integer: return AttrValue(e.integer);
        case Expr::Kind::real: return AttrValue(e.real);
        case Expr::Kind::string: return AttrValue(e.text);
        case Expr::Kind::name:
          if (const auto dtype = parse_dtype(e.text))
            return AttrValue(*dtype);
          return std::nullopt;
        case Expr::Kind::neg:
          if (e.args[0].kind == Expr::Kind::integer)
            return AttrValue(-e.args[0].integer);
          if (e.args[0].kind == Expr::Kind::real)
            return AttrValue(-e.args[0].real);
          return std::nullopt;
        case Expr::Kind::list: {
          std::vector<Dim> dims;
          for (const Expr& x : e.args) {
            const auto linear = linear_form(v_, x);
            if (!linear || !linear->terms.empty())
              return std::nullopt;
            dims.emplace_back(linear->constant);
          }
          return AttrValue(std::move(dims));
        }
        default: return std::nullopt;
      }
    }();
    const Attribute fitted = value ? fit_attribute(*set_.context, attr.kind, *value) : Attribute();
    if (!fitted) {
      fail(span, "pattern.attribute-kind",
           fmt::format("'{}' is no value for attribute '{}', which is a {}", to_string(e), attr.name,
                       to_string(attr.kind)),
           attr.kind == AttrKind::dtype ? "a dtype that varies is captured: dtype = $dtype" : "");
    }
    return fitted;
  }

  // --- types and dims
  // --------------------------------------------------------------------------------------------------------

  void add_equation(Equation e, const Expr& expr, const Span& span, const std::string& what) {
    if (mentions({expr}, Expr::Kind::value) || mentions({expr}, Expr::Kind::uses))
      fail(span, "pattern.dim-expression", fmt::format("'{}' speaks of a value, not of dims", to_string(expr)));
    if (const auto linear = linear_form(v_, expr)) {
      e.linear = *linear;
    } else {
      e.general = static_cast<int>(set_.expressions.size());
      set_.expressions.push_back(bind_expr(*set_.context, v_, expr, span));
    }
    pending_.push_back({e, &expr, span, fmt::format("{} is {}", what, to_string(expr))});
  }

  void test_values() {
    for (std::size_t i = 0; i < v_.values.size(); ++i) {
      if (type_done_[i] || plan_.values[i].node == unassigned)
        continue;
      type_done_[i] = true;
      test_type(v_.values[i], plan_.values[i]);
    }
    solve();
  }

  void test_type(const PatternValue& value, ValueRef ref) {
    const TypePattern& t = value.type;
    Step s;
    s.value = ref;
    if (!t.dtype.empty()) {
      if (const auto dtype = parse_dtype(t.dtype)) {
        s.kind = StepKind::dtype_in;
        s.arg = 1U << static_cast<unsigned>(*dtype);
        add(s, value.span, fmt::format("%{} has dtype {}", value.name, t.dtype));
      } else {
        const auto var =
            static_cast<std::size_t>(std::find(v_.types.begin(), v_.types.end(), t.dtype) - v_.types.begin());
        s.slot = static_cast<std::uint8_t>(var);
        s.kind = type_known_[var] ? StepKind::dtype_same : StepKind::dtype_bind;
        if (!type_known_[var])
          s.arg = dtype_mask(pattern_.types[var].dtypes);
        const std::string among = s.kind == StepKind::dtype_bind && !pattern_.types[var].dtypes.empty()
                                      ? fmt::format(", one of {}", fmt::join(pattern_.types[var].dtypes, ", "))
                                      : "";
        add(s, value.span, fmt::format("%{} has dtype {}{}", value.name, t.dtype, among));
        type_known_[var] = true;
      }
    }
    if (!t.has_shape)
      return;
    s = Step{};
    s.kind = StepKind::rank;
    s.value = ref;
    s.low = static_cast<std::uint8_t>(t.dims.size());
    s.high = t.open ? unbounded : s.low;
    add(s, value.span,
        fmt::format("%{} has {}{}", value.name, t.open ? "at least " : "", counted(t.dims.size(), "dim")));
    if (!t.leading.empty()) {
      const auto l =
          static_cast<std::size_t>(std::find(v_.leading.begin(), v_.leading.end(), t.leading) - v_.leading.begin());
      s = Step{};
      s.kind = leading_known_[l] ? StepKind::leading_same : StepKind::leading_bind;
      s.value = ref;
      s.slot = static_cast<std::uint8_t>(l);
      s.low = static_cast<std::uint8_t>(t.dims.size());
      add(s, value.span, fmt::format("the leading dims of %{} are {}", value.name, t.leading));
      leading_known_[l] = true;
    }
    for (std::size_t i = 0; i < t.dims.size(); ++i) {
      Equation e;
      e.source = Equation::Source::from_end;
      e.value = ref;
      e.index = static_cast<std::uint8_t>(t.dims.size() - 1 - i);
      add_equation(e, t.dims[i], value.span,
                   fmt::format("dim {} of %{}", static_cast<int>(i) - static_cast<int>(t.dims.size()), value.name));
    }
  }

  /// Emits every pending equation that has at most one unknown, until none is left that has.
  void solve() {
    for (bool progress = true; progress;) {
      progress = false;
      for (std::size_t i = 0; i < pending_.size(); ++i) {
        Pending& p = pending_[i];
        if (p.equation.general >= 0) {
          if (!all_known(*p.expr))
            continue;
        } else {
          int unknown = -1;
          int unknowns = 0;
          for (std::size_t t = 0; t < p.equation.linear.terms.size(); ++t) {
            if (dim_known_[p.equation.linear.terms[t].second])
              continue;
            unknown = static_cast<int>(t);
            ++unknowns;
          }
          if (unknowns > 1)
            continue;
          p.equation.unknown = unknown;
          if (unknown >= 0)
            dim_known_[p.equation.linear.terms[static_cast<std::size_t>(unknown)].second] = true;
        }
        Step s;
        s.kind = StepKind::equation;
        s.arg = intern(set_.equations, p.equation);
        add(s, p.span, p.text);
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
        progress = true;
        break;
      }
    }
  }

  bool all_known(const Expr& e) const {
    if (e.kind == Expr::Kind::name) {
      const auto it = std::find(v_.dims.begin(), v_.dims.end(), e.text);
      if (it != v_.dims.end() && !dim_known_[static_cast<std::size_t>(it - v_.dims.begin())])
        return false;
    }
    if (e.kind == Expr::Kind::capture) {
      const auto it = std::find(v_.captures.begin(), v_.captures.end(), e.text);
      if (it != v_.captures.end() && !capture_known_[static_cast<std::size_t>(it - v_.captures.begin())])
        return false;
    }
    return std::all_of(e.args.begin(), e.args.end(), [&](const Expr& a) { return all_known(a); });
  }

  void require_solved() {
    std::vector<std::string> used;
    for (const Pending& p : pending_)
      collect_names(*p.expr, used);
    for (const Guard& g : pattern_.where) {
      for (const Expr& e : g.args)
        collect_names(e, used);
    }
    for (const RewriteNode& n : pattern_.rewrite) {
      for (const AttrPattern& a : n.attrs)
        collect_names(a.value, used);
    }
    std::string unknown;
    for (std::size_t d = 0; d < dim_known_.size(); ++d) {
      if (dim_known_[d] || std::find(used.begin(), used.end(), v_.dims[d]) == used.end())
        continue;
      unknown += (unknown.empty() ? "" : ", ") + v_.dims[d];
    }
    if (!unknown.empty() || !pending_.empty()) {
      fail(pattern_.span, "pattern.unsolved-dims",
           fmt::format("dims that cannot be determined from what matches: {}", unknown),
           "mention each alone somewhere, as in %w: T[Q], or remove it");
    }
  }

  static void collect_names(const Expr& e, std::vector<std::string>& out) {
    if (e.kind == Expr::Kind::name)
      out.push_back(e.text);
    for (const Expr& a : e.args)
      collect_names(a, out);
  }

  // --- what needs all nodes
  // --------------------------------------------------------------------------------------------------

  void test_uses() {
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

  BoundExpr bind_guard_expr(const Expr& e, const Span& span) {
    BoundExpr out = bind_expr(*set_.context, v_, e, span);
    place_values(e, out, span);
    return out;
  }
  void place_values(const Expr& e, BoundExpr& out, const Span& span) {
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

  void add_guards() {
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

  /// A negative part hangs on values of the match; its own nodes get registers beyond those of the match.
  void add_unless() {
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

  std::vector<Step> negative_part(const Clause& clause, const std::vector<Clause>& nodes) {
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
  static AttrPattern attr(std::string name, Expr::Kind kind) {
    Expr e;
    e.kind = kind;
    return {std::move(name), Compare::equal, e, {}};
  }
  static AttrPattern dtype_attr() {
    Expr e;
    e.kind = Expr::Kind::name;
    e.text = "f32";
    return {"dtype", Compare::equal, e, {}};
  }

  /// Takes over the values and names that `outer` has bound.
  void adopt(const PlanBuilder& outer) {
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

  std::vector<Step> walk_from_outside(const Span& span) {
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

  struct Pending {
    Equation equation;
    const Expr* expr;
    Span span;
    std::string text;
  };

  CompiledSet& set_;
  CompiledVariant& v_;
  const Pattern& pattern_;
  std::size_t anchor_ = 0;
  MatchPlan plan_;
  std::deque<int> queue_;
  std::uint8_t next_register_ = 0;
  bool is_negative_ = false;  // of an 'unless' part
  std::vector<std::uint8_t> commuted_by_down_;
  std::array<int, 256> came_by_;  // by register: the operand through which a down step reached it, or -1
  std::vector<bool> dim_known_, capture_known_, type_known_, leading_known_, type_done_;
  std::vector<bool> looked_for_;  // by node: it was asked for at a value that it reads
  std::vector<Pending> pending_;
};

}  // namespace

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
