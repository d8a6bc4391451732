// One rewrite at one site: proven legal first, then done as a transaction.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/matcher.h>

namespace tandem {

/// Why a site that matched is left alone.
enum class Refusal : std::uint8_t {
  none,
  effects,       ///< A node that would go away, or move, has effects.
  kernel_dtype,  ///< The target has no kernel for the dtype at hand.
  attribute,     ///< An attribute of a new node has no value here.
  inference,     ///< A new node is not valid on these operands.
  types,         ///< A new value has another type than the one that it replaces.
  not_convex,    ///< A new node would read what depends on its own result.
  too_far,       ///< The matched nodes stand too far apart.
};

/// Rewrites matched sites of one graph. Before anything changes it proves that
///   - the new values have exactly the types of those they replace,
///   - what is removed has no effects,
///   - there is a place where every operand of the new nodes is defined and no user of theirs stands before, possibly
///     after moving pure nodes up; there is none when an operand depends on a replaced value (the match is not convex).
class Rewriter {
 public:
  Rewriter(const CompiledSet& set, Graph& graph)
      : set_(set),
        graph_(graph),
        view_(graph),
        kernel_dtypes_(set.patterns.size(), ~std::uint32_t{0}),
        drafts_(set.variants.size()) {
    for (auto* indices : {&removed_, &releasing_, &operands_, &erased_, &source_ends_})
      indices->reserve(16);
    sources_.reserve(16);
    created_.reserve(4);
  }

  /// Refuse sites of `pattern` whose kernel would have to take a dtype that is not among `dtypes` (bits).
  void admit(std::uint32_t pattern, std::uint32_t dtypes) { kernel_dtypes_[pattern] = dtypes; }

  /// Rewrites the site, or leaves the graph as it was and returns why in `refusal()`. `like_last`: the site before was
  /// one of the same variant and plan that bound the same captures, dims and dtypes.
  bool rewrite(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state, bool like_last = false);
  /// Only the proof. True when the rewrite would be done.
  bool is_legal(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);

  const std::string& refusal() const { return refusal_; }
  Refusal refusal_kind() const { return refusal_kind_; }

  /// Of the last rewrite: the nodes that it made, and the indices of those that it erased.
  std::span<const Node> created() const { return created_; }
  std::span<const std::uint32_t> erased() const { return erased_; }
  /// Values that lost uses and may match anew.
  std::span<const Value> released() const { return released_; }

 private:
  struct Source {  // an operand of a new node: a value of the graph, or a result of an earlier new node
    std::uint32_t value = no_index;
    int created = -1;
    int result = 0;
  };
  struct NewNode {
    OpId op;
    std::uint32_t first_source = 0, num_sources = 0;
    std::uint32_t first_attr = 0, num_attrs = 0;
    std::uint32_t first_type = 0, num_types = 0;
  };
  /// The new nodes of a variant, proven valid for what a site bound and the types of its operands. Layers are alike:
  /// the next site of the variant mostly gets the same ones.
  struct Draft {
    bool proven = false;
    const MatchPlan* plan = nullptr;
    // Where the plan finds the sources, then the replaced values and what replaces them where that is not new; empty:
    // not fixed.
    std::vector<ValueRef> refs;
    std::vector<std::pair<std::uint32_t, Source>> replacements;  // of the site that was proven
    std::vector<std::uint64_t> bindings;
    std::vector<Source> sources;
    std::vector<TensorType> source_types;
    std::vector<NewNode> nodes;
    std::vector<Attribute> attrs;
    std::vector<TensorType> types;
  };

  bool refuse(Refusal kind, std::string reason);
  bool prepare(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state, bool like_last);
  bool removes_without_effect(const CompiledVariant& variant);
  void plan_removal(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);
  void collect_sources(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);
  bool has_proof(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state, bool like_last);
  bool draft_nodes(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);
  void note_refs(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);
  bool draft_node(const CompiledVariant& variant, const RewriteStep& step, const MatchState& state);
  bool draft_attrs(const RewriteStep& step, const OpDef& def, const MatchState& state);
  bool plan_types(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);
  bool plan_place();
  bool collect_moves(std::uint64_t high);
  bool is_removed(std::uint32_t node) const {
    for (const std::uint32_t n : removed_) {  // they are few: std::find costs more
      if (n == node)
        return true;
    }
    return false;
  }
  std::string name_of(std::uint32_t value) const;
  Source resolve(const RewriteOperand& o, const MatchPlan& plan, const MatchState& state) const {
    if (o.kind == RewriteOperand::Kind::created)
      return {no_index, o.value, o.result};
    return {value_index(view_, state, plan.values[static_cast<std::size_t>(o.value)]), -1, 0};
  }
  TensorType type_of(const Source& s) const {
    if (s.created < 0)
      return view_.type(s.value);
    return draft_
        ->types[draft_->nodes[static_cast<std::size_t>(s.created)].first_type + static_cast<std::size_t>(s.result)];
  }
  std::uint32_t made(const Source& s) const;
  Symbol common_scope() const;
  void replace_outside(std::uint32_t old, std::uint32_t value);
  void release(std::uint32_t node);
  void erase_removed();

  const CompiledSet& set_;
  Graph& graph_;
  GraphView view_;
  std::string refusal_;
  Refusal refusal_kind_ = Refusal::none;
  std::vector<std::uint32_t> kernel_dtypes_;  // by pattern
  std::vector<Draft> drafts_;                 // by variant: of its last site

  // The plan of the edit, rebuilt for each site; kept to reuse their storage.
  Draft* draft_ = nullptr;
  const Draft* sources_of_ = nullptr;  // the draft whose created sources `sources_` holds
  std::vector<Source> sources_;
  std::vector<std::uint32_t> source_ends_;  // by new node: behind its sources
  std::vector<TensorType> operand_types_, inferred_;
  std::vector<std::pair<std::uint32_t, Source>> replacements_;
  std::vector<std::uint32_t> removed_, releasing_;
  std::vector<std::uint32_t> moves_;
  std::uint32_t before_ = 0;
  std::vector<std::uint32_t> operands_;
  std::vector<Node> created_;
  std::vector<std::uint32_t> outside_;
  bool read_inside_ = false;  // a removed node reads a replaced value
  std::vector<std::uint32_t> erased_;
  std::vector<std::uint32_t> recomputed_;  // erased where nobody else reads them
  std::vector<Value> released_;
  std::vector<std::uint32_t> visited_;  // by node: stamp of the last search that saw it
  std::uint32_t stamp_ = 0;
};

}  // namespace tandem
