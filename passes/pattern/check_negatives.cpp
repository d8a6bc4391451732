#include <tandem/passes/pattern/check_negatives.h>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <tandem/passes/pattern/check_solution.h>

namespace tandem {

namespace {

std::string name_of(const CompiledVariant& variant, int value) {
  return value >= 0 && static_cast<std::size_t>(value) < variant.values.size()
             ? "%" + variant.values[static_cast<std::size_t>(value)].name
             : std::string("a further value");
}

/// An axis or a list of axes without the ways to spell it: as counted from the front, sorted.
std::vector<std::int64_t> axes_of(Attribute a, std::size_t rank) {
  std::vector<std::int64_t> out;
  const auto add = [&](std::int64_t axis) { out.push_back(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis); };
  if (a.kind() == AttrKind::integer)
    add(a.integer());
  if (a.kind() == AttrKind::dims) {
    for (Dim d : a.dims())
      add(d.is_constant() ? d.constant() : 0);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Attribute> other_values(Context& context, Attribute a) {
  switch (a.kind()) {
    case AttrKind::boolean: return {Attribute::of(!a.boolean())};
    case AttrKind::integer: return {Attribute::of(a.integer() + 1), Attribute::of(a.integer() - 1)};
    case AttrKind::real: return {Attribute::of(a.real() + 1), Attribute::of(a.real() * 2)};
    case AttrKind::dtype: {
      std::vector<Attribute> out;
      for (DType d : {DType::f32, DType::bf16, DType::f8e4m3, DType::f8e5m2, DType::f8e4m3fnuz, DType::i32}) {
        if (d != a.dtype())
          out.push_back(Attribute::of(d));
      }
      return out;
    }
    case AttrKind::string: {
      std::vector<Attribute> out;
      for (std::string_view text : {"set", "add", "stable", "torch"}) {
        if (const Symbol s = context.intern(text); s != a.string())
          out.push_back(Attribute::of(s));
      }
      return out;
    }
    case AttrKind::dim: return {Attribute::of(a.dim() + 1)};
    case AttrKind::dims: {
      std::vector<Dim> dims(a.dims().begin(), a.dims().end());
      if (dims.empty())
        return {Attribute::of(context.shape({1}))};
      std::reverse(dims.begin(), dims.end());
      const Attribute reversed = Attribute::of(context.shape(dims));
      dims = std::vector<Dim>(a.dims().begin(), a.dims().end());
      dims[0] = dims[0] + 1;
      return {reversed, Attribute::of(context.shape(dims))};
    }
    default: return {};
  }
}

bool is_literal(const Expr& e) {
  if (e.kind == Expr::Kind::name && !parse_dtype(e.text))
    return false;
  if (e.kind == Expr::Kind::capture || e.kind == Expr::Kind::rest)
    return false;
  return std::all_of(e.args.begin(), e.args.end(), is_literal);
}

std::optional<Attribute> literal(Context& context, const Expr& e) {
  switch (e.kind) {
    case Expr::Kind::boolean: return Attribute::of(e.boolean);
    case Expr::Kind::integer: return Attribute::of(e.integer);
    case Expr::Kind::real: return Attribute::of(e.real);
    case Expr::Kind::string: return Attribute::of(context.intern(e.text));
    case Expr::Kind::name: return Attribute::of(*parse_dtype(e.text));
    default: return std::nullopt;
  }
}

class Breaker {
 public:
  Breaker(Context& context, const CompiledVariant& variant, const Instance& instance)
      : context_(context), variant_(variant), instance_(instance) {}

  std::vector<Negative> run() {
    for (std::size_t n = 0; n < instance_.nodes.size(); ++n) {
      if (is_matched(instance_.nodes[n]))
        break_attributes(n);
    }
    break_uses();
    break_values();
    break_dtypes();
    return std::move(out_);
  }

 private:
  void add(std::string broken, const Span& span, Instance instance) {
    out_.push_back({std::move(broken), span, std::move(instance)});
  }

  static bool is_matched(const InstanceNode& n) { return n.pattern_node >= 0; }
  const PatternNode& pattern_of(const InstanceNode& n) const {
    return variant_.nodes[static_cast<std::size_t>(n.pattern_node)];
  }

  /// Whether a value of an attribute is one that the pattern excludes; empty when that cannot be told here.
  std::optional<bool> excluded(const NodePattern& source, const AttrDef& def, Attribute now, Attribute was,
                               std::size_t rank) const {
    if ((def.name == "axis" || def.name == "axes") && axes_of(now, rank) == axes_of(was, rank))
      return false;
    bool mentioned = false;
    for (const AttrPattern& a : source.attrs) {
      if (a.name != def.name)
        continue;
      mentioned = true;
      if (a.compare == Compare::any)
        return false;
      if (a.compare == Compare::equal && is_literal(a.value))
        return true;
      if (a.compare == Compare::equal && a.value.kind == Expr::Kind::capture) {
        if (captures_.at(a.value.text) > 1)
          return true;
        continue;
      }
      if (a.compare == Compare::one_of) {
        bool found = false;
        for (const Expr& e : a.value.args) {
          const auto v = is_literal(e) ? literal(context_, e) : std::nullopt;
          if (!v)
            return std::nullopt;
          found |= *v == now;
        }
        if (!found)
          return true;
        continue;
      }
      const auto bound = is_literal(a.value) ? literal(context_, a.value) : std::nullopt;
      const auto holds = bound ? Solution::compare(a.compare, now, *bound) : std::nullopt;
      if (!holds)
        return std::nullopt;
      if (!*holds)
        return true;
    }
    return !mentioned;  // closed: the default is meant
  }

  void break_attributes(std::size_t index) {
    const InstanceNode& n = instance_.nodes[index];
    const OpDef& def = context_.op(n.op);
    const NodePattern& source = *pattern_of(n).source;
    count_captures();
    const std::size_t rank =
        n.operands.empty() ? 0 : instance_.values[static_cast<std::size_t>(n.operands[0])].type.shape.rank();
    for (std::size_t i = 0; i < def.attrs.size(); ++i) {
      for (const Attribute now : other_values(context_, n.attrs[i])) {
        if (now == n.attrs[i] || excluded(source, def.attrs[i], now, n.attrs[i], rank) != true)
          continue;
        Instance changed = instance_;
        changed.nodes[index].attrs[i] = now;
        Span span = source.span;
        for (const AttrPattern& a : source.attrs) {
          if (a.name == def.attrs[i].name && a.span.line != 0)
            span = a.span;
        }
        add(fmt::format("attribute '{}' of {} is {}, not {}", def.attrs[i].name, def.name, to_string(now),
                        to_string(n.attrs[i])),
            span, std::move(changed));
      }
    }
  }

  void count_captures() {
    if (!captures_.empty())
      return;
    for (const PatternNode& n : variant_.nodes) {
      for (const AttrPattern& a : n.source->attrs) {
        if (a.compare == Compare::equal && a.value.kind == Expr::Kind::capture)
          ++captures_[a.value.text];
      }
    }
  }

  /// Results that go away must have no users outside.
  void break_uses() {
    for (const InstanceNode& n : instance_.nodes) {
      if (!is_matched(n))
        continue;
      const PatternNode& pattern = pattern_of(n);
      for (std::size_t i = 0; i < pattern.results.size(); ++i) {
        const int v = pattern.results[i];
        const bool unused = v < 0;
        const bool inner =
            v >= 0 && !pattern.keep && !pattern.recompute && !variant_.values[static_cast<std::size_t>(v)].replaced;
        if (!unused && !inner)
          continue;
        Instance changed = instance_;
        changed.outputs.push_back(n.results[i]);
        add(fmt::format("{} has a user outside", unused ? "a result that must not be used" : name_of(variant_, v)),
            pattern.source->span, std::move(changed));
      }
    }
  }

  /// One name, one value: where an input is read twice, one of the readers reads another.
  void break_values() {
    std::map<int, int> reads;
    for (std::size_t n = 0; n < instance_.nodes.size(); ++n) {
      for (std::size_t i = 0; is_matched(instance_.nodes[n]) && i < instance_.nodes[n].operands.size(); ++i) {
        const int v = instance_.nodes[n].operands[i];
        if (instance_.values[static_cast<std::size_t>(v)].node >= 0 || ++reads[v] < 2)
          continue;
        Instance changed = instance_;
        changed.values.push_back({"other value", instance_.values[static_cast<std::size_t>(v)].type, -1, false});
        changed.nodes[n].operands[i] = static_cast<int>(changed.values.size()) - 1;
        add(fmt::format("{} is two values", name_of(variant_, v)), pattern_of(instance_.nodes[n]).source->span,
            std::move(changed));
      }
    }
  }

  void break_dtypes() {
    for (std::size_t v = 0; v < variant_.values.size(); ++v) {
      const PatternValue& value = variant_.values[v];
      if (value.node >= 0 || value.type.dtype.empty() || !parse_dtype(value.type.dtype))
        continue;
      for (DType d : {DType::f32, DType::f16, DType::f64}) {
        if (d == instance_.values[v].type.dtype)
          continue;
        Instance changed = instance_;
        changed.values[v].type.dtype = d;
        add(fmt::format("%{} is {}, not {}", value.name, to_string(d), value.type.dtype), value.span,
            std::move(changed));
      }
    }
  }

  Context& context_;
  const CompiledVariant& variant_;
  const Instance& instance_;
  std::map<std::string, int> captures_;
  std::vector<Negative> out_;
};

}  // namespace

std::vector<Negative> break_conditions(Context& context, const CompiledVariant& variant, const Instance& instance) {
  return Breaker(context, variant, instance).run();
}

std::vector<Pattern> with_forbidden_parts(const CompiledVariant& variant) {
  std::vector<Pattern> out;
  const Pattern& p = variant.source.pattern;
  for (std::size_t c = 0; c < p.match.size(); ++c) {
    if (p.match[c].kind != Clause::Kind::unless)
      continue;
    for (const std::vector<Clause>& branch : p.match[c].branches) {
      Pattern with = p;
      std::erase_if(with.match, [](const Clause& clause) { return clause.kind == Clause::Kind::unless; });
      for (Clause part : branch) {
        part.node.keep = true;
        // What the match takes from outside, the part may compute.
        for (const std::string& r : part.node.results) {
          const auto in =
              std::find_if(with.inputs.begin(), with.inputs.end(), [&](const InputPattern& i) { return i.name == r; });
          if (in == with.inputs.end())
            continue;
          if (part.node.types.empty() && part.node.results.size() == 1)
            part.node.types = {in->type};
          with.inputs.erase(in);
        }
        with.match.push_back(std::move(part));
      }
      out.push_back(std::move(with));
    }
  }
  return out;
}

}  // namespace tandem
