// Types at a site: dtypes, ranks, leading dims, and dims solved as far as they go.

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/compare.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/resolve.h>
#include <tandem/passes/pattern/soft_check.h>
#include <tandem/passes/pattern/soft_state.h>

namespace tandem {

namespace {

class TypeChecker {
 public:
  TypeChecker(SoftState& s, const std::vector<bool>& tainted) : s_(s), tainted_(tainted) {}

  void run() {
    check_dtypes();
    for (std::size_t i = 0; i < s_.v.values.size(); ++i) {
      if (s_.is_known(i) && !tainted_[i] && s_.v.values[i].type.has_shape)
        check_shape(i);
    }
    solve();
  }

 private:
  std::string name(std::size_t value) const { return "%" + s_.v.values[value].name; }

  /// Where the graph writes the type of a value: at its definition. Inputs are pointed at where the match reads them.
  Mark mark_of(std::size_t value) const {
    const Value v = s_.value(value);
    if (const Node def = s_.graph.def_node(v))
      return {def, Mark::Part::type, s_.graph.result_index(v)};
    for (const Use use : s_.graph.uses(v)) {
      for (std::size_t i = 0; i < s_.m.nodes.size(); ++i) {
        if (s_.m.nodes[i].node == use.user.index)
          return {use.user, Mark::Part::operand, use.operand};
      }
    }
    return {};
  }

  FailedPredicate& fail(Cause cause, std::size_t value, std::string predicate, std::string found) {
    const PatternValue& pv = s_.v.values[value];
    FailedPredicate& f = s_.fail(cause, pv.span, std::move(predicate), std::move(found));
    if (const Mark mark = mark_of(value); mark.node)
      f.marks = {mark};
    return f;
  }

  void check_dtypes() {
    for (std::size_t i = 0; i < s_.v.values.size(); ++i) {
      const std::string& wanted = s_.v.values[i].type.dtype;
      const auto dtype = parse_dtype(wanted);
      if (!dtype || !s_.is_known(i) || tainted_[i] || s_.graph.type(s_.value(i)).dtype == *dtype)
        continue;
      const auto have = to_string(s_.graph.type(s_.value(i)).dtype);
      FailedPredicate& f = fail(Cause::dtype, i, fmt::format("{} has dtype {}", name(i), wanted),
                                fmt::format("{} is {}", s_.name(s_.value(i)), have));
      f.detail = have;
      f.in_graph = fmt::format("cast {} to {}", s_.name(s_.value(i)), wanted);
      f.in_pattern = fmt::format("give {} a type variable: 'types T in {{{}, {}}}'{}", name(i), wanted, have,
                                 at_line(s_.v.values[i].span));
    }
    for (std::size_t t = 0; t < s_.v.types.size(); ++t)
      check_variable(t);
  }

  /// The dtype that most of its values have is what a variable stands for; the others are the odd ones.
  void check_variable(std::size_t variable) {
    std::array<int, num_dtypes> votes{};
    std::vector<std::size_t> values;
    for (std::size_t i = 0; i < s_.v.values.size(); ++i) {
      if (s_.v.values[i].type.dtype != s_.v.types[variable] || !s_.is_known(i) || tainted_[i])
        continue;
      values.push_back(i);
      votes[static_cast<std::size_t>(s_.graph.type(s_.value(i)).dtype)] += 2;
    }
    if (values.empty())
      return;
    const std::vector<std::string>& among = s_.v.source.pattern.types[variable].dtypes;
    for (const std::string& d : among)  // of equally many, one that the pattern admits
      votes[static_cast<std::size_t>(*parse_dtype(d))] += votes[static_cast<std::size_t>(*parse_dtype(d))] != 0;
    const DType chosen = static_cast<DType>(std::max_element(votes.begin(), votes.end()) - votes.begin());
    s_.bound.dtypes[variable] = chosen;
    s_.types_known[variable] = true;
    if (!among.empty() && std::find(among.begin(), among.end(), to_string(chosen)) == among.end()) {
      const std::size_t i = *std::find_if(values.begin(), values.end(),
                                          [&](std::size_t v) { return s_.graph.type(s_.value(v)).dtype == chosen; });
      FailedPredicate& f =
          fail(Cause::dtype, i, fmt::format("{} is one of {}", s_.v.types[variable], fmt::join(among, ", ")),
               fmt::format("{} is {}", s_.name(s_.value(i)), to_string(chosen)));
      f.detail = to_string(chosen);
      f.in_pattern =
          fmt::format("types {} in {{{}, {}}}", s_.v.types[variable], fmt::join(among, ", "), to_string(chosen));
    }
    for (const std::size_t i : values) {
      const DType have = s_.graph.type(s_.value(i)).dtype;
      if (have == chosen)
        continue;
      const std::string& t = s_.v.types[variable];
      FailedPredicate& f =
          fail(Cause::dtype, i, fmt::format("{} has dtype {}, as the others", name(i), t),
               fmt::format("{} is {}, where {} = {}", s_.name(s_.value(i)), to_string(have), t, to_string(chosen)));
      f.detail = fmt::format("{}, where {} = {}", to_string(have), t, to_string(chosen));
      f.in_graph = fmt::format("cast {} to {}", s_.name(s_.value(i)), to_string(chosen));
      f.in_pattern = fmt::format("give {} a type variable of its own, if the new node takes mixed dtypes{}", name(i),
                                 at_line(s_.v.values[i].span));
    }
  }

