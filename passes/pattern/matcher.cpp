#include <tandem/passes/pattern/matcher.h>

#include <algorithm>

namespace tandem {

Matcher::Matcher(const CompiledSet& set, const Graph& graph)
    : set_(set),
      graph_(graph),
      tester_(set, graph),
      plan_of_(set.variants.size(), no_plan),
      alive_(set.trie.size(), 0),
      done_(set.variants.size(), 0) {}

void Matcher::activate(std::span<const std::uint32_t> variants) {
  std::fill(plan_of_.begin(), plan_of_.end(), no_plan);
  std::fill(alive_.begin(), alive_.end(), std::uint8_t{0});
  anchors_.clear();
  for (const std::uint32_t v : variants) {
    const CompiledVariant& variant = set_.variants[v];
    std::size_t best = 0;
    std::size_t best_count = 0;
    bool possible = true;
    for (std::size_t i = 0; i < variant.required_ops.size() && possible; ++i) {
      const auto& [op, needed] = variant.required_ops[i];
      const std::size_t count = graph_.count(op);
      possible = count >= needed;
      if (i == 0 || count < best_count) {
        best = i;
        best_count = count;
      }
    }
    if (!possible) continue;
    plan_of_[v] = static_cast<std::uint8_t>(best);
    const CompiledSet::Leaf leaf = set_.leaves[v][best];
    std::uint32_t at = leaf.node;
    for (; set_.trie[at].parent != no_index && alive_[at] == 0; at = set_.trie[at].parent) alive_[at] = 1;
    if (set_.trie[at].parent == no_index && alive_[at] == 0) {
      alive_[at] = 1;
      anchors_.push_back({leaf.op, at});
    }
  }
}

void Matcher::match_at(const Anchor& anchor, Node node, OnMatch on_match, void* user) {
  on_match_ = on_match;
  user_ = user;
  ++stamp_;
  budget_ = step_budget;
  state_.nodes[0] = node;
  state_.swapped = 0;
  run(anchor.root);
}

/// Whether `use` is what a down step wants; `crossed` when it is so with the user's operands swapped.
bool Matcher::is_user(const Step& step, const Use& use, bool& crossed) const {
  crossed = step.slot == 1 && use.operand == 1U - step.index;
  return (use.operand == step.index || crossed) && use.user != graph_.return_node() &&
         graph_.op(use.user).index == step.arg && tester_.fits(step, use.user);
}

void Matcher::run(std::uint32_t parent) {
  for (std::uint32_t at = set_.trie[parent].first_child; at != no_index; at = set_.trie[at].next_sibling) {
    if (alive_[at] == 0) continue;
    if (budget_ == 0) {
      exhausted_ = true;
      return;
    }
    --budget_;
    const Step& step = set_.trie[at].step;
    switch (step.kind) {
      case StepKind::down: {
        const Value v = value_at(graph_, state_, step.value);
        const std::uint32_t swapped = state_.swapped;
        for (const Use use : graph_.uses(v)) {
          if (budget_ == 0) {
            exhausted_ = true;
            break;
          }
          --budget_;
          bool crossed = false;
          if (!is_user(step, use, crossed)) continue;
          state_.nodes[step.node] = use.user;
          state_.swapped = crossed ? swapped | 1U << step.node : swapped & ~(1U << step.node);
          accept(at);
          run(at);
        }
        state_.swapped = swapped;
        break;
      }
      case StepKind::commute: {
        const std::uint32_t swapped = state_.swapped;
        state_.swapped = swapped & ~(1U << step.node);
        accept(at);
        run(at);
        state_.swapped = swapped | 1U << step.node;
        accept(at);
        run(at);
        state_.swapped = swapped;
        break;
      }
      case StepKind::unless:
        if (!matches_negative_part(set_.sub_programs[step.arg], state_)) {
          accept(at);
          run(at);
        }
        break;
      default:
        if (tester_.test(step, state_)) {
          accept(at);
          run(at);
        }
    }
  }
}

void Matcher::accept(std::uint32_t trie_node) {
  for (const std::uint32_t v : set_.trie[trie_node].accepts) {
    // A leaf belongs to one plan; it counts when that is the plan in use.
    if (plan_of_[v] == no_plan || set_.leaves[v][plan_of_[v]].node != trie_node || done_[v] == stamp_) continue;
    if (on_match_(user_, v, state_)) done_[v] = stamp_;
  }
}

/// Runs steps one after another, trying every choice, until `on_end` takes a match.
template <class OnEnd>
bool Matcher::run_steps(std::span<const Step> steps, MatchState& state, const OnEnd& on_end) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (budget_ == 0) {
      exhausted_ = true;
      return false;
    }
    --budget_;
    const Step& step = steps[i];
    const std::span<const Step> others = steps.subspan(i + 1);
    if (step.kind == StepKind::down) {
      const std::uint32_t swapped = state.swapped;
      for (const Use use : graph_.uses(value_at(graph_, state, step.value))) {
        bool crossed = false;
        if (!is_user(step, use, crossed)) continue;
        state.nodes[step.node] = use.user;
        state.swapped = crossed ? swapped | 1U << step.node : swapped & ~(1U << step.node);
        if (run_steps(others, state, on_end)) return true;
      }
      state.swapped = swapped;
      return false;
    }
    if (step.kind == StepKind::commute) {
      const std::uint32_t swapped = state.swapped;
      state.swapped = swapped & ~(1U << step.node);
      if (run_steps(others, state, on_end)) return true;
      state.swapped = swapped | 1U << step.node;
      if (run_steps(others, state, on_end)) return true;
      state.swapped = swapped;
      return false;
    }
    if (step.kind == StepKind::unless ? matches_negative_part(set_.sub_programs[step.arg], state)
                                      : !tester_.test(step, state)) {
      return false;
    }
  }
  return on_end(state);
}

bool Matcher::matches_negative_part(std::span<const Step> steps, const MatchState& state) {
  MatchState copy = state;
  const bool matched = run_steps(steps, copy, [](const MatchState&) { return true; });
  return matched || budget_ == 0;  // unknown: refuse rather than accept what may not hold
}

bool Matcher::match_plan(std::uint32_t variant, Node anchor, OnMatch on_match, void* user) {
  budget_ = step_budget;
  state_.nodes[0] = anchor;
  state_.swapped = 0;
  return run_steps(plan_of(variant).steps, state_,
                   [&](const MatchState& state) { return on_match(user, variant, state); });
}

}  // namespace tandem
