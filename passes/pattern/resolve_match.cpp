// The nodes of a variant's match: operands, results and attributes against the rows of their ops.
#include <set>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/resolver.h>

namespace tandem {

namespace {

void collect_captures(const Expr& e, std::vector<std::string>& out) {
  if (e.kind == Expr::Kind::capture)
    intern(out, e.text);
  for (const Expr& a : e.args)
    collect_captures(a, out);
}

}  // namespace

// Results first, so that nodes may be written in any order.
void Resolver::number_results(const std::vector<Clause>& clauses) {
  int node = 0;
  for (const Clause& c : clauses) {
    if (c.kind != Clause::Kind::node)
      continue;
    for (std::size_t i = 0; i < c.node.results.size(); ++i) {
      const std::string& name = c.node.results[i];
      if (name == "_" || is_rest(name))
        continue;
      if (value_ids_.contains(name)) {
        problem(c.node.span, "pattern.duplicate-value", fmt::format("'%{}' is defined twice", name));
        continue;
      }
      add_value(name, node, static_cast<int>(i), i < c.node.types.size() ? c.node.types[i] : TypePattern{},
                c.node.span);
    }
    ++node;
  }
}

void Resolver::resolve_node(const NodePattern& source) {
  PatternNode node;
  node.source = &source;
  node.keep = source.keep;
  node.recompute = source.recompute;
  const auto op = find_op(source.op, source.span);
  if (!op) {  // its operands and captures are bound all the same: one mistake, one problem
    for (const AttrPattern& a : source.attrs)
      collect_captures(a.value, v_.captures);
    for (const std::string& name : source.operands) {
      if (is_rest(name))
        continue;
      const int id = value(name, source.span);
      node.operands.push_back(id);
      ++v_.values[static_cast<std::size_t>(id)].inner_uses;
    }
    v_.nodes.push_back(std::move(node));
    return;
  }
  node.op = *op;
  const OpDef& def = context_.op(*op);
  resolve_operands(source, def, node);
  resolve_results(source, def, node);
  check_attrs(source, def);
  v_.nodes.push_back(std::move(node));
}

void Resolver::resolve_operands(const NodePattern& source, const OpDef& def, PatternNode& node) {
  for (std::size_t i = 0; i < source.operands.size(); ++i) {
    const std::string& name = source.operands[i];
    if (is_rest(name)) {
      if (i + 1 != source.operands.size() || !(def.variadic_operands || i < def.operands.size())) {
        problem(source.span, "pattern.rest",
                fmt::format("'%{}' must be the last operand of an op that takes more", name));
        continue;
      }
      node.rest_operands = static_cast<int>(v_.rests.size());
      rest_ids_.emplace(name.substr(0, name.size() - 3), node.rest_operands);
      v_.rests.emplace_back(static_cast<int>(v_.nodes.size()), static_cast<int>(i));
      continue;
    }
    node.operands.push_back(value(name, source.span));
    if (node.operands.back() >= 0)
      ++v_.values[static_cast<std::size_t>(node.operands.back())].inner_uses;
  }
  if (node.rest_operands < 0 && !def.accepts_operands(node.operands.size())) {
    problem(source.span, "pattern.arity",
            fmt::format("{} does not take {}", def.name, counted(node.operands.size(), "operand")),
            def.name + def.signature);
  }
}

void Resolver::resolve_results(const NodePattern& source, const OpDef& def, PatternNode& node) {
  for (const std::string& name : source.results) {
    if (is_rest(name)) {
      node.rest_results = true;
      if (&name != &source.results.back())
        problem(source.span, "pattern.rest", "only the last result may be a rest");
      if (!node.keep) {
        problem(source.span, "pattern.rest", fmt::format("a node with further results ('%{}') must be kept", name),
                "write 'keep' in front of it");
      }
      continue;
    }
    node.results.push_back(name == "_" ? -1 : value_ids_.at(name));
  }
  if (!node.rest_results && !def.variadic_results && node.results.size() != def.results.size()) {
    problem(source.span, "pattern.arity",
            fmt::format("{} has {}, not {}", def.name, counted(def.results.size(), "result"), node.results.size()),
            def.name + def.signature);
  }
}

void Resolver::check_attrs(const NodePattern& source, const OpDef& def) {
  std::set<std::string> seen;
  for (const AttrPattern& a : source.attrs) {
    collect_captures(a.value, v_.captures);
    if (def.find_attr(a.name) < 0) {
      std::vector<std::string_view> names;
      for (const AttrDef& d : def.attrs)
        names.push_back(d.name);
      problem(a.span.line ? a.span : source.span, "pattern.unknown-attribute",
              fmt::format("op '{}' has no attribute '{}'{}", def.name, a.name, did_you_mean(a.name, names)),
              def.name + def.signature);
      continue;
    }
    if (!seen.insert(a.name).second && a.compare == Compare::equal) {
      problem(a.span, "pattern.duplicate-name", fmt::format("attribute '{}' is given twice", a.name));
    }
  }
  for (const AttrDef& d : def.attrs) {
    if (!d.default_value && !seen.contains(d.name)) {
      problem(source.span, "pattern.missing-attribute",
              fmt::format("'{}' of op '{}' has no default and is not mentioned: the node could never match", d.name,
                          def.name),
              fmt::format("fix it, capture it ({} = ${}), or ignore it ({} = any)", d.name, d.name, d.name));
    }
  }
}

}  // namespace tandem
