// Attributes at a site: literals, defaults, captures, comparisons.

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/passes/pattern/compare.h>
#include <tandem/passes/pattern/matcher.h>
#include <tandem/passes/pattern/resolve.h>
#include <tandem/passes/pattern/soft_check.h>
#include <tandem/passes/pattern/soft_state.h>

namespace tandem {

namespace {

class AttributeChecker {
 public:
  AttributeChecker(SoftState& s, std::size_t index)
      : s_(s), index_(index), n_(s.v.nodes[index]), node_(s.node(index)), def_(s.set.context->op(n_.op)) {}

  void run() {
    for (std::size_t i = 0; i < def_.attrs.size(); ++i) {
      bool mentioned = false;
      for (const AttrPattern& a : n_.source->attrs) {
        if (a.name != def_.attrs[i].name)
          continue;
        mentioned = true;
        check(i, a);
      }
      if (!mentioned)
        check_default(i);
    }
  }

 private:
  std::string who() const { return describe_node(s_.set, s_.v, index_); }
  Attribute have(std::size_t i) const { return s_.view.attr(node_.index, static_cast<std::uint32_t>(i)); }
  Mark mark(std::size_t i) const { return {node_, Mark::Part::attr, static_cast<std::uint32_t>(i)}; }
  Span span_of(const AttrPattern& a) const { return a.span.line != 0 ? a.span : n_.source->span; }

  FailedPredicate& fail(std::size_t i, const Span& span, std::string predicate, std::string found) {
    FailedPredicate& f = s_.fail(Cause::attribute, span, std::move(predicate), std::move(found));
    f.marks = {mark(i)};
    return f;
  }

  void check_default(std::size_t i) {
    const AttrDef& attr = def_.attrs[i];
    if (have(i) == attr.default_value)
      return;
    FailedPredicate& f =
        fail(i, n_.source->span,
             fmt::format("{} of {} has its default, {}", attr.name, who(), to_string(attr.default_value)),
             fmt::format("it is {}", to_string(have(i))));
    f.in_graph = fmt::format("{} = {}", attr.name, to_string(attr.default_value));
    f.in_pattern = fmt::format("mention it: {{{} = {}}}, or ${} to capture it, or any to ignore it", attr.name,
                               to_string(have(i)), attr.name);
  }

  std::optional<Attribute> literal(const AttrDef& attr, const Expr& e, const Span& span) {
    return evaluate_as(*s_.set.context, attr.kind, bind_expr(*s_.set.context, s_.v, e, span), s_.bound);
  }

  void check(std::size_t i, const AttrPattern& a) {
    const AttrDef& attr = def_.attrs[i];
    if (a.compare == Compare::any)
      return;
    if (a.compare == Compare::equal && a.value.kind == Expr::Kind::capture)
      return check_capture(i, a);
    if (attr.kind == AttrKind::dims && a.compare == Compare::equal && a.value.kind == Expr::Kind::list)
      return check_list(i, a);
    if (attr.kind == AttrKind::dim && a.compare == Compare::equal) {
      s_.equations.push_back({have(i).dim(), &a.value, span_of(a), fmt::format("{} of {}", attr.name, who()), mark(i)});
      return;
    }
    bool holds = false;
    if (a.compare == Compare::one_of) {
      holds = std::any_of(a.value.args.begin(), a.value.args.end(), [&](const Expr& e) {
        const auto value = literal(attr, e, a.span);
        return value && compare_attributes(s_.graph, Compare::equal, have(i), *value);
      });
    } else if (const auto value = literal(attr, a.value, a.span)) {
      holds = a.compare == Compare::equal ? have(i) == *value || (attr.name == "axis" && is_same_axis(have(i), *value))
                                          : compare_attributes(s_.graph, a.compare, have(i), *value);
    }
    if (holds)
      return;
    static constexpr std::string_view words[] = {"is",       "is not",      "is below", "is at most",
                                                 "is above", "is at least", "is among", "is"};
    FailedPredicate& f = fail(
        i, span_of(a),
        fmt::format("{} of {} {} {}", attr.name, who(), words[static_cast<std::size_t>(a.compare)], to_string(a.value)),
        fmt::format("it is {}", to_string(have(i))));
    if (a.compare == Compare::equal)
      f.in_graph = fmt::format("{} = {}", attr.name, to_string(a.value));
    f.in_pattern = fmt::format("{} = ${} captures any value{}", attr.name, attr.name, at_line(span_of(a)));
  }

