// Solving for symbols.
#include <tandem/runtime/binding.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {
namespace {

constexpr std::size_t max_power = 4;

/// A dim as a polynomial in its one unknown symbol; coefficients by power.
struct InOneUnknown {
  Symbol unknown;
  std::array<std::int64_t, max_power + 1> coefficients{};
};

std::optional<std::int64_t> value_of(Dim dim, const DimBindings& known) {
  return evaluate(dim, [&](Symbol s) { return known.find(s); });
}

/// Empty when the dim has several unknowns, one within a floordiv, mod or min, or leaves 64 bits.
std::optional<InOneUnknown> in_one_unknown(Dim dim, const DimBindings& known) {
  InOneUnknown out;
  const DimExpr* expr = dim.expr();
  out.coefficients[0] = expr->constant;
  for (const DimTerm& term : expr->terms) {
    std::int64_t coefficient = term.coefficient;
    std::size_t power = 0;
    for (const DimAtom* atom : term.atoms) {
      std::optional<std::int64_t> factor;
      if (atom->kind == DimAtomKind::symbol) {
        factor = known.find(atom->name);
      } else {
        factor = value_of(combine(atom->kind, atom->numerator, atom->divisor), known);
      }
      if (factor) {
        if (__builtin_mul_overflow(coefficient, *factor, &coefficient))
          return std::nullopt;
        continue;
      }
      if (atom->kind != DimAtomKind::symbol || (!out.unknown.empty() && out.unknown != atom->name))
        return std::nullopt;
      out.unknown = atom->name;
      if (++power > max_power)
        return std::nullopt;
    }
    if (__builtin_add_overflow(out.coefficients[power], coefficient, &out.coefficients[power]))
      return std::nullopt;
  }
  if (out.unknown.empty())
    return std::nullopt;
  return out;
}

/// The polynomial's value, or the largest int64 where that is exceeded (coefficients above the constant are >= 0).
std::int64_t at(const InOneUnknown& p, std::int64_t x) {
  std::int64_t sum = 0;
  for (std::size_t i = max_power + 1; i-- > 0;) {
    if (__builtin_mul_overflow(sum, x, &sum) || __builtin_add_overflow(sum, p.coefficients[i], &sum))
      return std::numeric_limits<std::int64_t>::max();
  }
  return sum;
}

enum class Outcome { solved, impossible, unknown };

/// The x >= 0 for which `p` is `size`.
Outcome solve(const InOneUnknown& p, std::int64_t size, std::int64_t& x) {
  const bool linear = std::all_of(p.coefficients.begin() + 2, p.coefficients.end(), [](auto c) { return c == 0; });
  if (linear) {
    const std::int64_t a = p.coefficients[1];
    std::int64_t rest = 0;
    if (a == 0)
      return Outcome::unknown;
    if (__builtin_sub_overflow(size, p.coefficients[0], &rest) || rest % a != 0)
      return Outcome::impossible;
    x = rest / a;
    return x >= 0 ? Outcome::solved : Outcome::impossible;
  }
  if (std::any_of(p.coefficients.begin() + 1, p.coefficients.end(), [](auto c) { return c < 0; }))
    return Outcome::unknown;
  std::int64_t low = 0, high = Dim::max_constant;  // bisection: the polynomial grows
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (at(p, middle) < size)
      low = middle + 1;
    else
      high = middle;
  }
  x = low;
  return at(p, x) == size ? Outcome::solved : Outcome::impossible;
}