  void check_shape(std::size_t i) {
    const TypePattern& t = s_.v.values[i].type;
    const Value value = s_.value(i);
    const Shape shape = s_.graph.type(value).shape;
    const std::size_t wanted = t.dims.size();
    if (t.open ? shape.rank() < wanted : shape.rank() != wanted) {
      FailedPredicate& f =
          fail(Cause::rank, i, fmt::format("{} has {}{}", name(i), t.open ? "at least " : "", counted(wanted, "dim")),
               fmt::format("{} is {}", s_.name(value), to_string(s_.graph.type(value))));
      f.detail = counted(shape.rank(), "dim");
      f.in_graph = fmt::format("reshape {}", s_.name(value));
      if (!t.open && shape.rank() > wanted)
        f.in_pattern = fmt::format("begin its shape with .. to take any leading dims{}", at_line(s_.v.values[i].span));
      return;
    }
    if (!t.leading.empty())
      check_leading(i, shape.dims().first(shape.rank() - wanted));
    for (std::size_t k = 0; k < wanted; ++k) {
      s_.equations.push_back({shape[shape.rank() - wanted + k], &t.dims[k], s_.v.values[i].span,
                              fmt::format("dim {} of {}", static_cast<int>(k) - static_cast<int>(wanted), name(i)),
                              mark_of(i)});
    }
  }

  void check_leading(std::size_t i, std::span<const Dim> leading) {
    const std::string& l = s_.v.values[i].type.leading;
    const auto slot =
        static_cast<std::size_t>(std::find(s_.v.leading.begin(), s_.v.leading.end(), l) - s_.v.leading.begin());
    if (leading_.size() <= slot)
      leading_.resize(slot + 1);
    if (!leading_[slot].known) {
      leading_[slot] = {true, leading, i};
      return;
    }
    const Leading& first = leading_[slot];
    if (std::equal(leading.begin(), leading.end(), first.dims.begin(), first.dims.end()))
      return;
    FailedPredicate& f =
        fail(Cause::dims, i, fmt::format("the leading dims of {} are {}, those of {}", name(i), l, name(first.value)),
             fmt::format("{} is {}, {} is {}", s_.name(s_.value(i)), to_string(s_.graph.type(s_.value(i))),
                         s_.name(s_.value(first.value)), to_string(s_.graph.type(s_.value(first.value)))));
    f.in_pattern = fmt::format("write .. for ..{} if they may differ{}", l, at_line(s_.v.values[i].span));
  }

  // --- dims ------------------------------------------------------------------------------------------------------

  /// Where not all equations hold, the dims are those with which the fewest fail: of four that speak of H, the odd one
  /// is what is wrong, wherever it stands.
  void solve() {
    const std::vector<SoftState::DimEquation> all = std::move(s_.equations);
    constexpr std::size_t most_tried = 16;
    const auto dims = s_.bound.dims;
    const std::vector<bool> known = s_.dims_known;
    const std::size_t before = s_.failures.size();
    const auto failures_from = [&](std::size_t first) {
      s_.bound.dims = dims;
      s_.dims_known = known;
      s_.failures.resize(before);
      std::vector<SoftState::DimEquation> order = all;
      if (!order.empty())
        std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(first),
                    order.begin() + static_cast<std::ptrdiff_t>(first) + 1);
      solve(std::move(order));
      return s_.failures.size() - before;
    };
    std::size_t best = 0, fewest = failures_from(0);
    if (fewest < 2 || all.size() > most_tried)
      return;
    for (std::size_t first = 1; first < all.size(); ++first) {
      const std::size_t failures = failures_from(first);
      if (failures < fewest) {
        fewest = failures;
        best = first;
      }
    }
    failures_from(best);
  }

