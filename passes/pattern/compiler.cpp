#include <tandem/passes/pattern/compiler.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/plan_builder.h>
#include <tandem/passes/pattern/resolve.h>
#include <tandem/passes/pattern/supersets.h>

namespace tandem {

namespace {

/// Of two variants of one size the one that matches only where the other does goes first: else it would get no site.
void put_narrower_first(const CompiledSet& set, std::vector<std::uint32_t>& order) {
  const auto alike = [&](std::uint32_t a, std::uint32_t b) {
    const CompiledVariant &x = set.variants[a], &y = set.variants[b];
    return x.fusion != y.fusion && set.patterns[x.fusion].benefit == set.patterns[y.fusion].benefit &&
           x.required_ops == y.required_ops;
  };
  for (std::size_t i = 1; i < order.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const CompiledVariant &later = set.variants[order[i]], &earlier = set.variants[order[j]];
      if (!alike(order[i], order[j]) || !is_narrower(*set.context, later, earlier) ||
          is_narrower(*set.context, earlier, later))
        continue;
      std::rotate(order.begin() + static_cast<std::ptrdiff_t>(j), order.begin() + static_cast<std::ptrdiff_t>(i),
                  order.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      break;
    }
  }
}

/// Priority: benefit, then the larger pattern (a superset is larger, or of the same size and narrower), then
/// declaration.
void rank_variants(CompiledSet& set) {
  std::vector<std::uint32_t> order(set.variants.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const CompiledVariant &x = set.variants[a], &y = set.variants[b];
    const int bx = set.patterns[x.fusion].benefit, by = set.patterns[y.fusion].benefit;
    return bx != by ? bx > by : x.nodes.size() > y.nodes.size();
  });
  put_narrower_first(set, order);
  set.ranks.resize(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i)
    set.ranks[order[i]] = i;
}

/// Whether a condition depends on who reads a value.
bool is_about_readers(const Guard& g) {
  return g.predicate == "one_use" || g.predicate == "output" || mentions(g.args, Expr::Kind::uses);
}

/// What tells soonest that a graph cannot hold a variant: of its ops the one that is rarest among all patterns.
void choose_key_ops(CompiledSet& set) {
  std::vector<std::size_t> needed_by(set.context->ops().size(), 0);
  for (const CompiledVariant& v : set.variants) {
    for (const auto& [op, count] : v.required_ops)
      ++needed_by[op.index];
  }
  for (const CompiledVariant& v : set.variants) {
    set.key_ops.push_back(
        std::min_element(v.required_ops.begin(), v.required_ops.end(), [&](const auto& a, const auto& b) {
          return needed_by[a.first.index] < needed_by[b.first.index];
        })->first);
  }
}

/// Whether something may match anew when node `i` of a variant is gone: a value that it read has fewer readers then, or
/// a negative part matched it. A value that the new nodes read has as many readers as before, or more, which guards
/// alone can tell apart.
bool releases(const CompiledSet& set, const CompiledVariant& v, std::uint8_t i) {
  const PatternNode& node = v.nodes[i];
  if (set.looks_at_readers || set.hindering_ops[node.op.index] || node.rest_operands >= 0)
    return true;
  auto reads = [](const PatternNode& n, int value) {
    return std::find(n.operands.begin(), n.operands.end(), value) != n.operands.end();
  };
  return std::any_of(node.operands.begin(), node.operands.end(), [&](int value) {
    const int def = v.values[static_cast<std::size_t>(value)].node;
    if (def >= 0 && std::find(v.removed.begin(), v.removed.end(), def) != v.removed.end()) {  // goes as well, or ...
      return std::any_of(v.nodes.begin(), v.nodes.end(),
                         [&](const PatternNode& n) { return n.recompute && reads(n, value); });
    }
    return std::none_of(v.rewrite.begin(), v.rewrite.end(), [&](const RewriteStep& step) {
      return std::any_of(step.operands.begin(), step.operands.end(), [&](const RewriteOperand& o) {
        return o.kind == RewriteOperand::Kind::matched && o.value == value;
      });
    });
  });
}

/// Which ops a change of the graph must touch to make or unmake a match, and how far from there it may stand.
void note_ops(CompiledSet& set) {
  set.interesting_ops.assign(set.context->ops().size(), false);
  set.hindering_ops.assign(set.context->ops().size(), false);
  for (const CompiledVariant& variant : set.variants) {
    for (const auto& [op, count] : variant.required_ops)
      set.interesting_ops[op.index] = true;
    const auto& where = variant.source.pattern.where;
    set.looks_at_readers = set.looks_at_readers || std::any_of(where.begin(), where.end(), is_about_readers);
    set.diameter = std::max(set.diameter, variant.nodes.size());
  }
  std::size_t largest = 0;
  for (const std::vector<Step>& part : set.sub_programs) {
    std::size_t nodes = 0;
    for (const Step& s : part) {
      if (s.kind != StepKind::up && s.kind != StepKind::down)
        continue;
      set.hindering_ops[s.arg] = true;
      ++nodes;
    }
    largest = std::max(largest, nodes);
  }
  set.diameter += largest;
  for (CompiledVariant& variant : set.variants) {
    for (const auto* erased : {&variant.removed, &variant.recomputed}) {
      std::copy_if(erased->begin(), erased->end(), std::back_inserter(variant.releasing),
                   [&](std::uint8_t i) { return releases(set, variant, i); });
    }
    variant.may_hinder = std::any_of(variant.rewrite.begin(), variant.rewrite.end(),
                                     [&](const RewriteStep& s) { return set.hindering_ops[s.op.index]; }) ||
                         std::any_of(variant.replacements.begin(), variant.replacements.end(),
                                     [](const auto& r) { return r.second.kind == RewriteOperand::Kind::matched; });
  }
}

}  // namespace

std::shared_ptr<const CompiledSet> compile(std::shared_ptr<Context> context, std::vector<Pattern> patterns) {
  auto set = std::make_shared<CompiledSet>();
  set->context = std::move(context);
  set->patterns = std::move(patterns);

  std::vector<Diagnostic> problems;
  std::map<std::string, const Pattern*> names;
  for (std::size_t f = 0; f < set->patterns.size(); ++f) {
    const Pattern& pattern = set->patterns[f];
    try {
      if (const auto [it, added] = names.emplace(pattern.name, &pattern); !added) {
        Diagnostic d = pattern_problem(pattern, pattern.span, "pattern.duplicate-name",
                                       "a fusion of that name is loaded already", "rename one of the two");
        if (it->second->span.line != 0)
          d.notes.push_back("the other one is at " + to_string(it->second->span));
        throw Error(std::move(d));
      }
      for (Variant& variant : expand(*set->context, pattern)) {
        CompiledVariant compiled = resolve(*set->context, f, std::move(variant));
        build_plans(*set, compiled);
        set->variants.push_back(std::move(compiled));
      }
    } catch (const Error& e) {
      // Variants of one fusion often share a mistake: say it once.
      for (const Diagnostic& d : e.diagnostics()) {
        const bool known = std::any_of(problems.begin(), problems.end(), [&](const Diagnostic& p) {
          return p.code == d.code && p.message == d.message && p.where.line == d.where.line;
        });
        if (!known)
          problems.push_back(d);
      }
    }
  }
  if (!problems.empty())
    throw Error(std::move(problems));

  note_ops(*set);
  set->code = lay_out(*set);
  rank_variants(*set);
  choose_key_ops(*set);
  return set;
}

}  // namespace tandem
