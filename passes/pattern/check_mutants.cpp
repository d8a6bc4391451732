#include <tandem/passes/pattern/check_mutants.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>

#include <tandem/ir/op_table.h>

namespace tandem {

namespace {

/// The kind of the attribute that binds each capture.
void collect_captures(Context& context, const std::vector<Clause>& clauses, std::map<std::string, AttrKind>& kinds) {
  for (const Clause& c : clauses) {
    for (const auto& branch : c.branches)
      collect_captures(context, branch, kinds);
    const auto op = c.kind == Clause::Kind::node ? context.find_op(c.node.op) : std::nullopt;
    if (!op)
      continue;
    for (const AttrPattern& a : c.node.attrs) {
      const int i = context.op(*op).find_attr(a.name);
      if (i >= 0 && a.value.kind == Expr::Kind::capture)
        kinds[a.value.text] = context.op(*op).attrs[static_cast<std::size_t>(i)].kind;
    }
  }
}

Expr arithmetic(Expr::Kind kind, Expr a, Expr b) {
  Expr e;
  e.kind = kind;
  e.args = {std::move(a), std::move(b)};
  return e;
}

Expr real(double value) {
  Expr e;
  e.kind = Expr::Kind::real;
  e.real = value;
  return e;
}

Expr integer(std::int64_t value) {
  Expr e;
  e.integer = value;
  return e;
}

Expr boolean(bool value) {
  Expr e;
  e.kind = Expr::Kind::boolean;
  e.boolean = value;
  return e;
}

Expr name(std::string_view text) {
  Expr e;
  e.kind = Expr::Kind::name;
  e.text = text;
  return e;
}

/// Other values for an attribute of a new node.
std::vector<Expr> other_values(AttrKind kind, const Expr& e) {
  switch (kind) {
    case AttrKind::boolean: return {boolean(true), boolean(false)};
    case AttrKind::real: return {arithmetic(Expr::Kind::add, e, real(0.25)), arithmetic(Expr::Kind::mul, e, real(2.0))};
    case AttrKind::integer:
    case AttrKind::dim: return {arithmetic(Expr::Kind::add, e, integer(1))};
    case AttrKind::dtype: return {name("f8e4m3"), name("f8e5m2"), name("f32"), name("bf16")};
    case AttrKind::dims:
      if (e.kind == Expr::Kind::list && e.args.size() >= 2) {
        Expr reversed = e;
        std::reverse(reversed.args.begin(), reversed.args.end());
        return {reversed};
      }
      return {};
    default: return {};
  }
}

class Mutator {
 public:
  Mutator(Context& context, const Pattern& pattern) : context_(context), pattern_(pattern) {
    collect_captures(context, pattern.match, captures_);
    for (const Definition& d : pattern.definitions)
      collect_captures(context, d.body, captures_);
  }

  std::vector<Mutant> run() {
    for (std::size_t i = 0; i < pattern_.rewrite.size(); ++i) {
      const auto op = context_.find_op(pattern_.rewrite[i].op);
      if (!op)
        continue;  // the variable of a family
      attributes(i, context_.op(*op));
      operands(i, context_.op(*op));
      other_ops(i, *op);
      leave_out(i);
    }
    for (std::size_t i = 0; i < pattern_.replacements.size(); ++i) {
      for (std::size_t k = i + 1; k < pattern_.replacements.size(); ++k) {
        add(fmt::format("%{} and %{} are exchanged", pattern_.replacements[i].replacement,
                        pattern_.replacements[k].replacement),
            [&](Pattern& p) { std::swap(p.replacements[i].replacement, p.replacements[k].replacement); });
      }
    }
    return std::move(out_);
  }

 private:
  void add(std::string mutation, const std::function<void(Pattern&)>& edit) {
    Pattern changed = pattern_;
    edit(changed);
    if (changed != pattern_)
      out_.push_back({std::move(mutation), std::move(changed)});
  }

