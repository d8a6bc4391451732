#include <tandem/passes/pattern/check_solution.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

Solution::Solution(Context& context, const CompiledVariant& variant, CheckRandom& random, std::int64_t largest_dim,
                   std::span<const std::int64_t> palette)
    : dims(variant.dims.size()),
      dtypes(variant.types.size()),
      captures(variant.captures.size()),
      leading(variant.leading.size()),
      types(variant.values.size()),
      context_(&context),
      variant_(&variant),
      random_(&random),
      largest_dim_(largest_dim),
      palette_(palette) {}

bool Solution::choose_dtypes(std::optional<DType> forced) {
  const auto& variables = variant_->source.pattern.types;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    constexpr DType common[] = {DType::bf16, DType::f16, DType::f32};
    dtypes[i] = variables[i].dtypes.empty() ? random_->pick(common) : parse_dtype(random_->pick(variables[i].dtypes));
    if (i == 0 && forced)
      dtypes[i] = *forced;
  }
  return true;
}

Dim Solution::random_dim() {
  const Dim d = propose_dim(*random_, largest_dim_, palette_);
  if (!allow_symbols || !random_->percent(6))
    return d;
  symbols.emplace_back(fmt::format("S{}", symbols.size()), d.constant());
  return context_->symbol(symbols.back().first);
}

bool Solution::bind_names(const Expr& e) {
  if (e.kind == Expr::Kind::name) {
    const int d = slot_of(variant_->dims, e.text);
    if (d >= 0 && !dims[static_cast<std::size_t>(d)])
      dims[static_cast<std::size_t>(d)] = random_dim();
  }
  if (e.kind == Expr::Kind::capture) {
    const int c = slot_of(variant_->captures, e.text);
    return c >= 0 && captures[static_cast<std::size_t>(c)];
  }
  return std::all_of(e.args.begin(), e.args.end(), [&](const Expr& a) { return bind_names(a); });
}

