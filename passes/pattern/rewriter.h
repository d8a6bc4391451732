// One rewrite at one site: proven legal first, then done as a transaction.
#pragma once

#include <cstdint>
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
      : set_(set), graph_(graph), kernel_dtypes_(set.patterns.size(), ~std::uint32_t{0}) {}

  /// Refuse sites of `pattern` whose kernel would have to take a dtype that is not among `dtypes` (bits).
  void admit(std::uint32_t pattern, std::uint32_t dtypes) { kernel_dtypes_[pattern] = dtypes; }

  /// Rewrites the site, or leaves the graph as it was and returns why in `refusal()`.
  bool rewrite(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);
  /// Only the proof. True when the rewrite would be done.
  bool is_legal(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);

  const std::string& refusal() const { return refusal_; }
  Refusal refusal_kind() const { return refusal_kind_; }

  /// Of the last rewrite: the nodes that it made, and the values that lost uses and may match anew.
  const std::vector<Node>& created() const { return created_; }
  const std::vector<Value>& released() const { return released_; }
  /// Indices of the nodes that the last rewrite erased.
  const std::vector<std::uint32_t>& removed_indices() const { return removed_indices_; }

 private:
  struct Source {  // an operand of a new node: a value of the graph, or a result of an earlier new node
    Value value;
    int created = -1;
    int result = 0;
  };
  struct NewNode {
    OpId op;
    std::uint32_t first_source = 0, num_sources = 0;
    std::uint32_t first_attr = 0;
    std::uint32_t first_type = 0, num_types = 0;
  };

  bool refuse(Refusal kind, std::string reason);
  bool prepare(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);
  bool plan_nodes(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);
  bool infer(const RewriteStep& step, const OpDef& def, std::span<const Attribute> attrs);
  bool plan_types(const CompiledVariant& variant, const MatchPlan& plan, const MatchState& state);
  bool plan_place();
  bool collect_moves(std::uint64_t high);
  bool is_removed(Node node) const;
  void replace_outside(Value old, Value value);
  Value matched_value(const MatchPlan& plan, const MatchState& state, int value) const;
  Source resolve(const RewriteOperand& o, const MatchPlan& plan, const MatchState& state) const;
  const TensorType& type_of(const Source& s) const;
  Symbol common_scope() const;

  const CompiledSet& set_;
  Graph& graph_;
  std::string refusal_;
  Refusal refusal_kind_ = Refusal::none;
  std::vector<std::uint32_t> kernel_dtypes_;  // by pattern

  // The plan of the edit, rebuilt for each site; kept to reuse their storage.
  std::vector<NewNode> nodes_;
  std::vector<Source> sources_;
  std::vector<Attribute> attrs_;
  std::vector<TensorType> types_, inferred_, operand_types_;
  const RewriteStep* proved_for_ = nullptr;  // of the last inference, whose result `inferred_` still is
  std::vector<Attribute> proved_attrs_;
  std::vector<TensorType> proved_operands_;
  std::vector<std::pair<Value, Source>> replacements_;
  std::vector<Node> removed_;
  std::vector<Use> outside_;
  std::vector<Node> moves_;
  Node before_;
  std::vector<Value> operands_;
  std::vector<Node> created_;
  std::vector<Value> released_;
  std::vector<std::uint32_t> removed_indices_;
  std::vector<std::uint32_t> visited_;  // by node: stamp of the last search that saw it
  std::uint32_t stamp_ = 0;
};

}  // namespace tandem
