#include <tandem/passes/pattern/check_solution.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

int find(const std::vector<std::string>& names, std::string_view name) {
  const auto it = std::find(names.begin(), names.end(), name);
  return it == names.end() ? -1 : static_cast<int>(it - names.begin());
}

std::optional<double> number(Attribute a) {
  if (a.kind() == AttrKind::real)
    return a.real();
  if (a.kind() == AttrKind::integer)
    return static_cast<double>(a.integer());
  if (a.kind() == AttrKind::dim && a.dim().is_constant())
    return static_cast<double>(a.dim().constant());
  return std::nullopt;
}

/// `value` as an attribute of `kind`; an int serves where a real or a dim is wanted.
Attribute fitted(Context& context, AttrKind kind, Attribute value) {
  if (kind == AttrKind::none || value.kind() == kind)
    return value;
  if (value.kind() == AttrKind::integer && kind == AttrKind::real)
    return Attribute::of(static_cast<double>(value.integer()));
  if (value.kind() == AttrKind::integer && kind == AttrKind::dim)
    return Attribute::of(Dim(value.integer()));
  if (value.kind() == AttrKind::dim && kind == AttrKind::integer && value.dim().is_constant())
    return Attribute::of(value.dim().constant());
  if (value.kind() == AttrKind::dim && kind == AttrKind::dims)
    return Attribute::of(context.shape({value.dim()}));
  return {};
}

