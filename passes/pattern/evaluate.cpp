// Expressions over what a match bound: dims are combined as dims, reals as doubles.

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/matcher.h>

namespace tandem {

namespace {

std::optional<Dim> as_dim(Attribute a) {
  if (a.kind() == AttrKind::dim)
    return a.dim();
  if (a.kind() == AttrKind::integer && a.integer() >= -Dim::max_constant && a.integer() <= Dim::max_constant) {
    return Dim(a.integer());
  }
  return std::nullopt;
}

std::optional<double> as_real(Attribute a) {
  if (a.kind() == AttrKind::real)
    return a.real();
  if (const auto d = as_dim(a); d && d->is_constant())
    return static_cast<double>(d->constant());
  return std::nullopt;
}

std::optional<Attribute> combine_dims(Expr::Kind kind, Dim a, Dim b) {
  try {
    switch (kind) {
      case Expr::Kind::add: return Attribute::of(a + b);
      case Expr::Kind::sub: return Attribute::of(a - b);
      case Expr::Kind::mul: return Attribute::of(a * b);
      case Expr::Kind::floordiv: return Attribute::of(floordiv(a, b));
      case Expr::Kind::mod: return Attribute::of(mod(a, b));
      case Expr::Kind::div:
        if (mod(a, b).is(0))
          return Attribute::of(floordiv(a, b));
        if (a.is_constant() && b.is_constant() && !b.is(0)) {
          return Attribute::of(static_cast<double>(a.constant()) / static_cast<double>(b.constant()));
        }
        return std::nullopt;
      default: return std::nullopt;
    }
  } catch (const Error&) {  // overflow, division by zero: the expression has no value
    return std::nullopt;
  }
}

std::optional<Attribute> combine_reals(Expr::Kind kind, double a, double b) {
  switch (kind) {
    case Expr::Kind::add: return Attribute::of(a + b);
    case Expr::Kind::sub: return Attribute::of(a - b);
    case Expr::Kind::mul: return Attribute::of(a * b);
    case Expr::Kind::div: return Attribute::of(a / b);
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<Attribute> evaluate(const BoundExpr& e, const MatchState& state, const GraphView* view) {
  switch (e.kind) {
    case Expr::Kind::boolean:
    case Expr::Kind::integer:
    case Expr::Kind::real:
    case Expr::Kind::string: return e.literal;
    case Expr::Kind::name:
      if (e.literal)
        return e.literal;
      return e.is_dtype_variable ? Attribute::of(state.dtypes[e.slot]) : Attribute::of(state.dims[e.slot]);
    case Expr::Kind::capture: return state.captures[e.slot];
    case Expr::Kind::neg: {
      const auto a = evaluate(e.args[0], state, view);
      if (!a)
        return std::nullopt;
      if (a->kind() == AttrKind::real)
        return Attribute::of(-a->real());
      const auto d = as_dim(*a);
      return d ? combine_dims(Expr::Kind::sub, Dim(0), *d) : std::nullopt;
    }
    case Expr::Kind::add:
    case Expr::Kind::sub:
    case Expr::Kind::mul:
    case Expr::Kind::div:
    case Expr::Kind::floordiv:
    case Expr::Kind::mod: {
      const auto a = evaluate(e.args[0], state, view), b = evaluate(e.args[1], state, view);
      if (!a || !b)
        return std::nullopt;
      if (a->kind() != AttrKind::real && b->kind() != AttrKind::real) {
        const auto x = as_dim(*a), y = as_dim(*b);
        return x && y ? combine_dims(e.kind, *x, *y) : std::nullopt;
      }
      const auto x = as_real(*a), y = as_real(*b);
      return x && y ? combine_reals(e.kind, *x, *y) : std::nullopt;
    }
    case Expr::Kind::uses: {
      if (view == nullptr)
        return std::nullopt;
      return Attribute::of(static_cast<std::int64_t>(view->num_uses(value_index(*view, state, e.value))));
    }
    case Expr::Kind::list:
    case Expr::Kind::rest:
    case Expr::Kind::value: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Attribute> evaluate_as(Context& context, AttrKind kind, const BoundExpr& e, const MatchState& state) {
  if (e.kind == Expr::Kind::list) {
    std::vector<Dim> dims;
    std::vector<double> reals;
    for (const BoundExpr& a : e.args) {
      const auto value = evaluate(a, state);
      if (!value)
        return std::nullopt;
      if (const auto d = as_dim(*value))
        dims.push_back(*d);
      if (const auto r = as_real(*value))
        reals.push_back(*r);
    }
    if (kind == AttrKind::dims && dims.size() == e.args.size())
      return Attribute::of(context.shape(dims));
    if (kind == AttrKind::reals && reals.size() == e.args.size())
      return Attribute::of(context.reals(reals));
    return std::nullopt;
  }
  const auto value = evaluate(e, state);
  if (!value)
    return std::nullopt;
  if (value->kind() == kind)
    return value;
  switch (kind) {
    case AttrKind::real:
      if (const auto r = as_real(*value))
        return Attribute::of(*r);
      return std::nullopt;
    case AttrKind::dim:
      if (const auto d = as_dim(*value))
        return Attribute::of(*d);
      return std::nullopt;
    case AttrKind::integer:
      if (const auto d = as_dim(*value); d && d->is_constant())
        return Attribute::of(d->constant());
      return std::nullopt;
    case AttrKind::dims:
      if (const auto d = as_dim(*value))
        return Attribute::of(context.shape({*d}));
      return std::nullopt;
    default: return std::nullopt;
  }
}

}  // namespace tandem
