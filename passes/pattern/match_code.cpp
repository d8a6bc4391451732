#include <tandem/passes/pattern/match_code.h>

#include <algorithm>

#include <tandem/passes/pattern/compiler.h>

namespace tandem {

namespace {

bool is_choice(StepKind kind) {
  return kind == StepKind::down || kind == StepKind::commute || kind == StepKind::unless;
}

bool is_walk(StepKind kind) {
  switch (kind) {
    case StepKind::anchor:
    case StepKind::up:
    case StepKind::num_operands:
    case StepKind::num_results:
    case StepKind::has_user:
    case StepKind::same_value:
    case StepKind::distinct:
    case StepKind::uses: return true;
    default: return false;
  }
}

/// Where a step stands among those between two choices: first what binds nodes, then what many plans have in common.
/// Operands are counted before one is read; results before any but `has_user` reads one.
int rank_of(StepKind kind) {
  switch (kind) {
    case StepKind::anchor:
    case StepKind::up:
    case StepKind::num_operands: return 0;
    case StepKind::distinct: return 1;
    case StepKind::has_user: return 2;
    case StepKind::num_results:
    case StepKind::same_value:
    case StepKind::uses: return 3;
    case StepKind::guard: return 5;
    default: return 4;
  }
}

/// The steps of a plan in the order in which it shares most of them with others, without the first, which asks nothing.
std::vector<Step> arranged(std::span<const Step> plan) {
  std::vector<Step> steps(plan.begin() + 1, plan.end());
  for (auto first = steps.begin(); first != steps.end();) {
    const auto choice = std::find_if(first, steps.end(), [](const Step& s) { return is_choice(s.kind); });
    std::stable_sort(first, choice, [](const Step& a, const Step& b) { return rank_of(a.kind) < rank_of(b.kind); });
    first = choice == steps.end() ? choice : std::next(choice);
  }
  return steps;
}

class Layout {
 public:
  explicit Layout(const CompiledSet& set) : set_(set) {}

  MatchCode run() {
    for (std::uint32_t v = 0; v < set_.variants.size(); ++v) {
      for (std::uint32_t p = 0; p < set_.variants[v].plans.size(); ++p)
        insert(v, p);
    }
    code_.paths.resize(set_.variants.size());
    for (std::uint32_t v = 0; v < set_.variants.size(); ++v)
      code_.paths[v].resize(set_.variants[v].plans.size());
    for (const Root& root : roots_)
      add_block(root.node, no_index, false);
    for (auto& paths : code_.paths) {
      for (CodePath& path : paths) {
        path.root = path.leaf;
        while (code_.blocks[path.root].parent != no_index)
          path.root = code_.blocks[path.root].parent;
      }
    }
    return std::move(code_);
  }

 private:
  struct TrieNode {
    Step step;
    std::vector<std::uint32_t> children;
    std::vector<CodeAccept> accepts;
  };
  struct Root {
    OpId op;
    std::uint32_t node;
  };

  /// Adds a plan to the trie of its anchor op, sharing the longest common beginning.
  void insert(std::uint32_t variant, std::uint32_t plan_index) {
    const MatchPlan& plan = set_.variants[variant].plans[plan_index];
    auto root = std::find_if(roots_.begin(), roots_.end(), [&](const Root& r) { return r.op == plan.anchor; });
    if (root == roots_.end()) {
      roots_.push_back({plan.anchor, static_cast<std::uint32_t>(trie_.size())});
      trie_.emplace_back();
      root = std::prev(roots_.end());
    }
    std::uint32_t at = root->node;
    for (const Step& step : arranged(plan.steps)) {
      const auto& children = trie_[at].children;
      const auto known =
          std::find_if(children.begin(), children.end(), [&](std::uint32_t c) { return trie_[c].step == step; });
      if (known != children.end()) {
        at = *known;
        continue;
      }
      const auto child = static_cast<std::uint32_t>(trie_.size());
      trie_[at].children.push_back(child);
      trie_.emplace_back().step = step;
      at = child;
    }
    trie_[at].accepts.push_back({variant, plan_index});
  }

  /// The block that begins with the step of `node` (or behind it) and goes on while there is one way to go on.
  std::uint32_t add_block(std::uint32_t node, std::uint32_t parent, bool with_step) {
    const auto index = static_cast<std::uint32_t>(code_.blocks.size());
    code_.blocks.emplace_back();
    CodeBlock block;
    block.parent = parent;
    std::vector<Step> walks, tests, guards;
    auto take = [&](const Step& step) {
      (is_walk(step.kind) ? walks : step.kind == StepKind::guard ? guards : tests).push_back(step);
    };
    if (with_step && is_choice(trie_[node].step.kind))
      block.choice = trie_[node].step;
    else if (with_step)
      take(trie_[node].step);
    while (trie_[node].accepts.empty() && trie_[node].children.size() == 1 &&
           !is_choice(trie_[trie_[node].children[0]].step.kind)) {
      node = trie_[node].children[0];
      take(trie_[node].step);
    }
    block.first_step = static_cast<std::uint32_t>(code_.steps.size());
    block.num_walks = static_cast<std::uint16_t>(walks.size());
    block.num_tests = static_cast<std::uint16_t>(tests.size());
    block.num_guards = static_cast<std::uint16_t>(guards.size());
    for (const auto* part : {&walks, &tests, &guards})
      code_.steps.insert(code_.steps.end(), part->begin(), part->end());
    if (BlockQuestion::pays(tests)) {
      block.question = static_cast<std::uint32_t>(code_.questions.size());
      code_.questions.emplace_back(set_, tests);
    }
    block.first_accept = static_cast<std::uint32_t>(code_.accepts.size());
    block.num_accepts = static_cast<std::uint16_t>(trie_[node].accepts.size());
    for (const CodeAccept& a : trie_[node].accepts) {
      code_.accepts.push_back(a);
      code_.paths[a.variant][a.plan].leaf = index;
    }
    std::vector<std::uint32_t> children;
    for (const std::uint32_t c : trie_[node].children)
      children.push_back(add_block(c, index, true));
    block.first_child = static_cast<std::uint32_t>(code_.children.size());
    block.num_children = static_cast<std::uint32_t>(children.size());
    code_.children.insert(code_.children.end(), children.begin(), children.end());
    code_.blocks[index] = block;
    return index;
  }

  const CompiledSet& set_;
  std::vector<TrieNode> trie_;
  std::vector<Root> roots_;
  MatchCode code_;
};

}  // namespace

MatchCode lay_out(const CompiledSet& set) {
  return Layout(set).run();
}

}  // namespace tandem
