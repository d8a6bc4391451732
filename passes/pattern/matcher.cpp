#include <tandem/passes/pattern/matcher.h>

#include <algorithm>

#include <tandem/passes/pattern/step_tester.h>

namespace tandem {

Matcher::Matcher(const CompiledSet& set, const Graph& graph)
    : set_(set),
      graph_(graph),
      view_(graph),
      plan_of_(set.variants.size(), no_plan),
      leads_on_(set.code.blocks.size(), 0),
      done_(set.variants.size(), 0),
      memo_(set.code.questions.size()) {}

void Matcher::activate(std::span<const std::uint32_t> variants) {
  view_ = GraphView(graph_);
  for (const std::uint32_t v : active_)
    plan_of_[v] = no_plan;
  active_.clear();
  active_.reserve(variants.size());
  std::fill(leads_on_.begin(), leads_on_.end(), std::uint8_t{0});
  anchors_.clear();
  for (const std::uint32_t v : variants) {
    if (graph_.count(set_.key_ops[v]) == 0)
      continue;
    const CompiledVariant& variant = set_.variants[v];
    std::size_t best = 0;
    std::pair<std::size_t, std::size_t> least;  // starts, and choices that each of them has to make
    bool possible = true;
    for (std::size_t i = 0; i < variant.required_ops.size() && possible; ++i) {
      const auto& [op, needed] = variant.required_ops[i];
      const std::size_t count = graph_.count(op);
      possible = count >= needed;
      const std::pair cost(count, variant.plans[i].num_choices);
      if (i == 0 || cost < least) {
        best = i;
        least = cost;
      }
    }
    if (!possible)
      continue;
    plan_of_[v] = static_cast<std::uint8_t>(best);
    active_.push_back(v);
    const CodePath path = set_.code.paths[v][best];
    if (leads_on_[path.root] == 0)
      anchors_.push_back({variant.plans[best].anchor, path.root});
    for (std::uint32_t at = path.leaf; at != no_index && leads_on_[at] == 0; at = set_.code.blocks[at].parent)
      leads_on_[at] = 1;
  }
  keep_children_that_lead_on();
}

/// Most blocks lead to plans that are not active: a plan for each op at which a variant could begin.
void Matcher::keep_children_that_lead_on() {
  children_ = set_.code.children;
  for (std::size_t b = 0; b < leads_on_.size(); ++b) {
    if (leads_on_[b] == 0)
      continue;
    const auto first = children_.begin() + set_.code.blocks[b].first_child;
    const auto end = first + set_.code.blocks[b].num_children;
    const auto kept = std::remove_if(first, end, [&](std::uint32_t child) { return leads_on_[child] == 0; });
    if (kept != end)
      *kept = no_index;
  }
}

void Matcher::start_at(std::uint32_t anchor) {
  budget_ = step_budget;
  state_.nodes[0] = anchor;
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

void Matcher::match_at(const Anchor& anchor, std::uint32_t node, OnMatch on_match, void* user) {
  on_match_ = on_match;
  user_ = user;
  ++stamp_;
  start_at(node);
  run(set_.code.blocks[anchor.root], 0);
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

/// Runs a block that begins with a choice, for every way to choose.
void Matcher::choose(const CodeBlock& block, std::uint32_t answer) {
  const Step& step = block.choice;
  const std::uint32_t swapped = state_.swapped;
  switch (step.kind) {
    case StepKind::down: {
      const std::uint32_t value = value_index(view_, state_, step.value);
      for (std::uint32_t use = view_.first_use(value); use != no_index && spend(); use = view_.next_use(use)) {
        bool crossed = false;
        if (!is_user(step, use, crossed))
          continue;
        state_.nodes[step.node] = view_.user(use);
        state_.swapped = crossed ? swapped | 1U << step.node : swapped & ~(1U << step.node);
        run(block, answer);
      }
      break;
    }
    case StepKind::commute:
      state_.swapped = swapped & ~(1U << step.node);
      run(block, answer);
      state_.swapped = swapped | 1U << step.node;
      run(block, answer);
      break;
    default:
      if (!matches_negative_part(set_.sub_programs[step.arg], state_))
        run(block, answer);
  }
  state_.swapped = swapped;
}

/// Whether the edges are there that a block walks. Most blocks fail here.
inline bool Matcher::walks(const CodeBlock& block) {
  const StepTester tester(set_, graph_, view_);
  const Step* step = set_.code.steps.data() + block.first_step;
  for (const Step* const end = step + block.num_walks; step != end; ++step) {
    if (!tester.walk(*step, state_))
      return false;
  }
  return true;
}

/// Whether steps that bind what they find, or look at what is bound, hold one after another.
bool Matcher::all_hold(const Step* step, const Step* end) {
  const StepTester tester(set_, graph_, view_);
  while (step != end && tester.test(*step, state_))
    ++step;
  return step == end;
}

/// Whether the tests and guards of a block hold; what they bind is bound then. `answer` is the number of the last
/// answer that was remembered (block_memo.h).
inline bool Matcher::holds(const CodeBlock& block, std::uint32_t& answer) {
  const Step* const tests = set_.code.steps.data() + block.first_step + block.num_walks;
  const Step* const guards = tests + block.num_tests;
  if (block.question == no_index ? !all_hold(tests, guards) : !remembered(block, tests, answer))
    return false;
  return block.num_guards == 0 || all_hold(guards, guards + block.num_guards);
}

/// Whether the tests of a block, which begin at `step`, hold.
inline bool Matcher::remembered(const CodeBlock& block, const Step* step, std::uint32_t& answer) {
  const auto known = memo_.recall(set_.code.questions[block.question], block.question, view_, state_, answer);
  if (known != BlockMemo::Outcome::unknown) [[likely]]
    return known == BlockMemo::Outcome::holds;
  return tested(block, step, answer);
}

/// The same for what is not remembered; it is from now on.
bool Matcher::tested(const CodeBlock& block, const Step* step, std::uint32_t& answer) {
  const BlockQuestion& question = set_.code.questions[block.question];
  memo_.ask(question, block.question, view_, state_, answer);
  const bool all = all_hold(step, step + block.num_tests);
  memo_.note(question, block.question, state_, all, answer);
  return all;
}

/// Goes through a block and on to those behind it, when it holds.
inline void Matcher::run(const CodeBlock& block, std::uint32_t answer) {
  if (walks(block))
    enter(block, answer);
}

inline void Matcher::accept(const CodeBlock& block) {
  for (const CodeAccept a : set_.code.accepts_of(block)) {
    if (plan_of_[a.variant] == a.plan && done_[a.variant] != stamp_ && on_match_(user_, a.variant, state_))
      done_[a.variant] = stamp_;
  }
}

/// The same for a block whose edges are there. What comes last is gone on to in the same call.
void Matcher::enter(const CodeBlock& first, std::uint32_t answer) {
  for (const CodeBlock* block = &first;;) {
    if (block->num_tests + block->num_guards != 0 && !holds(*block, answer))
      return;
    state_.answer = answer;
    accept(*block);
    const std::uint32_t* child = children_.data() + block->first_child;
    const std::uint32_t* const end = child + block->num_children;
    const CodeBlock* last = nullptr;
    for (; child != end && *child != no_index; ++child) {
      if (last != nullptr)
        enter(*last, answer);
      last = nullptr;
      const CodeBlock& next = set_.code.blocks[*child];
      if (next.choice.kind != StepKind::anchor)
        choose(next, answer);
      else if (walks(next))
        last = &next;
    }
    if (last == nullptr)
      return;
    block = last;
  }
}

bool Matcher::has_choice(const Step& step, const MatchState& state) {
  bool crossed = false;
  for (std::uint32_t use = view_.first_use(value_index(view_, state, step.value)); use != no_index && spend();
       use = view_.next_use(use)) {
    if (is_user(step, use, crossed))
      return true;
  }
  return false;
}

/// The users that a down step may bind, in the order of the graph: which of them is taken must not depend on the order
/// in which they were made.
std::vector<Matcher::Choice> Matcher::choices_of(const Step& step, const MatchState& state) {
  std::vector<Choice> choices;
  const std::uint32_t value = value_index(view_, state, step.value);
  for (std::uint32_t use = view_.first_use(value); use != no_index && spend(); use = view_.next_use(use)) {
    bool crossed = false;
    if (is_user(step, use, crossed))
      choices.push_back({view_.user(use), crossed});
  }
  if (choices.size() > 1) {
    std::sort(choices.begin(), choices.end(), [&](const Choice& a, const Choice& b) {
      return a.user != b.user ? view_.order(a.user) < view_.order(b.user) : a.crossed < b.crossed;
    });
  }
  return choices;
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
      for (const Choice& c : choices_of(step, state)) {
        state.nodes[step.node] = c.user;
        state.swapped = c.crossed ? swapped | 1U << step.node : swapped & ~(1U << step.node);
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
  if (steps.front().kind == StepKind::down && !has_choice(steps.front(), state))
    return budget_ == 0;  // the usual case, for which nothing need be copied
  MatchState copy = state;
  const bool matched = run_steps(steps, copy, [](const MatchState&) { return true; });
  return matched || budget_ == 0;  // unknown: refuse rather than accept what may not hold
}

bool Matcher::still_holds(std::uint32_t variant, MatchState& state) {
  view_ = GraphView(graph_);
  budget_ = step_budget;
  const MatchPlan& plan = plan_of(variant);
  const StepTester tester(set_, graph_, view_);
  for (const Step& s : std::span(plan.steps).subspan(plan.first_condition)) {
    if (s.kind == StepKind::unless ? matches_negative_part(set_.sub_programs[s.arg], state) : !tester.test(s, state))
      return false;
  }
  return true;
}

bool Matcher::match_plan(std::uint32_t variant, Node anchor, OnMatch on_match, void* user) {
  view_ = GraphView(graph_);
  start_at(anchor.index);
  state_.answer = 0;
  return run_steps(plan_of(variant).steps, state_,
                   [&](const MatchState& state) { return on_match(user, variant, state); });
}

}  // namespace tandem
