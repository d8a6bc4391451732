// Runs programs over a graph.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/match_state.h>

namespace tandem {

/// The value of an expression over what a match bound; empty when it has none (an unlike kind, an overflow). `uses(%x)`
/// is counted in `view`, and has no value without one.
std::optional<Attribute> evaluate(const BoundExpr& expr, const MatchState& state, const GraphView* view = nullptr);
/// The same, fitted to an attribute of kind `kind`: dims as dims, ints as reals.
std::optional<Attribute> evaluate_as(Context& context, AttrKind kind, const BoundExpr& expr, const MatchState& state);

/// Matches active variants at one anchor node after another.
class Matcher {
 public:
  Matcher(const CompiledSet& set, const Graph& graph);

  /// Chooses for each variant of `variants` the plan whose anchor op is rarest in the graph. Variants that need an op
  /// which the graph lacks are left out. Must be called again after an edit before `match_at`.
  void activate(std::span<const std::uint32_t> variants);

  /// The anchor ops of the active variants.
  struct Anchor {
    OpId op;
    std::uint32_t root;  ///< The block at which its code starts.
  };
  std::span<const Anchor> anchors() const { return anchors_; }
  /// The plan by which an active variant is found.
  const MatchPlan& plan_of(std::uint32_t variant) const { return set_.variants[variant].plans[plan_of_[variant]]; }
  bool is_active(std::uint32_t variant) const { return plan_of_[variant] != no_plan; }
  std::span<const std::uint32_t> active() const { return active_; }

  /// Called with each variant that matches; returning true ends the search for that variant at this anchor.
  using OnMatch = bool (*)(void* user, std::uint32_t variant, const MatchState& state);

  /// Matches at the node of index `node`, which must be of `anchor.op`. Deterministic; bounded by a budget of steps.
  void match_at(const Anchor& anchor, std::uint32_t node, OnMatch on_match, void* user);

  /// Matches one active variant at one anchor, by its plan alone. True when `on_match` took a match.
  bool match_plan(std::uint32_t variant, Node anchor, OnMatch on_match, void* user);

  /// Whether the guards and negative parts of a match that was found earlier hold in the graph as it is now.
  bool still_holds(std::uint32_t variant, MatchState& state);

  /// Whether the budget of some anchor ran out, so that matches may have been missed.
  bool exhausted() const { return exhausted_; }

  const GraphView& view() const { return view_; }

 private:
  static constexpr std::uint8_t no_plan = 0xff;
  static constexpr std::uint32_t step_budget = 100'000;

  struct Choice {
    std::uint32_t user;
    bool crossed;
  };

  void keep_children_that_lead_on();
  void start_at(std::uint32_t anchor);
  bool has_choice(const Step& step, const MatchState& state);
  std::vector<Choice> choices_of(const Step& step, const MatchState& state);
  bool spend();
  void choose(const CodeBlock& block, std::uint32_t answer);
  void run(const CodeBlock& block, std::uint32_t answer);
  void enter(const CodeBlock& block, std::uint32_t answer);
  void accept(const CodeBlock& block);
  bool walks(const CodeBlock& block);
  bool all_hold(const Step* step, const Step* end);
  bool holds(const CodeBlock& block, std::uint32_t& answer);
  bool remembered(const CodeBlock& block, const Step* step, std::uint32_t& answer);
  bool tested(const CodeBlock& block, const Step* step, std::uint32_t& answer);
  template <class OnEnd>
  bool run_steps(std::span<const Step> steps, MatchState& state, const OnEnd& on_end);
  bool matches_negative_part(std::span<const Step> steps, const MatchState& state);
  bool is_user(const Step& step, std::uint32_t use, bool& crossed) const;

  const CompiledSet& set_;
  const Graph& graph_;
  GraphView view_;
  std::vector<std::uint8_t> plan_of_;
  std::vector<std::uint32_t> active_;    // variants that have a plan
  std::vector<std::uint8_t> leads_on_;   // by block: leads to an active plan
  std::vector<std::uint32_t> children_;  // as the code's, those that lead on first; behind them `no_index`
  std::vector<std::uint32_t> done_;      // by variant: stamp of the anchor at which it was accepted
  std::vector<Anchor> anchors_;
  BlockMemo memo_;
  MatchState state_{};
  OnMatch on_match_ = nullptr;
  void* user_ = nullptr;
  std::uint32_t stamp_ = 0;
  std::uint32_t budget_ = 0;
  bool exhausted_ = false;
};

}  // namespace tandem