bool has_rest(const Expr& list) {
  return list.kind == Expr::Kind::list && !list.args.empty() && list.args.back().kind == Expr::Kind::rest;
}

}  // namespace

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
    const int d = find(variant_->dims, e.text);
    if (d >= 0 && !dims[static_cast<std::size_t>(d)])
      dims[static_cast<std::size_t>(d)] = random_dim();
  }
  if (e.kind == Expr::Kind::capture) {
    const int c = find(variant_->captures, e.text);
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
    const int t = find(variant_->types, wanted.dtype);
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
    auto& bound = leading[static_cast<std::size_t>(find(variant_->leading, wanted.leading))];
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
  auto& bound = leading[static_cast<std::size_t>(find(variant_->leading, type.leading))];
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
  if (const int t = wanted.dtype.empty() ? -1 : find(variant_->types, wanted.dtype); t >= 0) {
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

// --- attributes ------------------------------------------------------------------------------------------------------

std::optional<bool> Solution::compare(Compare how, Attribute a, Attribute b) {
  if (how == Compare::any)
    return true;
  if (how == Compare::equal || how == Compare::not_equal) {
    const auto x = number(a), y = number(b);
    if (!(x && y) && (a.kind() == AttrKind::dim) != (b.kind() == AttrKind::dim))
      return std::nullopt;
    if (a.kind() == AttrKind::dim && b.kind() == AttrKind::dim && a.dim() != b.dim() && !(x && y))
      return std::nullopt;  // two symbols: who knows
    const bool equal = x && y ? *x == *y : a == b;
    return equal == (how == Compare::equal);
  }
  const auto x = number(a), y = number(b);
  if (!x || !y)
    return std::nullopt;
  switch (how) {
    case Compare::less: return *x < *y;
    case Compare::less_equal: return *x <= *y;
    case Compare::greater: return *x > *y;
    case Compare::greater_equal: return *x >= *y;
    default: return std::nullopt;
  }
}

bool Solution::fits_mentions(const NodePattern& source, std::string_view name, AttrKind kind, Attribute chosen,
                             bool bind) {
  for (const AttrPattern& a : source.attrs) {
    if (a.name != name || a.compare == Compare::any)
      continue;
    if (a.compare == Compare::equal && a.value.kind == Expr::Kind::capture) {
      Attribute& slot = captures[static_cast<std::size_t>(find(variant_->captures, a.value.text))];
      if (slot && slot != chosen)
        return false;
      if (bind)
        slot = chosen;
      continue;
    }
    if (a.compare == Compare::equal)
      continue;  // computed from the expression
    if (a.compare == Compare::one_of) {
      const bool found = std::any_of(a.value.args.begin(), a.value.args.end(), [&](const Expr& e) {
        const auto v = value(e);
        return v && fitted(*context_, kind, *v) == chosen;
      });
      if (!found)
        return false;
      continue;
    }
    const auto bound = value(a.value);
    if (!bound || compare(a.compare, chosen, *bound) != true)
      return false;
  }
  return true;
}

/// The shape that a reshape must ask for so that its result fits a pattern: free dims are divisors of what is left.
std::optional<Attribute> Solution::reshape_target(const TypePattern& result, Shape from) {
  std::vector<Dim> out;
  if (result.open) {
    const int slot = result.leading.empty() ? -1 : find(variant_->leading, result.leading);
    const bool bound = slot >= 0 && leading[static_cast<std::size_t>(slot)];
    const std::size_t keep = from.rank() == 0 ? 0 : from.rank() - 1;
    out = bound ? *leading[static_cast<std::size_t>(slot)]
                : std::vector<Dim>(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(keep));
  }
  // Leading dims that are as in `from` need not be divided by.
  std::size_t same = 0;
  while (same < out.size() && same < from.rank() && out[same] == from[same])
    ++same;
  Dim left = 1;
  for (std::size_t i = same; i < from.rank(); ++i)
    left = left * from[i];
  for (std::size_t i = same; i < out.size(); ++i) {
    if (out[i].is(0) || !mod(left, out[i]).is(0))
      return std::nullopt;
    left = floordiv(left, out[i]);
  }
  for (std::size_t i = 0; i < result.dims.size(); ++i) {
    const Expr& e = result.dims[i];
    const int d = e.kind == Expr::Kind::name ? find(variant_->dims, e.text) : -1;
    const bool is_free = d >= 0 && !dims[static_cast<std::size_t>(d)];
    Dim chosen = 0;
    if (is_free && i + 1 == result.dims.size()) {
      chosen = left;
    } else if (is_free && left.is_constant()) {
      std::vector<std::int64_t> divisors;
      for (std::int64_t k = 1; k <= left.constant(); ++k) {
        if (left.constant() % k == 0)
          divisors.push_back(k);
      }
      chosen = divisors.empty() ? 0 : random_->pick(divisors);
    } else {
      const auto v = value(e, AttrKind::dim);
      if (!v)
        return std::nullopt;
      chosen = v->dim();
    }
    if (is_free)
      dims[static_cast<std::size_t>(d)] = chosen;
    if (!chosen.is(0) && mod(left, chosen).is(0))
      left = floordiv(left, chosen);
    out.push_back(chosen);
  }
  return Attribute::of(context_->shape(out));
}

std::optional<Attribute> Solution::choose_attribute(const NodePattern& source, const PartialNode& node, std::size_t i,
                                                    const TypePattern* result) {
  const AttrDef& def = node.op.attrs[i];
  std::vector<Attribute> candidates;
  bool mentioned = false;
  for (const AttrPattern& a : source.attrs) {
    if (a.name != def.name)
      continue;
    mentioned = true;
    if (a.compare == Compare::any)
      continue;
    if (a.compare == Compare::equal && a.value.kind == Expr::Kind::capture) {
      const Attribute bound = captures[static_cast<std::size_t>(find(variant_->captures, a.value.text))];
      if (bound)
        candidates.assign(1, fitted(*context_, def.kind, bound));
      continue;
    }
    if (a.compare == Compare::equal && has_rest(a.value)) {
      Expr list = a.value;
      list.args.pop_back();
      for (std::size_t k = random_->below(3); k-- > 0;) {
        Expr more;
        more.integer = static_cast<std::int64_t>(1 + random_->below(4));
        list.args.push_back(more);
      }
      const auto v = value(list, def.kind);
      if (!v)
        return std::nullopt;
      candidates.assign(1, *v);
      continue;
    }
    if (a.compare == Compare::one_of) {
      for (const Expr& e : a.value.args) {
        if (const auto v = value(e, def.kind))
          candidates.push_back(*v);
      }
      continue;
    }
    const auto v = value(a.value, def.kind);
    if (!v)
      return std::nullopt;
    if (a.compare == Compare::equal) {
      candidates.assign(1, *v);
    } else if (v->kind() == AttrKind::real) {
      const double x = v->real();
      for (double near : {x, x * 2, x / 2, x + 1, x - 1, std::nextafter(x, INFINITY), std::nextafter(x, -INFINITY)})
        candidates.push_back(Attribute::of(near));
    } else if (const auto x = number(*v)) {
      for (std::int64_t off : {-2, -1, 0, 1, 2}) {
        if (const Attribute near = fitted(*context_, def.kind, Attribute::of(static_cast<std::int64_t>(*x) + off)))
          candidates.push_back(near);
      }
    }
  }
  if (!mentioned)
    return def.default_value ? std::optional(def.default_value) : std::nullopt;
  const bool reshapes = def.name == "shape" && node.op.name == "reshape";
  if (candidates.empty() && reshapes && result != nullptr && result->has_shape && !node.operands.empty() &&
      node.operands[0]) {
    return reshape_target(*result, node.operands[0]->shape);
  }
  if (candidates.empty() && def.kind == AttrKind::dtype) {  // what the result, or a type variable, asks for
    const int t = result == nullptr ? -1 : find(variant_->types, result->dtype);
    if (t >= 0) {
      candidates.push_back(Attribute::of(*dtypes[static_cast<std::size_t>(t)]));
    } else if (result != nullptr && parse_dtype(result->dtype)) {
      candidates.push_back(Attribute::of(*parse_dtype(result->dtype)));
    } else if (!dtypes.empty() && random_->percent(75)) {
      candidates.push_back(Attribute::of(*random_->pick(dtypes)));
    }
  }
  if (candidates.empty() && def.name == "shape" && node.operands.empty() && random_->percent(75))
    candidates.push_back(Attribute::of(Shape{}));  // a constant is most often one number
  if (candidates.empty() && def.kind == AttrKind::boolean && booleans) {
    candidates.push_back(Attribute::of((*booleans >> (booleans_chosen_ % 32) & 1U) != 0));
    ++booleans_chosen_;
  }
  if (candidates.empty())
    candidates = propose_attribute(node, i, *random_);
  std::vector<Attribute> fitting;
  for (Attribute c : candidates) {
    if (c && fits_mentions(source, def.name, def.kind, c, false))
      fitting.push_back(c);
  }
  if (fitting.empty())
    return std::nullopt;
  const Attribute chosen = random_->pick(fitting);
  fits_mentions(source, def.name, def.kind, chosen, true);
  return chosen;
}

}  // namespace tandem
