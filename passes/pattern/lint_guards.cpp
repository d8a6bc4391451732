#include <tandem/passes/pattern/lint_guards.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

/// Values of an expression that a guard admits: an interval, ends in or out.
struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;

  bool empty() const { return low > high || (low == high && (low_open || high_open)); }
};

std::optional<double> number(const Expr& e) {
  if (e.kind == Expr::Kind::integer)
    return static_cast<double>(e.integer);
  if (e.kind == Expr::Kind::real)
    return e.real;
  return std::nullopt;
}

Compare mirrored(Compare c) {
  switch (c) {
    case Compare::less: return Compare::greater;
    case Compare::less_equal: return Compare::greater_equal;
    case Compare::greater: return Compare::less;
    case Compare::greater_equal: return Compare::less_equal;
    default: return c;
  }
}

Compare negation(Compare c) {
  switch (c) {
    case Compare::equal: return Compare::not_equal;
    case Compare::not_equal: return Compare::equal;
    case Compare::less: return Compare::greater_equal;
    case Compare::less_equal: return Compare::greater;
    case Compare::greater: return Compare::less_equal;
    case Compare::greater_equal: return Compare::less;
    default: return c;
  }
}

/// `subject compare bound`, where a guard is that.
struct Bound {
  const Expr* subject;
  Compare compare;
  double value;
};

std::optional<Bound> bound_of(const Guard& g) {
  if (!g.predicate.empty() || g.args.size() != 2 || g.compare == Compare::one_of || g.compare == Compare::any)
    return std::nullopt;
  const Compare c = g.negated ? negation(g.compare) : g.compare;
  if (const auto v = number(g.args[1]); v && !number(g.args[0]))
    return Bound{&g.args[0], c, *v};
  if (const auto v = number(g.args[0]); v && !number(g.args[1]))
    return Bound{&g.args[1], mirrored(c), *v};
  return std::nullopt;
}

Interval interval_of(const Bound& b) {
  Interval i;
  switch (b.compare) {
    case Compare::equal: i.low = i.high = b.value; break;
    case Compare::less:
      i.high = b.value;
      i.high_open = true;
      break;
    case Compare::less_equal: i.high = b.value; break;
    case Compare::greater:
      i.low = b.value;
      i.low_open = true;
      break;
    case Compare::greater_equal: i.low = b.value; break;
    default: break;
  }
  return i;
}

bool exclude(const Guard& a, const Guard& b) {
  if (a.predicate == b.predicate && a.compare == b.compare && a.args == b.args && a.negated != b.negated)
    return true;
  const auto x = bound_of(a), y = bound_of(b);
  if (!x || !y || *x->subject != *y->subject)
    return false;
  if ((x->compare == Compare::not_equal && y->compare == Compare::equal) ||
      (x->compare == Compare::equal && y->compare == Compare::not_equal))
    return x->value == y->value;
  const Interval p = interval_of(*x), q = interval_of(*y);
  Interval both;
  both.low = std::max(p.low, q.low);
  both.high = std::min(p.high, q.high);
  both.low_open = (both.low == p.low && p.low_open) || (both.low == q.low && q.low_open);
  both.high_open = (both.high == p.high && p.high_open) || (both.high == q.high && q.high_open);
  return both.empty();
}

/// A dim is never negative, nor is a count.
bool impossible(const Pattern& pattern, const Guard& g) {
  const auto b = bound_of(g);
  if (!b)
    return false;
  const Expr& subject = *b->subject;
  const bool counts = subject.kind == Expr::Kind::uses ||
                      (subject.kind == Expr::Kind::name &&
                       std::find(pattern.dims.begin(), pattern.dims.end(), subject.text) != pattern.dims.end());
  const Interval i = interval_of(*b);
  return counts && b->compare != Compare::not_equal && (i.high < 0 || (i.high == 0 && i.high_open));
}

}  // namespace

void lint_guards(const Pattern& pattern, std::vector<Diagnostic>& out) {
  for (std::size_t i = 0; i < pattern.where.size(); ++i) {
    if (impossible(pattern, pattern.where[i])) {
      out.push_back(pattern_problem(pattern, pattern.where[i].span, "lint.contradictory-guards",
                                    "a dim and a number of uses are never negative, so this guard never holds",
                                    "remove or correct it"));
    }
    for (std::size_t k = i + 1; k < pattern.where.size(); ++k) {
      if (!exclude(pattern.where[i], pattern.where[k]))
        continue;
      Diagnostic d = pattern_problem(pattern, pattern.where[k].span, "lint.contradictory-guards",
                                     "this guard and an earlier one never hold together: nothing matches",
                                     "remove one of them, or put them into two fusions");
      d.notes.push_back("the other one is at " + to_string(pattern.where[i].span));
      out.push_back(std::move(d));
    }
  }
}

std::optional<double> upper_bound(const Pattern& pattern, const Expr& expr) {
  if (const auto constant = number(expr))
    return constant;
  std::optional<double> least;
  for (const Guard& g : pattern.where) {
    const auto b = bound_of(g);
    if (!b || *b->subject != expr || b->compare == Compare::not_equal)
      continue;
    const double high = interval_of(*b).high;
    if (std::isfinite(high) && (!least || high < *least))
      least = high;
  }
  return least;
}

}  // namespace tandem