std::optional<Attribute> Solution::value(const Expr& e, AttrKind kind) {
  if (!bind_names(e))
    return std::nullopt;
  MatchState state;
  for (std::size_t i = 0; i < dims.size(); ++i)
    state.dims[i] = dims[i].value_or(Dim(0));
  for (std::size_t i = 0; i < captures.size(); ++i)
    state.captures[i] = captures[i];
  for (std::size_t i = 0; i < dtypes.size(); ++i)
    state.dtypes[i] = dtypes[i].value_or(DType::f32);
  try {
    const BoundExpr bound = bind_expr(*context_, *variant_, e, {});
    return kind == AttrKind::none ? evaluate(bound, state) : evaluate_as(*context_, kind, bound, state);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// --- types -----------------------------------------------------------------------------------------------------------

bool Solution::solve(const Expr& e, Dim actual) {
  const auto linear = linear_form(*variant_, e);
  if (!linear) {
    const auto v = value(e, AttrKind::dim);
    return v && v->dim() == actual;
  }
  try {
    std::vector<std::size_t> unknown;
    Dim rest = actual - Dim(linear->constant);
    for (std::size_t i = 0; i < linear->terms.size(); ++i) {
      const auto [coefficient, variable] = linear->terms[i];
      if (const auto& d = dims[variable]) {
        rest = rest - Dim(coefficient) * *d;
      } else {
        unknown.push_back(i);
      }
    }
    while (unknown.size() > 1) {  // all but one are drawn from what is left
      const auto [coefficient, variable] = linear->terms[unknown.back()];
      unknown.pop_back();
      const std::int64_t most = rest.is_constant() && coefficient > 0 ? rest.constant() / coefficient : 0;
      if (most < 0)
        return false;
      dims[variable] = Dim(static_cast<std::int64_t>(random_->below(static_cast<std::size_t>(most) + 1)));
      rest = rest - Dim(coefficient) * *dims[variable];
    }
    if (unknown.empty())
      return rest.is(0);
    const auto [coefficient, variable] = linear->terms[unknown[0]];
    if (!mod(rest, Dim(coefficient)).is(0))
      return false;
    const Dim found = floordiv(rest, Dim(coefficient));
    if (found.is_constant() && found.constant() < 0)
      return false;
    dims[variable] = found;
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool Solution::bind_type(const TypePattern& wanted, const TensorType& type) {
  if (!wanted.dtype.empty()) {
    const int t = slot_of(variant_->types, wanted.dtype);
    if (t >= 0 ? dtypes[static_cast<std::size_t>(t)] != type.dtype : parse_dtype(wanted.dtype) != type.dtype)
      return false;
  }
  if (!wanted.has_shape)
    return true;
  const std::size_t last = wanted.dims.size();
  const std::size_t rank = type.shape.rank();
  if (wanted.open ? rank < last : rank != last)
    return false;
  if (!wanted.leading.empty()) {
    auto& bound = leading[static_cast<std::size_t>(slot_of(variant_->leading, wanted.leading))];
    const std::vector<Dim> have(type.shape.begin(), type.shape.begin() + static_cast<std::ptrdiff_t>(rank - last));
    if (bound && *bound != have)
      return false;
    bound = have;
  }
  for (std::size_t i = 0; i < last; ++i) {
    if (!solve(wanted.dims[i], type.shape[rank - last + i]))
      return false;
  }
  return true;
}

std::vector<Dim> Solution::leading_dims(const TypePattern& type) {
  if (!type.open)
    return {};
  std::vector<Dim> fresh = ample ? std::vector<Dim>{4, 8} : propose_leading(*random_);
  if (ample && random_->percent(50))
    fresh = {16};
  if (allow_symbols && !fresh.empty() && random_->percent(15)) {
    symbols.emplace_back(fmt::format("S{}", symbols.size()), fresh[0].constant());
    fresh[0] = context_->symbol(symbols.back().first);
  }
  if (type.leading.empty()) {  // most patterns mean the same by `..` in two places
    if (!last_leading_ || !random_->percent(75))
      last_leading_ = fresh;
    return *last_leading_;
  }
  auto& bound = leading[static_cast<std::size_t>(slot_of(variant_->leading, type.leading))];
  if (!bound)
    bound = fresh;
  return *bound;
}

std::optional<Shape> Solution::choose_shape(const TypePattern& wanted) {
  std::vector<Dim> out = leading_dims(wanted);
  for (const Expr& e : wanted.dims) {
    const auto d = value(e, AttrKind::dim);
    if (!d || (d->dim().is_constant() && d->dim().constant() < 0))
      return std::nullopt;
    out.push_back(d->dim());
  }
  return context_->shape(out);
}

std::optional<TensorType> Solution::choose_type(const TypePattern& wanted, const PartialNode& node, std::size_t i) {
  DType dtype{};
  if (const int t = wanted.dtype.empty() ? -1 : slot_of(variant_->types, wanted.dtype); t >= 0) {
    dtype = *dtypes[static_cast<std::size_t>(t)];
  } else if (!wanted.dtype.empty()) {
    dtype = *parse_dtype(wanted.dtype);
  } else {
    const bool first =
        std::none_of(node.operands.begin(), node.operands.end(), [](const auto& known) { return known.has_value(); });
    dtype = first && !dtypes.empty() && random_->percent(70) ? *random_->pick(dtypes)
                                                             : random_->pick(propose_dtypes(node, i));
  }
  // A tensor of which only the dtype is given is most often a scale.
  if (!wanted.has_shape && parse_dtype(wanted.dtype) && random_->percent(60)) {
    const Shape scales[] = {Shape{}, context_->shape({1})};
    return TensorType{dtype, random_->pick(scales)};
  }
  const bool alone = std::none_of(node.operands.begin(), node.operands.end(), [](const auto& t) { return t; });
  if (wanted.has_shape && (alone || random_->percent(30))) {
    const auto shape = choose_shape(wanted);
    return shape ? std::optional(TensorType{dtype, *shape}) : std::nullopt;
  }
  const TensorType type{dtype, random_->pick(propose_shapes(node, i, *random_))};
  return bind_type(wanted, type) ? std::optional(type) : std::nullopt;
}

}  // namespace tandem
