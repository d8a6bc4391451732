#include <tandem/passes/pattern/between.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <tandem/passes/pattern/renaming.h>

namespace tandem {

namespace {

/// Values that a pattern names.
void collect_values(const std::vector<Clause>& clauses, std::set<std::string>& out) {
  for (const Clause& c : clauses) {
    for (const auto* names : {&c.node.operands, &c.node.results, &c.args, &c.results})
      out.insert(names->begin(), names->end());
    for (const auto& branch : c.branches)
      collect_values(branch, out);
  }
}

class ThroughExpander {
 public:
  ThroughExpander(const Context& context, const Pattern& p) : context_(context) {
    collect_values(p.match, taken_);
    for (const Definition& d : p.definitions) {
      collect_values(d.body, taken_);
      taken_.insert(d.params.begin(), d.params.end());
      taken_.insert(d.results.begin(), d.results.end());
    }
    for (const InputPattern& in : p.inputs)
      taken_.insert(in.name);
  }

  void expand(std::vector<Clause>& clauses) {
    std::vector<Clause> out;
    for (Clause& c : clauses) {
      for (auto& branch : c.branches)
        expand(branch);
      for (const ThroughPattern& t : std::exchange(c.node.through, {})) {
        if (t.operand < c.node.operands.size())
          out.push_back(node_of(t, c.node.operands[t.operand]));
      }
      out.push_back(std::move(c));
    }
    clauses = std::move(out);
  }

 private:
  /// The node that computes `operand` from what it was, under a name of its own.
  Clause node_of(const ThroughPattern& t, std::string& operand) {
    Clause c;
    c.span = c.node.span = t.span;
    c.node.op = t.op;
    c.node.attrs = t.attrs;
    c.node.optional = t.optional;
    c.node.between = true;
    c.node.operands = {operand};
    if (const auto op = context_.find_op(t.op)) {
      for (const AttrDef& d : context_.op(*op).attrs) {
        const bool said =
            std::any_of(t.attrs.begin(), t.attrs.end(), [&](const AttrPattern& a) { return a.name == d.name; });
        if (!said && !d.default_value)
          c.node.attrs.push_back({d.name, Compare::any, {}, t.span});
      }
    }
    std::string name = operand + "." + t.op;
    for (int i = 2; !taken_.insert(name).second; ++i)
      name = fmt::format("{}.{}.{}", operand, t.op, i);
    operand = name;
    c.node.results = {name};
    return c;
  }

  const Context& context_;
  std::set<std::string> taken_;
};

/// Whether two clauses say the same of what reads one value: then they may be one node.
bool may_be_one(const Clause& a, const Clause& b) {
  return a.kind == Clause::Kind::node && b.kind == Clause::Kind::node && a.node.between && b.node.between &&
         a.node.op == b.node.op && a.node.operands == b.node.operands && a.node.attrs == b.node.attrs;
}

/// Adds the forms in which pairs of clauses from (`i`, `j`) on are one node or two; no more than are too many anyway.
void add_shared_forms(const Variant& v, std::size_t i, std::size_t j, std::vector<Variant>& out) {
  const std::vector<Clause>& match = v.pattern.match;
  for (; i < match.size(); ++i, j = i + 1) {
    for (; j < match.size(); ++j) {
      if (!may_be_one(match[i], match[j]))
        continue;
      add_shared_forms(v, i, j + 1, out);
      if (out.size() > max_variants)
        return;
      Variant one = v;
      std::vector<Clause>& nodes = one.pattern.match;
      one.choice += fmt::format("{}one {} for lines {} and {}", one.choice.empty() ? "" : ", ", match[i].node.op,
                                match[i].span.line, match[j].span.line);
      const Renaming names = {{match[j].node.results[0], match[i].node.results[0]}};
      nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(j));
      rename_values(nodes, names);
      add_shared_forms(one, i, j, out);
      return;
    }
  }
  out.push_back(v);
}

}  // namespace

void expand_between(const Context& context, Pattern& pattern) {
  ThroughExpander through(context, pattern);
  through.expand(pattern.match);
  for (Definition& d : pattern.definitions)
    through.expand(d.body);
}

std::vector<Variant> with_shared_nodes(Variant variant) {
  std::vector<Variant> out;
  add_shared_forms(variant, 0, 1, out);
  return out;
}

void leave_to_others(Pattern& variant) {
  std::set<std::string> gone;
  for (const Clause& c : variant.match) {
    if (c.kind == Clause::Kind::node && !c.node.keep && !c.node.recompute && !c.node.between)
      gone.insert(c.node.results.begin(), c.node.results.end());
  }
  for (const Replacement& r : variant.replacements)
    gone.erase(r.matched);
  for (Clause& c : variant.match) {  // each stands behind the one in front of it
    if (c.kind != Clause::Kind::node || !c.node.between)
      continue;
    c.node.recompute = !gone.contains(c.node.operands[0]);
    if (!c.node.recompute)
      gone.insert(c.node.results[0]);
  }
}

}  // namespace tandem
