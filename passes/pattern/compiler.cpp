#include <tandem/passes/pattern/compiler.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/plan_builder.h>
#include <tandem/passes/pattern/resolve.h>

namespace tandem {

namespace {

/// Adds a plan's steps to the trie of its anchor op, sharing the longest common beginning.
std::uint32_t insert_plan(CompiledSet& set, const MatchPlan& plan, std::uint32_t variant) {
  auto root = std::find_if(set.roots.begin(), set.roots.end(), [&](const auto& r) { return r.op == plan.anchor; });
  if (root == set.roots.end()) {
    set.trie.emplace_back();
    set.roots.push_back({plan.anchor, static_cast<std::uint32_t>(set.trie.size() - 1)});
    root = std::prev(set.roots.end());
  }
  std::uint32_t at = root->node;
  for (const Step& step : plan.steps) {
    std::uint32_t child = set.trie[at].first_child;
    std::uint32_t last = no_index;
    while (child != no_index && set.trie[child].step != step) {
      last = child;
      child = set.trie[child].next_sibling;
    }
    if (child == no_index) {
      child = static_cast<std::uint32_t>(set.trie.size());
      set.trie.emplace_back();
      set.trie[child].step = step;
      set.trie[child].parent = at;
      (last == no_index ? set.trie[at].first_child : set.trie[last].next_sibling) = child;
    }
    at = child;
  }
  std::uint32_t* end = &set.trie[at].first_accept;
  while (*end != no_index)
    end = &set.accepts[*end].next;
  *end = static_cast<std::uint32_t>(set.accepts.size());
  set.accepts.push_back({variant, no_index});
  return at;
}

}  // namespace

std::shared_ptr<const CompiledSet> compile(std::shared_ptr<Context> context, std::vector<Pattern> patterns) {
  auto set = std::make_shared<CompiledSet>();
  set->context = std::move(context);
  set->patterns = std::move(patterns);
  set->interesting_ops.assign(set->context->ops().size(), false);

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
      for (Variant& variant : expand(pattern)) {
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

  for (std::uint32_t v = 0; v < set->variants.size(); ++v) {
    CompiledVariant& variant = set->variants[v];
    auto& leaves = set->leaves.emplace_back();
    for (const MatchPlan& plan : variant.plans)
      leaves.push_back({plan.anchor, insert_plan(*set, plan, v)});
    for (const auto& [op, count] : variant.required_ops)
      set->interesting_ops[op.index] = true;
    set->diameter = std::max(set->diameter, variant.nodes.size());
  }
  return set;
}

}  // namespace tandem
