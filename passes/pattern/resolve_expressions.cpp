// Expressions of a pattern over the slots of a variant: as they are evaluated, and as sums of dims where they are that.

#include <tandem/passes/pattern/resolve.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {

BoundExpr bind_expr(Context& context, const CompiledVariant& variant, const Expr& expr, const Span& span) {
  auto fail = [&](std::string message, std::string help) -> void {
    throw Error(
        pattern_problem(variant.source.pattern, span, "pattern.unknown-name", std::move(message), std::move(help)));
  };
  BoundExpr out;
  out.kind = expr.kind;
  switch (expr.kind) {
    case Expr::Kind::boolean: out.literal = Attribute::of(expr.boolean); break;
    case Expr::Kind::integer: out.literal = Attribute::of(expr.integer); break;
    case Expr::Kind::real: out.literal = Attribute::of(expr.real); break;
    case Expr::Kind::string: out.literal = Attribute::of(context.intern(expr.text)); break;
    case Expr::Kind::name:
      if (const int d = index_in(variant.dims, expr.text); d >= 0) {
        out.slot = static_cast<std::uint8_t>(d);
      } else if (const int t = index_in(variant.types, expr.text); t >= 0) {
        out.slot = static_cast<std::uint8_t>(t);
        out.is_dtype_variable = true;
      } else if (const auto dtype = parse_dtype(expr.text)) {
        out.literal = Attribute::of(*dtype);
      } else {
        fail(fmt::format("'{}' is neither a dim, a type variable nor a dtype", expr.text),
             "declare it: dims " + expr.text);
      }
      break;
    case Expr::Kind::capture:
      if (const int c = index_in(variant.captures, expr.text); c >= 0) {
        out.slot = static_cast<std::uint8_t>(c);
      } else {
        fail(fmt::format("'${}' is captured by no matched attribute{}", expr.text,
                         did_you_mean(expr.text, {variant.captures.begin(), variant.captures.end()})),
             variant.captures.empty() ? "capture it in the match: {attribute = $" + expr.text + "}"
                                      : fmt::format("captured are ${}", fmt::join(variant.captures, ", $")));
      }
      break;
    case Expr::Kind::value:
    case Expr::Kind::uses: break;  // bound by the plan, which knows its path
    default: break;
  }
  for (const Expr& a : expr.args)
    out.args.push_back(bind_expr(context, variant, a, span));
  return out;
}

bool mentions(const std::vector<Expr>& exprs, Expr::Kind kind) {
  return std::any_of(exprs.begin(), exprs.end(),
                     [&](const Expr& e) { return e.kind == kind || mentions(e.args, kind); });
}

std::optional<LinearDims> linear_form(const CompiledVariant& variant, const Expr& e) {
  auto scale = [](LinearDims l, std::int64_t by) {
    l.constant *= by;
    for (auto& [c, v] : l.terms)
      c *= by;
    return l;
  };
  auto sum = [](LinearDims a, const LinearDims& b) {
    a.constant += b.constant;
    for (const auto& [c, v] : b.terms) {
      const auto it = std::find_if(a.terms.begin(), a.terms.end(), [v = v](const auto& t) { return t.second == v; });
      if (it == a.terms.end()) {
        a.terms.emplace_back(c, v);
      } else {
        it->first += c;
      }
    }
    std::erase_if(a.terms, [](const auto& t) { return t.first == 0; });
    std::sort(a.terms.begin(), a.terms.end(), [](const auto& x, const auto& y) { return x.second < y.second; });
    return a;
  };
  constexpr std::int64_t largest = std::int64_t{1} << 40;  // keeps products of literals far from overflow
  switch (e.kind) {
    case Expr::Kind::integer:
      if (e.integer > largest || e.integer < -largest)
        return std::nullopt;
      return LinearDims{e.integer, {}};
    case Expr::Kind::name: {
      const int d = index_in(variant.dims, e.text);
      if (d < 0)
        return std::nullopt;
      return LinearDims{0, {{1, static_cast<std::uint8_t>(d)}}};
    }
    case Expr::Kind::neg: {
      const auto a = linear_form(variant, e.args[0]);
      if (!a)
        return std::nullopt;
      return scale(*a, -1);
    }
    case Expr::Kind::add:
    case Expr::Kind::sub: {
      const auto a = linear_form(variant, e.args[0]), b = linear_form(variant, e.args[1]);
      if (!a || !b)
        return std::nullopt;
      return sum(*a, e.kind == Expr::Kind::sub ? scale(*b, -1) : *b);
    }
    case Expr::Kind::mul: {
      const auto a = linear_form(variant, e.args[0]), b = linear_form(variant, e.args[1]);
      if (!a || !b || (!a->terms.empty() && !b->terms.empty()))
        return std::nullopt;
      const std::int64_t by = a->terms.empty() ? a->constant : b->constant;
      if (by > (std::int64_t{1} << 20) || by < -(std::int64_t{1} << 20))
        return std::nullopt;
      return scale(a->terms.empty() ? *b : *a, by);
    }
    default: return std::nullopt;
  }
}

}  // namespace tandem