  void attributes(std::size_t node, const OpDef& def) {
    const RewriteNode& n = pattern_.rewrite[node];
    for (std::size_t i = 0; i < n.attrs.size(); ++i) {
      const AttrPattern& a = n.attrs[i];
      const int row = def.find_attr(a.name);
      if (row < 0)
        continue;
      const AttrDef& attr = def.attrs[static_cast<std::size_t>(row)];
      if (attr.default_value) {
        add(fmt::format("'{}' of {} is dropped", a.name, n.op), [&](Pattern& p) {
          p.rewrite[node].attrs.erase(p.rewrite[node].attrs.begin() + static_cast<std::ptrdiff_t>(i));
        });
      }
      std::vector<Expr> others = other_values(attr.kind, a.value);
      for (const auto& [capture, kind] : captures_) {
        if (kind != attr.kind)
          continue;
        Expr e;
        e.kind = Expr::Kind::capture;
        e.text = capture;
        others.push_back(std::move(e));
      }
      for (const Expr& other : others) {
        add(fmt::format("'{}' of {} is {} in place of {}", a.name, n.op, to_string(other), to_string(a.value)),
            [&](Pattern& p) { p.rewrite[node].attrs[i].value = other; });
      }
    }
    for (const AttrDef& attr : def.attrs) {  // one that is left at its default
      const bool given =
          std::any_of(n.attrs.begin(), n.attrs.end(), [&](const AttrPattern& a) { return a.name == attr.name; });
      if (given || attr.kind != AttrKind::boolean)
        continue;
      AttrPattern set;
      set.name = attr.name;
      set.value = boolean(!attr.default_value.boolean());
      add(fmt::format("'{}' of {} is {}", attr.name, n.op, to_string(set.value)),
          [&](Pattern& p) { p.rewrite[node].attrs.push_back(set); });
    }
  }

  void operands(std::size_t node, const OpDef& def) {
    const RewriteNode& n = pattern_.rewrite[node];
    for (std::size_t i = 0; i < n.operands.size(); ++i) {
      for (std::size_t k = i + 1; k < n.operands.size(); ++k) {
        add(fmt::format("%{} and %{} of {} are swapped", n.operands[i], n.operands[k], n.op),
            [&](Pattern& p) { std::swap(p.rewrite[node].operands[i], p.rewrite[node].operands[k]); });
      }
      for (std::size_t k = 0; k < n.operands.size(); ++k) {
        add(fmt::format("{} reads %{} in place of %{}", n.op, n.operands[k], n.operands[i]),
            [&](Pattern& p) { p.rewrite[node].operands[i] = n.operands[k]; });
      }
    }
    if (n.operands.size() > def.min_operands) {
      add(fmt::format("the last operand of {} is left out", n.op),
          [&](Pattern& p) { p.rewrite[node].operands.pop_back(); });
    }
  }

  void other_ops(std::size_t node, OpId id) {
    const OpDef& def = context_.op(id);
    const RewriteNode& n = pattern_.rewrite[node];
    std::size_t found = 0;
    for (const OpDef& other : context_.ops()) {
      if (other.name == def.name || other.name == "return" || other.results.size() != def.results.size() ||
          !other.accepts_operands(n.operands.size())) {
        continue;
      }
      const bool takes = std::all_of(n.attrs.begin(), n.attrs.end(),
                                     [&](const AttrPattern& a) { return other.find_attr(a.name) >= 0; });
      const bool has_all = std::all_of(other.attrs.begin(), other.attrs.end(), [&](const AttrDef& d) {
        return d.default_value ||
               std::any_of(n.attrs.begin(), n.attrs.end(), [&](const AttrPattern& a) { return a.name == d.name; });
      });
      if (!takes || !has_all)
        continue;
      add(fmt::format("{} in place of {}", other.name, def.name), [&](Pattern& p) { p.rewrite[node].op = other.name; });
      if (++found == 4)
        return;
    }
  }

  void leave_out(std::size_t node) {
    const RewriteNode& n = pattern_.rewrite[node];
    if (n.results.size() != 1 || n.operands.empty())
      return;
    add(fmt::format("{} is left out", n.op), [&](Pattern& p) {
      const std::string gone = n.results[0], stays = n.operands[0];
      p.rewrite.erase(p.rewrite.begin() + static_cast<std::ptrdiff_t>(node));
      for (RewriteNode& other : p.rewrite)
        std::replace(other.operands.begin(), other.operands.end(), gone, stays);
      for (Replacement& r : p.replacements) {
        if (r.replacement == gone)
          r.replacement = stays;
      }
    });
  }

  Context& context_;
  const Pattern& pattern_;
  std::map<std::string, AttrKind> captures_;
  std::vector<Mutant> out_;
};

}  // namespace

std::vector<Mutant> mutants(Context& context, const Pattern& pattern) {
  return Mutator(context, pattern).run();
}

}  // namespace tandem