  bool is_same_axis(Attribute a, Attribute b) const {
    if (a.kind() != AttrKind::integer || b.kind() != AttrKind::integer || (a.integer() < 0) == (b.integer() < 0))
      return false;
    const auto rank = static_cast<std::int64_t>(s_.view.type(s_.view.operand(node_.index, 0)).shape.rank());
    return std::max(a.integer(), b.integer()) - std::min(a.integer(), b.integer()) == rank;
  }

  void check_capture(std::size_t i, const AttrPattern& a) {
    const auto slot = static_cast<std::size_t>(std::find(s_.v.captures.begin(), s_.v.captures.end(), a.value.text) -
                                               s_.v.captures.begin());
    if (!s_.captures_known[slot]) {
      s_.captures_known[slot] = true;
      s_.bound.captures[slot] = have(i);
      return;
    }
    if (compare_attributes(s_.graph, Compare::equal, have(i), s_.bound.captures[slot]))
      return;
    FailedPredicate& f = s_.fail(Cause::capture, span_of(a),
                                 fmt::format("{} of {} is ${}, which is {} elsewhere", def_.attrs[i].name, who(),
                                             a.value.text, to_string(s_.bound.captures[slot])),
                                 fmt::format("it is {}", to_string(have(i))));
    f.marks = {mark(i)};
    f.in_graph = fmt::format("{} = {}", def_.attrs[i].name, to_string(s_.bound.captures[slot]));
    f.in_pattern = fmt::format("give it a name of its own, ${}2, if the rewrite can take two values{}", a.value.text,
                               at_line(span_of(a)));
  }

  void check_list(std::size_t i, const AttrPattern& a) {
    const AttrDef& attr = def_.attrs[i];
    const bool open = !a.value.args.empty() && a.value.args.back().kind == Expr::Kind::rest;
    const std::size_t count = a.value.args.size() - (open ? 1 : 0);
    const auto dims = have(i).dims().dims();
    if (attr.name == "axes" && !open) {
      check_axes(i, a);
      return;
    }
    if (open ? dims.size() < count : dims.size() != count) {
      if (counts_results(attr) && has_other_results())
        return;  // one size a result: told as the number of results
      FailedPredicate& f =
          fail(i, span_of(a),
               fmt::format("{} of {} has {}{}", attr.name, who(), open ? "at least " : "", counted(count, "element")),
               fmt::format("it is {}", to_string(have(i))));
      if (!open && dims.size() > count)
        f.in_pattern = fmt::format("end the list with ... to take more{}", at_line(span_of(a)));
      return;
    }
    for (std::size_t k = 0; k < count; ++k) {
      s_.equations.push_back(
          {dims[k], &a.value.args[k], span_of(a), fmt::format("{}[{}] of {}", attr.name, k, who()), mark(i)});
    }
  }

  bool counts_results(const AttrDef& attr) const { return n_.op == op::split && attr.name == "sizes"; }
  bool has_other_results() const {
    const std::size_t have = s_.graph.num_results(node_);
    return n_.rest_results ? have < n_.results.size() : have != n_.results.size();
  }

  void check_axes(std::size_t i, const AttrPattern& a) {
    const auto rank = static_cast<std::int64_t>(s_.view.type(s_.view.operand(node_.index, 0)).shape.rank());
    auto normal = [&](std::vector<std::int64_t> axes) {
      for (std::int64_t& x : axes)
        x += x < 0 ? rank : 0;
      std::sort(axes.begin(), axes.end());
      return axes;
    };
    std::vector<std::int64_t> found, wanted;
    for (const Dim d : have(i).dims())
      found.push_back(d.is_constant() ? d.constant() : Dim::max_constant);
    for (const Expr& e : a.value.args) {
      if (const auto linear = linear_form(s_.v, e))
        wanted.push_back(linear->constant);
    }
    if (found.size() == wanted.size() && normal(found) == normal(wanted))
      return;
    FailedPredicate& f = fail(i, span_of(a), fmt::format("axes of {} are {}", who(), to_string(a.value)),
                              fmt::format("they are {}", to_string(have(i))));
    f.in_graph = fmt::format("axes = {}", to_string(a.value));
    f.in_pattern = fmt::format("axes = {} or any{}", to_string(have(i)), at_line(span_of(a)));
  }

  SoftState& s_;
  std::size_t index_;
  const PatternNode& n_;
  Node node_;
  const OpDef& def_;
};

}  // namespace

std::string at_line(const Span& span) {
  return span.line != 0 ? fmt::format(" (line {})", span.line) : std::string();
}

void check_attributes(SoftState& state) {
  for (std::size_t i = 0; i < state.v.nodes.size(); ++i) {
    if (state.is_bound(i))
      AttributeChecker(state, i).run();
  }
}

}  // namespace tandem
