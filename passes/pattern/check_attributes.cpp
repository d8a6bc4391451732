// Which value an attribute of an instance gets: what the pattern fixes, what guards and types determine, or one that
// the op proposes.
#include <tandem/passes/pattern/check_solution.h>

#include <algorithm>
#include <cmath>

namespace tandem {

namespace {

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
  if (value.kind() == AttrKind::dim && kind == AttrKind::real && value.dim().is_constant())
    return Attribute::of(static_cast<double>(value.dim().constant()));
  if (value.kind() == AttrKind::dim && kind == AttrKind::dims)
    return Attribute::of(context.shape({value.dim()}));
  return {};
}

bool has_rest(const Expr& list) {
  return list.kind == Expr::Kind::list && !list.args.empty() && list.args.back().kind == Expr::Kind::rest;
}

}  // namespace

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
      Attribute& slot = captures[static_cast<std::size_t>(slot_of(variant_->captures, a.value.text))];
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
    const int slot = result.leading.empty() ? -1 : slot_of(variant_->leading, result.leading);
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
    const int d = e.kind == Expr::Kind::name ? slot_of(variant_->dims, e.text) : -1;
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

/// What guards say that a capture is: `$n == N`, `$d in {bf16, f16}`. Now and then nothing, so that they fail, too.
std::vector<Attribute> Solution::values_by_guards(const Expr& capture, AttrKind kind) {
  std::vector<Attribute> values;
  for (const Guard& g : variant_->source.pattern.where) {
    if (!g.predicate.empty() || g.negated || random_->percent(20))
      continue;
    const auto add = [&](const Expr& e) {
      const auto v = value(e);
      if (const Attribute fits = v ? fitted(*context_, kind, *v) : Attribute())
        values.push_back(fits);
    };
    if (g.compare == Compare::one_of && g.args[0] == capture) {
      for (const Expr& e : g.args[1].args)
        add(e);
    } else if (g.compare == Compare::equal) {
      if (g.args[0] == capture)
        add(g.args[1]);
      else if (g.args[1] == capture)
        add(g.args[0]);
    }
  }
  return values;
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
      const Attribute bound = captures[static_cast<std::size_t>(slot_of(variant_->captures, a.value.text))];
      if (bound)
        candidates.assign(1, fitted(*context_, def.kind, bound));
      else if (candidates.empty())
        candidates = values_by_guards(a.value, def.kind);
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
    const int t = result == nullptr ? -1 : slot_of(variant_->types, result->dtype);
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
    candidates.push_back(Attribute::of((*booleans >> (open_booleans_ % 32) & 1U) != 0));
    ++open_booleans_;
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