std::string shape_text(std::span<const std::int64_t> sizes) {
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

[[noreturn]] void fail(std::string code, const ObservedShape* where, std::string message, std::string help = {}) {
  Diagnostic d;
  d.code = std::move(code);
  if (where)
    d.where.path = fmt::format("%{}", where->name);
  d.message = std::move(message);
  d.help = std::move(help);
  throw Error(std::move(d));
}

/// A dim that is not yet known to agree with what was observed.
struct Equation {
  const ObservedShape* from;
  std::size_t axis;
  Dim dim() const { return from->type.shape[axis]; }
  std::int64_t size() const { return from->sizes[axis]; }
};

class Solver {
 public:
  Solver(const Graph& graph, std::span<const Symbol> symbols, const DimBindings& given)
      : graph_(graph), symbols_(symbols) {
    for (const Symbol s : symbols)
      if (const auto v = given.find(s))
        bind(s, *v, nullptr, 0);
  }

  void add(const ObservedShape& shape) {
    if (shape.sizes.size() != shape.type.shape.rank())
      wrong_shape(shape, "the ranks differ");
    for (std::size_t i = 0; i < shape.sizes.size(); ++i) {
      const Dim d = shape.type.shape[i];
      if (!d.is_constant())
        pending_.push_back({&shape, i});
      else if (!d.is(shape.sizes[i]))
        wrong_shape(shape, fmt::format("axis {} is {}, expected {}", i, shape.sizes[i], d.constant()));
    }
  }

  DimBindings finish() {
    for (bool progress = true; progress && !pending_.empty();) {
      progress = false;
      std::vector<Equation> left;
      for (const Equation& e : pending_) {
        if (settle(e))
          progress = true;
        else
          left.push_back(e);
      }
      pending_ = std::move(left);
    }
    for (const Symbol s : symbols_)
      if (!bindings_.find(s))
        unbound(s);
    return std::move(bindings_);
  }

 private:
  struct Origin {
    Symbol symbol;
    const ObservedShape* from;
    std::size_t axis;
  };

  /// True when nothing more is to be learnt from `e`.
  bool settle(const Equation& e) {
    if (const auto value = value_of(e.dim(), bindings_)) {
      if (*value != e.size())
        conflict(e, *value);
      return true;
    }
    const auto polynomial = in_one_unknown(e.dim(), bindings_);
    if (!polynomial)
      return false;
    std::int64_t x = 0;
    switch (solve(*polynomial, e.size(), x)) {
      case Outcome::unknown: return false;
      case Outcome::solved: bind(polynomial->unknown, x, e.from, e.axis); return true;
      case Outcome::impossible: break;
    }
    fail("run.shape", e.from,
         fmt::format("axis {} of '{}' is {}, but no {} >= 0 makes {} that{}", e.axis, e.from->name, e.size(),
                     polynomial->unknown.view(), to_string(e.dim()), known()));
  }

  void bind(Symbol symbol, std::int64_t value, const ObservedShape* from, std::size_t axis) {
    const DimRange range = graph_.range(symbol);
    if (value < range.min || value > range.max)
      fail("run.dim-range", from,
           from ? fmt::format("axis {} of '{}' makes {} = {}, but the graph declares {} to {}", axis, from->name,
                              symbol.view(), value, range.min, range.max)
                : fmt::format("{} = {} was given, but the graph declares {} to {}", symbol.view(), value, range.min,
                              range.max));
    bindings_.set(symbol, value);
    origins_.push_back({symbol, from, axis});
  }

  [[noreturn]] void conflict(const Equation& e, std::int64_t value) const {
    Diagnostic d;
    d.code = "run.dim-conflict";
    d.where.path = fmt::format("%{}", e.from->name);
    d.message = fmt::format("axis {} of '{}' is {}, expected {} = {}", e.axis, e.from->name, e.size(),
                            to_string(e.dim()), value);
    std::vector<Symbol> used;
    collect_symbols(e.dim(), used);
    for (const Origin& o : origins_)
      if (std::find(used.begin(), used.end(), o.symbol) != used.end())
        d.notes.push_back(o.from ? fmt::format("{} = {} from axis {} of '{}'", o.symbol.view(),
                                               *bindings_.find(o.symbol), o.axis, o.from->name)
                                 : fmt::format("{} = {} was given", o.symbol.view(), *bindings_.find(o.symbol)));
    throw Error(std::move(d));
  }

  [[noreturn]] void unbound(Symbol symbol) const {
    for (const Equation& e : pending_) {
      std::vector<Symbol> used;
      collect_symbols(e.dim(), used);
      if (std::find(used.begin(), used.end(), symbol) == used.end())
        continue;
      fail("run.unbound-dim", e.from,
           fmt::format("{} = {} (axis {} of '{}') does not tell what {} is", to_string(e.dim()), e.size(), e.axis,
                       e.from->name, symbol.view()),
           fmt::format("give a value for {}", symbol.view()));
    }
    fail("run.unbound-dim", nullptr, fmt::format("no input tells what {} is", symbol.view()),
         fmt::format("give a value for {}", symbol.view()));
  }

  [[noreturn]] static void wrong_shape(const ObservedShape& shape, const std::string& why) {
    fail("run.shape", &shape,
         fmt::format("'{}' has shape {}, expected {}: {}", shape.name, shape_text(shape.sizes),
                     to_string(shape.type.shape), why));
  }

  std::string known() const {
    const std::string text = describe(symbols_, bindings_);
    return text.empty() ? "" : fmt::format(" (with {})", text);
  }

  const Graph& graph_;
  std::span<const Symbol> symbols_;
  DimBindings bindings_;
  std::vector<Origin> origins_;
  std::vector<Equation> pending_;
};

}  // namespace

DimBindings solve_bindings(const Graph& graph, std::span<const Symbol> symbols, std::span<const ObservedShape> observed,
                           const DimBindings& given) {
  Solver solver(graph, symbols, given);
  for (const ObservedShape& shape : observed)
    solver.add(shape);
  return solver.finish();
}

std::string describe(std::span<const Symbol> symbols, const DimBindings& bindings) {
  std::string out;
  for (const Symbol s : symbols)
    if (const auto value = bindings.find(s))
      out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", s.view(), *value);
  return out;
}

}  // namespace tandem
