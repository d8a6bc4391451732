#include <tandem/passes/pattern/matcher.h>

#include <algorithm>

#include <tandem/passes/pattern/step_tester.h>

namespace tandem {

Matcher::Matcher(const CompiledSet& set, const Graph& graph)
    : set_(set),
      graph_(graph),
      view_(graph),
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
    if (!possible)
      continue;
    plan_of_[v] = static_cast<std::uint8_t>(best);
    const CompiledSet::Leaf leaf = set_.leaves[v][best];
    std::uint32_t at = leaf.node;
    for (; set_.trie[at].parent != no_index && alive_[at] == 0; at = set_.trie[at].parent)
      alive_[at] = 1;
    if (set_.trie[at].parent == no_index && alive_[at] == 0) {
      alive_[at] = 1;
      anchors_.push_back({leaf.op, at});
    }
  }
}

void Matcher::start_at(Node anchor) {
  view_ = GraphView(graph_);
  budget_ = step_budget;
  state_.nodes[0] = anchor.index;
  state_.swapped = 0;
}

/// Counts a step; false when there are none left.
bool Matcher::spend() {
  if (budget_ == 0) {
    exhausted_ = true;
    return false;
  }
  --budget_;
  return true;
}

void Matcher::match_at(const Anchor& anchor, Node node, OnMatch on_match, void* user) {
  on_match_ = on_match;
  user_ = user;
  ++stamp_;
  start_at(node);
  run(anchor.root);
}

/// Whether a use is what a down step wants; `crossed` when it is so with the user's operands swapped.
bool Matcher::is_user(const Step& step, std::uint32_t use, bool& crossed) const {
  const std::uint32_t user = view_.user(use);
  if (user == 0 || view_.op(user).index != step.arg)
    return false;
  const std::uint32_t operand = view_.user_operand(use);
  crossed = step.slot == 1 && operand == 1U - step.index;
  return (operand == step.index || crossed) && StepTester(set_, graph_, view_).fits(step, user);
}

void Matcher::descend(std::uint32_t trie_node) {
  if (set_.trie[trie_node].first_accept != no_index)
    accept(trie_node);
  if (set_.trie[trie_node].first_child != no_index)
    run(trie_node);
}

void Matcher::run(std::uint32_t parent) {
  const StepTester tester(set_, graph_, view_);
  std::uint32_t at = set_.trie[parent].first_child;
  while (at != no_index) {
    const CompiledSet::TrieNode& node = set_.trie[at];
    if (alive_[at] == 0) {
      at = node.next_sibling;
      continue;
    }
    if (!spend())
      return;
    const Step& step = node.step;
    switch (step.kind) {
      case StepKind::down: {
        const std::uint32_t swapped = state_.swapped;
        const std::uint32_t value = value_index(view_, state_, step.value);
        for (std::uint32_t use = view_.first_use(value); use != no_index && spend(); use = view_.next_use(use)) {
          bool crossed = false;
          if (!is_user(step, use, crossed))
            continue;
          state_.nodes[step.node] = view_.user(use);
          state_.swapped = crossed ? swapped | 1U << step.node : swapped & ~(1U << step.node);
          descend(at);
        }
        state_.swapped = swapped;
        break;
      }
      case StepKind::commute: {
        const std::uint32_t swapped = state_.swapped;
        state_.swapped = swapped & ~(1U << step.node);
        descend(at);
        state_.swapped = swapped | 1U << step.node;
        descend(at);
        state_.swapped = swapped;
        break;
      }
      case StepKind::unless:
        if (!matches_negative_part(set_.sub_programs[step.arg], state_))
          descend(at);
        break;
      default:
        if (!tester.test(step, state_))
          break;
        if (node.next_sibling == no_index) {  // a chain: go on without recursion
          if (node.first_accept != no_index)
            accept(at);
          at = node.first_child;
          continue;
        }
        descend(at);
    }
    at = node.next_sibling;
  }
}

void Matcher::accept(std::uint32_t trie_node) {
  for (std::uint32_t i = set_.trie[trie_node].first_accept; i != no_index; i = set_.accepts[i].next) {
    const std::uint32_t v = set_.accepts[i].variant;
    // A leaf belongs to one plan; it counts when that is the plan in use.
    if (plan_of_[v] == no_plan || set_.leaves[v][plan_of_[v]].node != trie_node || done_[v] == stamp_)
      continue;
    if (on_match_(user_, v, state_))
      done_[v] = stamp_;
  }
}

/// Runs steps one after another, trying every choice, until `on_end` takes a match.
template <class OnEnd>
bool Matcher::run_steps(std::span<const Step> steps, MatchState& state, const OnEnd& on_end) {
  const StepTester tester(set_, graph_, view_);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!spend())
      return false;
    const Step& step = steps[i];
    const std::span<const Step> others = steps.subspan(i + 1);
    if (step.kind == StepKind::down) {
      const std::uint32_t swapped = state.swapped;
      const std::uint32_t value = value_index(view_, state, step.value);
      for (std::uint32_t use = view_.first_use(value); use != no_index && spend(); use = view_.next_use(use)) {
        bool crossed = false;
        if (!is_user(step, use, crossed))
          continue;
        state.nodes[step.node] = view_.user(use);
        state.swapped = crossed ? swapped | 1U << step.node : swapped & ~(1U << step.node);
        if (run_steps(others, state, on_end))
          return true;
      }
      state.swapped = swapped;
      return false;
    }
    if (step.kind == StepKind::commute) {
      const std::uint32_t swapped = state.swapped;
      state.swapped = swapped & ~(1U << step.node);
      if (run_steps(others, state, on_end))
        return true;
      state.swapped = swapped | 1U << step.node;
      if (run_steps(others, state, on_end))
        return true;
      state.swapped = swapped;
      return false;
    }
    if (step.kind == StepKind::unless ? matches_negative_part(set_.sub_programs[step.arg], state)
                                      : !tester.test(step, state)) {
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
  start_at(anchor);
  return run_steps(plan_of(variant).steps, state_,
                   [&](const MatchState& state) { return on_match(user, variant, state); });
}

}  // namespace tandem
