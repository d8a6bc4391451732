// A plan asks for attributes.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/plan_building.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

void PlanBuilder::test_attrs(const PatternNode& n, std::uint8_t reg) {
  const OpDef& def = set_.context->op(n.op);
  for (std::size_t i = 0; i < def.attrs.size(); ++i) {
    bool mentioned = false;
    for (const AttrPattern& a : n.source->attrs) {
      if (a.name != def.attrs[i].name)
        continue;
      mentioned = true;
      test_attr(n, reg, def, static_cast<std::uint8_t>(i), a);
    }
    if (mentioned)
      continue;
    Step s;
    s.kind = StepKind::attr_is;
    s.node = reg;
    s.index = static_cast<std::uint8_t>(i);
    s.arg = static_cast<std::uint32_t>(def.attrs[i].default_value.kind());
    s.payload = def.attrs[i].default_value.bits();
    add(s, n.source->span,
        fmt::format("{} of {} has its default, {}", def.attrs[i].name, def.name,
                    to_string(def.attrs[i].default_value)));
  }
}

void PlanBuilder::test_attr(const PatternNode& n, std::uint8_t reg, const OpDef& def, std::uint8_t i,
                            const AttrPattern& a) {
  if (a.compare == Compare::any)
    return;
  const AttrDef& attr = def.attrs[i];
  const Span& span = a.span.line != 0 ? a.span : n.source->span;
  Step s;
  s.node = reg;
  s.index = i;
  if (a.compare == Compare::equal && a.value.kind == Expr::Kind::capture) {
    const auto c = static_cast<std::uint8_t>(std::find(v_.captures.begin(), v_.captures.end(), a.value.text) -
                                             v_.captures.begin());
    s.slot = c;
    s.kind = capture_known_[c] ? StepKind::attr_same : StepKind::attr_bind;
    capture_known_[c] = true;
    add(s, span, fmt::format("{} of {} is ${}", attr.name, def.name, a.value.text));
    return;
  }
  if (attr.kind == AttrKind::dims && a.compare == Compare::equal && a.value.kind == Expr::Kind::list) {
    test_list(n, s, attr, a, span);
    return;
  }
  if (attr.kind == AttrKind::dim && a.compare == Compare::equal) {
    Equation e;
    e.source = Equation::Source::dim_attr;
    e.node = reg;
    e.attr = i;
    add_equation(e, a.value, span, fmt::format("{} of {}", attr.name, def.name));
    return;
  }
  if (a.compare == Compare::one_of) {
    std::vector<Attribute> list;
    for (const Expr& element : a.value.args)
      list.push_back(literal(attr, element, span));
    s.kind = StepKind::attr_compare;
    s.low = static_cast<std::uint8_t>(Compare::one_of);
    s.arg = intern(set_.constant_lists, list);
    add(s, span, fmt::format("{} of {} is in {}", attr.name, def.name, to_string(a.value)));
    return;
  }
  const Attribute value = literal(attr, a.value, span);
  if (a.compare == Compare::equal) {
    s.kind = attr.name == "axis" && attr.kind == AttrKind::integer ? StepKind::axis_is : StepKind::attr_is;
    s.arg = static_cast<std::uint32_t>(attr.kind);
    s.payload = value.bits();
    add(s, span, fmt::format("{} of {} is {}", attr.name, def.name, to_string(a.value)));
    return;
  }
  if (attr.kind != AttrKind::integer && attr.kind != AttrKind::real && attr.kind != AttrKind::dim &&
      a.compare != Compare::not_equal) {
    fail(span, "pattern.attribute-kind",
         fmt::format("'{}' of op '{}' is a {} and has no order", attr.name, def.name, to_string(attr.kind)));
  }
  s.kind = StepKind::attr_compare;
  s.low = static_cast<std::uint8_t>(a.compare);
  s.arg = intern(set_.constants, value);
  static constexpr std::string_view words[] = {"is",       "is not",      "is below", "is at most",
                                               "is above", "is at least", "is among", "is"};
  add(s, span,
      fmt::format("{} of {} {} {}", attr.name, def.name, words[static_cast<std::size_t>(a.compare)],
                  to_string(a.value)));
}

