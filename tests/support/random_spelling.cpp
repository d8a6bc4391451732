#include "tests/support/random_spelling.h"

#include <algorithm>

namespace tandem::test {

Expr integer(std::int64_t v) {
  Expr e;
  e.kind = Expr::Kind::integer;
  e.integer = v;
  return e;
}
Expr named(Expr::Kind kind, std::string text) {
  Expr e;
  e.kind = kind;
  e.text = std::move(text);
  return e;
}

namespace {

Expr binary(Expr::Kind kind, Expr a, Expr b) {
  Expr e;
  e.kind = kind;
  e.args = {std::move(a), std::move(b)};
  return e;
}

}  // namespace

Expr RandomSpelling::literal(Attribute a) {
  Expr e;
  switch (a.kind()) {
    case AttrKind::boolean:
      e.kind = Expr::Kind::boolean;
      e.boolean = a.boolean();
      return e;
    case AttrKind::real:
      e.kind = Expr::Kind::real;
      e.real = a.real();
      return e;
    case AttrKind::dim: return integer(a.dim().constant());
    default: return integer(a.integer());
  }
}

Expr RandomSpelling::capture(Attribute a) {
  for (const auto& [text, value] : captures_) {
    if (value == a && dice_.chance(50))
      return named(Expr::Kind::capture, text);
  }
  captures_.emplace_back("k" + std::to_string(captures_.size()), a);
  return named(Expr::Kind::capture, captures_.back().first);
}

Expr RandomSpelling::dim_expr(std::int64_t n) {
  if (dice_.chance(30))
    return integer(n);
  for (const std::string& d : dims_) {
    const std::int64_t value = dim_values_.at(d);
    if (dice_.chance(40) && value != n && n > value)
      return binary(Expr::Kind::add, named(Expr::Kind::name, d), integer(n - value));
    if (value == n && dice_.chance(70))
      return named(Expr::Kind::name, d);
  }
  const std::string d = "D" + std::to_string(dims_.size());
  dims_.push_back(d);
  dim_values_[d] = n;
  if (n % 2 == 0 && dice_.chance(15)) {
    dim_values_[d] = n / 2;
    return binary(Expr::Kind::mul, integer(2), named(Expr::Kind::name, d));
  }
  return named(Expr::Kind::name, d);
}

TypePattern RandomSpelling::type_of(Value v) {
  TypePattern t;
  const TensorType have = g_.type(v);
  if (dice_.chance(60)) {
    const std::string variable = have.dtype == DType::f64 ? "T" : "S";
    t.dtype = dice_.chance(30) ? std::string(to_string(have.dtype)) : variable;
    if (t.dtype == variable &&
        std::none_of(types_.begin(), types_.end(), [&](const TypeVariable& x) { return x.name == variable; })) {
      types_.push_back(
          {variable, dice_.chance(50) ? std::vector<std::string>{"f32", "f64"} : std::vector<std::string>{}});
    }
  }
  t.has_shape = dice_.chance(70);
  if (!t.has_shape)
    return t;
  t.open = dice_.chance(40);
  for (std::size_t i = t.open ? dice_.below(have.shape.rank() + 1) : 0; i < have.shape.rank(); ++i)
    t.dims.push_back(dim_expr(have.shape[i].constant()));
  return t;
}

}  // namespace tandem::test
