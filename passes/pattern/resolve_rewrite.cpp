// The right side of a variant: its new nodes, and what they replace.
#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/resolver.h>

namespace tandem {

void Resolver::resolve_rewrite() {
  const Pattern& p = v_.source.pattern;
  for (const RewriteNode& source : p.rewrite)
    resolve_new_node(source);
  for (const Replacement& r : p.replacements)
    resolve_replacement(r);
  if (v_.replacements.empty()) {
    problem(p.span, "pattern.no-replacement", "replaces nothing",
            "say which matched value becomes which new one: %old = %new");
  }
}

void Resolver::resolve_new_node(const RewriteNode& source) {
  RewriteStep step;
  step.span = source.span;
  const auto op = find_op(source.op, source.span);
  if (!op) {  // its results are there all the same: one mistake, one problem
    for (const std::string& name : source.results)
      created_.try_emplace(name, RewriteOperand{RewriteOperand::Kind::matched, -1, 0});
    return;
  }
  step.op = *op;
  const OpDef& def = context_.op(*op);
  for (const std::string& name : source.operands)
    step.operands.push_back(rewrite_operand(name, source.span));
  if (!std::any_of(step.operands.begin(), step.operands.end(),
                   [](const RewriteOperand& o) { return o.kind == RewriteOperand::Kind::rest; }) &&
      !def.accepts_operands(step.operands.size())) {
    problem(source.span, "pattern.arity",
            fmt::format("{} does not take {}", def.name, counted(step.operands.size(), "operand")),
            def.name + def.signature);
  }
  set_attributes(step, source, def);
  step.num_results = source.results.size();
  if (!def.variadic_results && source.results.size() != def.results.size()) {
    problem(source.span, "pattern.arity",
            fmt::format("{} has {}, not {}", def.name, counted(def.results.size(), "result"), source.results.size()),
            def.name + def.signature);
  }
  name_results(source);
  v_.rewrite.push_back(std::move(step));
}

void Resolver::set_attributes(RewriteStep& step, const RewriteNode& source, const OpDef& def) {
  step.attrs.resize(def.attrs.size());
  step.given.assign(def.attrs.size(), false);
  for (const AttrPattern& a : source.attrs) {
    const int i = def.find_attr(a.name);
    if (i < 0) {
      std::vector<std::string_view> names;
      for (const AttrDef& d : def.attrs)
        names.push_back(d.name);
      problem(a.span, "pattern.unknown-attribute",
              fmt::format("op '{}' has no attribute '{}'{}", def.name, a.name, did_you_mean(a.name, names)),
              def.name + def.signature);
      continue;
    }
    if (a.compare != Compare::equal) {
      problem(a.span, "pattern.rewrite-attribute", "an attribute of a new node must be given with '='");
      continue;
    }
    if (mentions({a.value}, Expr::Kind::value) || mentions({a.value}, Expr::Kind::uses)) {
      problem(a.span, "pattern.rewrite-attribute", "an attribute of a new node cannot be computed from a value",
              "it is an expression over captures, dims and dtypes");
      continue;
    }
    try {
      step.attrs[static_cast<std::size_t>(i)] = bind_expr(context_, v_, a.value, a.span);
      step.given[static_cast<std::size_t>(i)] = true;
    } catch (const Error& e) {
      problems_.insert(problems_.end(), e.diagnostics().begin(), e.diagnostics().end());
    }
  }
  for (std::size_t i = 0; i < def.attrs.size(); ++i) {
    if (!step.given[i] && !def.attrs[i].default_value) {
      problem(source.span, "pattern.missing-attribute",
              fmt::format("the new {} needs attribute '{}'", def.name, def.attrs[i].name), def.name + def.signature);
    }
  }
}

/// The values of the new node that is added next.
void Resolver::name_results(const RewriteNode& source) {
  for (std::size_t i = 0; i < source.results.size(); ++i) {
    if (source.results[i] == "_")
      continue;
    const RewriteOperand made{RewriteOperand::Kind::created, static_cast<int>(v_.rewrite.size()), static_cast<int>(i)};
    if (!created_.emplace(source.results[i], made).second || value_ids_.contains(source.results[i])) {
      problem(source.span, "pattern.duplicate-value",
              fmt::format("the new value '%{}' has the name of another", source.results[i]),
              "a new value needs a name of its own; 'replace' or '%old = %new' says what it stands for");
    }
  }
}

void Resolver::resolve_replacement(const Replacement& r) {
  const auto it = value_ids_.find(r.matched);
  if (it == value_ids_.end() || v_.values[static_cast<std::size_t>(it->second)].node < 0) {
    problem(r.span, "pattern.unbound-value",
            fmt::format("'%{}' is not a value that the match computes, so it cannot be replaced", r.matched));
    return;
  }
  PatternValue& old = v_.values[static_cast<std::size_t>(it->second)];
  if (old.replaced)
    problem(r.span, "pattern.duplicate-value", fmt::format("'%{}' is replaced twice", r.matched));
  if (v_.nodes[static_cast<std::size_t>(old.node)].keep) {
    problem(r.span, "pattern.replaced-kept", fmt::format("'%{}' is both kept and replaced", r.matched),
            "remove 'keep' from its node");
  }
  old.replaced = true;
  v_.replacements.emplace_back(it->second, rewrite_operand(r.replacement, r.span));
}

RewriteOperand Resolver::rewrite_operand(const std::string& name, const Span& span) {
  if (is_rest(name)) {
    const auto it = rest_ids_.find(name.substr(0, name.size() - 3));
    if (it != rest_ids_.end())
      return {RewriteOperand::Kind::rest, it->second, 0};
  }
  if (const auto it = created_.find(name); it != created_.end())
    return it->second;
  if (const auto it = value_ids_.find(name); it != value_ids_.end())
    return {RewriteOperand::Kind::matched, it->second, 0};
  std::vector<std::string_view> names;
  for (const auto& [n, id] : value_ids_)
    names.push_back(n);
  problem(span, "pattern.unbound-value",
          fmt::format("'%{}' is bound neither by the match nor by a new node{}", name, did_you_mean(name, names)));
  return {RewriteOperand::Kind::matched, -1, 0};
}

}  // namespace tandem