  void solve(std::vector<SoftState::DimEquation> pending) {
    for (bool progress = true; progress;) {
      progress = false;
      for (std::size_t i = 0; i < pending.size(); ++i) {
        if (!try_equation(pending[i]))
          continue;
        pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(i));
        progress = true;
        break;
      }
    }
  }

  /// False when it has more than one unknown.
  bool try_equation(const SoftState::DimEquation& e) {
    const auto linear = linear_form(s_.v, *e.expr);
    if (!linear)
      return try_general(e);
    int unknown = -1;
    for (std::size_t t = 0; t < linear->terms.size(); ++t) {
      if (s_.dims_known[linear->terms[t].second])
        continue;
      if (unknown >= 0)
        return false;
      unknown = static_cast<int>(t);
    }
    try {
      Dim rest = e.found - Dim(linear->constant);
      for (std::size_t t = 0; t < linear->terms.size(); ++t) {
        if (static_cast<int>(t) != unknown)
          rest = rest - Dim(linear->terms[t].first) * s_.bound.dims[linear->terms[t].second];
      }
      if (unknown < 0) {
        if (!rest.is(0))
          report(e);
        return true;
      }
      const auto [coefficient, variable] = linear->terms[static_cast<std::size_t>(unknown)];
      auto range = [&](Symbol s) { return s_.graph.range(s); };
      const bool divides = coefficient == 1 || mod(rest, Dim(coefficient)).is(0);
      const Dim value = divides && coefficient != 1 ? floordiv(rest, Dim(coefficient)) : rest;
      if (!divides || bounds(value, range).min < 0) {
        report(e);
        return true;
      }
      s_.bound.dims[variable] = value;
      s_.dims_known[variable] = true;
    } catch (const Error&) {  // beyond the range of dims
      report(e);
    }
    return true;
  }

  bool try_general(const SoftState::DimEquation& e) {
    std::vector<std::string> names;
    collect(*e.expr, Expr::Kind::name, names);
    for (const std::string& n : names) {
      const auto it = std::find(s_.v.dims.begin(), s_.v.dims.end(), n);
      if (it != s_.v.dims.end() && !s_.dims_known[static_cast<std::size_t>(it - s_.v.dims.begin())])
        return false;
    }
    names.clear();
    collect(*e.expr, Expr::Kind::capture, names);
    for (const std::string& n : names) {
      const auto it = std::find(s_.v.captures.begin(), s_.v.captures.end(), n);
      if (it != s_.v.captures.end() && !s_.captures_known[static_cast<std::size_t>(it - s_.v.captures.begin())])
        return false;
    }
    const auto value = evaluate(bind_expr(*s_.set.context, s_.v, *e.expr, e.span), s_.bound);
    if (!value || !compare_attributes(s_.graph, Compare::equal, *value, Attribute::of(e.found)))
      report(e);
    return true;
  }

  static void collect(const Expr& e, Expr::Kind kind, std::vector<std::string>& out) {
    if (e.kind == kind)
      out.push_back(e.text);
    for (const Expr& a : e.args)
      collect(a, kind, out);
  }

  void report(const SoftState::DimEquation& e) {
    std::vector<std::string> names;
    collect(*e.expr, Expr::Kind::name, names);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string known;
    for (const std::string& n : names) {
      const auto d = static_cast<std::size_t>(std::find(s_.v.dims.begin(), s_.v.dims.end(), n) - s_.v.dims.begin());
      if (d < s_.v.dims.size() && s_.dims_known[d])
        known += fmt::format("{}{} = {}", known.empty() ? ", where " : ", ", n, to_string(s_.bound.dims[d]));
    }
    FailedPredicate& f = s_.fail(Cause::dims, e.span, fmt::format("{} is {}", e.what, to_string(*e.expr)),
                                 fmt::format("it is {}{}", to_string(e.found), known));
    if (e.mark.node)
      f.marks = {e.mark};
    f.in_pattern = e.expr->kind == Expr::Kind::integer
                       ? fmt::format("a dim variable takes any length{}", at_line(e.span))
                       : fmt::format("give it a dim of its own, if the rewrite allows that{}", at_line(e.span));
  }

  struct Leading {
    bool known = false;
    std::span<const Dim> dims;
    std::size_t value = 0;
  };

  SoftState& s_;
  const std::vector<bool>& tainted_;
  std::vector<Leading> leading_;
};

}  // namespace

void check_types(SoftState& state, const std::vector<bool>& tainted) {
  TypeChecker(state, tainted).run();
}

}  // namespace tandem