void PlanBuilder::test_list(const PatternNode& n, Step s, const AttrDef& attr, const AttrPattern& a, const Span& span) {
  const OpDef& def = set_.context->op(n.op);
  const bool open = !a.value.args.empty() && a.value.args.back().kind == Expr::Kind::rest;
  const std::size_t count = a.value.args.size() - (open ? 1 : 0);
  if (attr.name == "axes" && !open) {
    std::vector<Attribute> axes;
    for (const Expr& e : a.value.args) {
      const auto linear = linear_form(v_, e);
      if (!linear || !linear->terms.empty())
        fail(span, "pattern.attribute-kind", "axes must be integers");
      axes.push_back(Attribute::of(linear->constant));
    }
    s.kind = StepKind::axes_are;
    s.arg = intern(set_.constant_lists, axes);
    add(s, span, fmt::format("axes of {} are {}", def.name, to_string(a.value)));
    return;
  }
  s.kind = StepKind::list_length;
  s.low = static_cast<std::uint8_t>(count);
  s.high = open ? unbounded : s.low;
  add(s, span,
      fmt::format("{} of {} has {}{}", attr.name, def.name, open ? "at least " : "", counted(count, "element")));
  for (std::size_t i = 0; i < count; ++i) {
    Equation e;
    e.source = Equation::Source::list_element;
    e.node = s.node;
    e.attr = s.index;
    e.index = static_cast<std::uint8_t>(i);
    add_equation(e, a.value.args[i], span, fmt::format("{}[{}] of {}", attr.name, i, def.name));
  }
}

Attribute PlanBuilder::literal(const AttrDef& attr, const Expr& e, const Span& span) {
  const auto value = [&]() -> std::optional<AttrValue> {
    switch (e.kind) {
      case Expr::Kind::boolean: return AttrValue(e.boolean);
      case Expr::Kind::integer: return AttrValue(e.integer);
      case Expr::Kind::real: return AttrValue(e.real);
      case Expr::Kind::string: return AttrValue(e.text);
      case Expr::Kind::name:
        if (const auto dtype = parse_dtype(e.text))
          return AttrValue(*dtype);
        return std::nullopt;
      case Expr::Kind::neg:
        if (e.args[0].kind == Expr::Kind::integer)
          return AttrValue(-e.args[0].integer);
        if (e.args[0].kind == Expr::Kind::real)
          return AttrValue(-e.args[0].real);
        return std::nullopt;
      case Expr::Kind::list: {
        std::vector<Dim> dims;
        for (const Expr& x : e.args) {
          const auto linear = linear_form(v_, x);
          if (!linear || !linear->terms.empty())
            return std::nullopt;
          dims.emplace_back(linear->constant);
        }
        return AttrValue(std::move(dims));
      }
      default: return std::nullopt;
    }
  }();
  const Attribute fitted = value ? fit_attribute(*set_.context, attr.kind, *value) : Attribute();
  const bool is_type = e.kind == Expr::Kind::name && attr.kind == AttrKind::dtype &&
                       std::find(v_.types.begin(), v_.types.end(), e.text) != v_.types.end();
  if (is_type) {
    fail(span, "pattern.attribute-kind",
         fmt::format("'{}' is a type variable, which types have and attributes do not", e.text),
         fmt::format("say it of the result: {{{} = any}} : {}", attr.name, e.text));
  } else if (!fitted) {
    fail(span, "pattern.attribute-kind",
         fmt::format("'{}' is no value for attribute '{}', which is a {}", to_string(e), attr.name,
                     to_string(attr.kind)),
         attr.kind == AttrKind::dtype ? "a dtype that varies is captured: dtype = $dtype" : "");
  }
  return fitted;
}

}  // namespace tandem
