#include <tandem/passes/pattern/builder.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

Span span_of(const CodeLocation& loc) {
  return {loc.file_name(), loc.line(), loc.column()};
}

std::vector<std::string> names_of(std::initializer_list<PatternValueName> values) {
  std::vector<std::string> names;
  for (const PatternValueName& v : values)
    names.push_back(v.name);
  return names;
}

TypePattern type_pattern(const PatternType& type, const PatternShape& shape) {
  TypePattern out;
  out.dtype = type.name;
  out.has_shape = shape.constrained;
  out.open = shape.open;
  out.leading = shape.leading;
  for (const PatternExpr& d : shape.dims)
    out.dims.push_back(d.expr());
  return out;
}

}  // namespace

NodeMatcher& NodeMatcher::attr(std::string_view name, PatternExpr value, Compare compare) {
  node().attrs.push_back({std::string(name), compare, value.expr(), node().span});
  return *this;
}
NodeMatcher& NodeMatcher::ignore(std::string_view name) {
  return attr(name, 0, Compare::any);
}
NodeMatcher& NodeMatcher::keep() {
  node().keep = true;
  return *this;
}
NodeMatcher& NodeMatcher::recompute() {
  node().recompute = true;
  return *this;
}
NodeMatcher& NodeMatcher::optional() {
  node().optional = true;
  return *this;
}
NodeMatcher& NodeMatcher::type(PatternType type, PatternShape shape) {
  node().types.push_back(type_pattern(type, shape));
  return *this;
}
PatternValueName NodeMatcher::result(std::string_view name) {
  node().results.emplace_back(name);
  return {std::string(name)};
}

NodeCreator& NodeCreator::attr(std::string_view name, PatternExpr value) {
  RewriteNode& node = (*nodes_)[index_];
  node.attrs.push_back({std::string(name), Compare::equal, value.expr(), node.span});
  return *this;
}
PatternValueName NodeCreator::result(std::string_view name) {
  (*nodes_)[index_].results.emplace_back(name);
  return {std::string(name)};
}

PatternBuilder::PatternBuilder(std::string_view name, Loc loc) {
  pattern_.name = name;
  pattern_.span = span_of(loc);
  branches_.push_back(&pattern_.match);
}

PatternBuilder& PatternBuilder::doc(std::string_view text) {
  pattern_.doc = text;
  return *this;
}
PatternBuilder& PatternBuilder::level(OptLevel level) {
  pattern_.level = level;
  return *this;
}
PatternBuilder& PatternBuilder::pass(std::string_view name) {
  pattern_.pass = name;
  return *this;
}
PatternBuilder& PatternBuilder::flag(std::string_view name) {
  pattern_.flag = name;
  return *this;
}
PatternBuilder& PatternBuilder::numerics(Numerics numerics) {
  pattern_.numerics = numerics;
  return *this;
}
PatternBuilder& PatternBuilder::requires_kernel(std::string_view op) {
  pattern_.kernels.emplace_back(op);
  return *this;
}
PatternBuilder& PatternBuilder::platform(std::string_view name) {
  pattern_.platforms.emplace_back(name);
  return *this;
}
PatternBuilder& PatternBuilder::benefit(int benefit) {
  pattern_.benefit = benefit;
  return *this;
}
PatternBuilder& PatternBuilder::family(std::string_view variable, std::initializer_list<std::string_view> values) {
  pattern_.families.push_back({std::string(variable), {values.begin(), values.end()}});
  return *this;
}

PatternExpr PatternBuilder::dim(std::string_view name) {
  pattern_.dims.emplace_back(name);
  Expr e;
  e.kind = Expr::Kind::name;
  e.text = name;
  return PatternExpr(std::move(e));
}

PatternType PatternBuilder::dtype(std::string_view name, std::initializer_list<DType> among) {
  TypeVariable variable{std::string(name), {}};
  for (DType d : among)
    variable.dtypes.emplace_back(to_string(d));
  pattern_.types.push_back(std::move(variable));
  return PatternType(name);
}

PatternValueName PatternBuilder::input(std::string_view name, PatternType type, PatternShape shape, Loc loc) {
  InputPattern in;
  in.name = name;
  in.type = type_pattern(type, shape);
  in.span = span_of(loc);
  pattern_.inputs.push_back(std::move(in));
  return {std::string(name)};
}

NodeMatcher PatternBuilder::match(std::string_view op, std::initializer_list<PatternValueName> operands, Loc loc) {
  Clause c;
  c.span = span_of(loc);
  c.node.op = op;
  c.node.operands = names_of(operands);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    for (ThroughPattern step : operands.begin()[i].steps) {
      step.operand = i;
      step.span = c.span;
      c.node.through.push_back(std::move(step));
    }
  }
  c.node.span = c.span;
  clauses().push_back(std::move(c));
  return {&clauses(), clauses().size() - 1};
}

void PatternBuilder::either(std::initializer_list<std::function<void()>> branches, Loc loc) {
  Clause c;
  c.kind = Clause::Kind::either;
  c.span = span_of(loc);
  for (const auto& branch : branches) {
    std::vector<Clause> nodes;
    branches_.push_back(&nodes);
    branch();
    branches_.pop_back();
    c.branches.push_back(std::move(nodes));
  }
  clauses().push_back(std::move(c));
}

void PatternBuilder::unless(const std::function<void()>& part, Loc loc) {
  either({part}, loc);
  clauses().back().kind = Clause::Kind::unless;
}

void PatternBuilder::where(std::string_view predicate, std::initializer_list<PatternValueName> values, bool negated,
                           Loc loc) {
  Guard g;
  g.predicate = predicate;
  g.negated = negated;
  g.span = span_of(loc);
  for (const PatternValueName& v : values) {
    Expr e;
    e.kind = Expr::Kind::value;
    e.text = v.name;
    g.args.push_back(std::move(e));
  }
  pattern_.where.push_back(std::move(g));
}

void PatternBuilder::where(PatternExpr a, Compare compare, PatternExpr b, Loc loc) {
  Guard g;
  g.compare = compare;
  g.args = {a.expr(), b.expr()};
  g.span = span_of(loc);
  pattern_.where.push_back(std::move(g));
}

NodeCreator PatternBuilder::create(std::string_view op, std::initializer_list<PatternValueName> operands, Loc loc) {
  for (const PatternValueName& v : operands) {
    if (!v.steps.empty()) {
      throw Error("pattern.syntax", "'through' belongs into the match",
                  "a new node reads the value itself, or the result of another new node");
    }
  }
  RewriteNode n;
  n.op = op;
  n.operands = names_of(operands);
  n.span = span_of(loc);
  pattern_.rewrite.push_back(std::move(n));
  return {&pattern_.rewrite, pattern_.rewrite.size() - 1};
}

void PatternBuilder::replace(const PatternValueName& matched, const PatternValueName& replacement, Loc loc) {
  pattern_.replacements.push_back({matched.name, replacement.name, span_of(loc)});
}

}  // namespace tandem
