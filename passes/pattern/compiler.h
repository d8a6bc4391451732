// Patterns resolved against an op table and turned into programs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/export.h>
#include <tandem/passes/pattern/expand.h>
#include <tandem/passes/pattern/match_code.h>
#include <tandem/passes/pattern/pattern.h>
#include <tandem/passes/pattern/program.h>

namespace tandem {

/// A value of a variant, resolved.
struct PatternValue {
  std::string name;
  int node = -1;   ///< The pattern node that defines it; -1 for an input.
  int result = 0;  ///< Which result.
  TypePattern type;
  Span span;
  std::uint8_t inner_uses = 0;  ///< Operands of matched nodes that read it.
  bool replaced = false;
};

/// A node of a variant, resolved.
struct PatternNode {
  OpId op;
  std::vector<int> operands;  ///< Values.
  int rest_operands = -1;     ///< Index into `rests` of a trailing "xs...".
  std::vector<int> results;   ///< Values; -1 for "_".
  bool rest_results = false;
  bool keep = false;
  bool recompute = false;
  const NodePattern* source = nullptr;
};

/// A way to find a variant: start at nodes of `anchor` and run the steps.
struct MatchPlan {
  OpId anchor;
  std::vector<Step> steps;
  std::vector<Span> spans;              ///< Of the source of each step.
  std::vector<std::string> texts;       ///< What each step says, in the pattern's words.
  std::vector<ValueRef> values;         ///< Path of each value.
  std::vector<std::uint8_t> registers;  ///< Register of each pattern node.
  std::size_t first_condition = 0;      ///< The steps from here on are guards and negative parts.
  std::size_t num_choices = 0;          ///< Steps of kind down: fewer is better.
};

/// An operand of a node to create, or a replacement.
struct RewriteOperand {
  enum class Kind : std::uint8_t { matched, created, rest };
  Kind kind = Kind::matched;
  int value = 0;   ///< matched: a value; created: a rewrite node; rest: index into `rests`
  int result = 0;  ///< created
};

/// A node to create, resolved.
struct RewriteStep {
  OpId op;
  std::vector<RewriteOperand> operands;
  std::vector<BoundExpr> attrs;  ///< By position in the op's row.
  std::vector<bool> given;       ///< False: the row's default.
  std::size_t num_results = 0;
  Span span;
};

/// A variant, compiled.
struct CompiledVariant {
  std::size_t fusion = 0;  ///< Which pattern of the set it belongs to.
  Variant source;
  std::vector<PatternValue> values;
  std::vector<PatternNode> nodes;
  std::vector<std::pair<int, int>> rests;  ///< (node, first operand)
  std::vector<std::string> dims, captures, types, leading;
  std::vector<MatchPlan> plans;  ///< One for each distinct op of the match.
  std::vector<std::pair<OpId, std::uint32_t>> required_ops;
  std::vector<std::uint8_t> removed;     ///< The nodes that a rewrite erases: neither kept nor recomputed.
  std::vector<std::uint8_t> recomputed;  ///< Those that it erases where nobody else reads them.
  std::vector<std::uint8_t> releasing;   ///< Of both: what they read may match anew when they are gone.
  bool has_guards = false;               ///< These and negative parts may read beyond the matched nodes.
  bool has_negative_parts = false;
  bool may_hinder = false;  ///< Its rewrite may give a value a reader that a negative part of some variant looks for.
  std::vector<RewriteStep> rewrite;
  std::vector<std::pair<int, RewriteOperand>> replacements;
};

/// A guard, resolved for one plan.
struct BoundGuard {
  const Guard* source = nullptr;
  std::string key;  ///< Its text and paths: equal keys, equal guards.
  int predicate = -1;
  bool negated = false;
  Compare compare = Compare::equal;
  std::vector<BoundExpr> args;
};

/// Compiled patterns, merged. Immutable; share it between threads.
struct CompiledSet {
  std::shared_ptr<Context> context;
  std::vector<Pattern> patterns;
  std::vector<CompiledVariant> variants;

  // What steps point at.
  std::vector<Attribute> constants;
  std::vector<std::vector<Attribute>> constant_lists;
  std::vector<Equation> equations;
  std::vector<BoundExpr> expressions;
  std::vector<BoundGuard> guards;
  std::vector<std::vector<Step>> sub_programs;

  MatchCode code;  // the plans of all variants

  // By variant.
  std::vector<OpId> key_ops;         // of the ops that it needs the one which the fewest variants need
  std::vector<std::uint32_t> ranks;  // its place when several match at one site: the least goes first

  std::vector<bool> interesting_ops;  // by op: whether some pattern matches it
  std::vector<bool> hindering_ops;    // by op: whether some negative part matches it
  bool looks_at_readers = false;      // whether some pattern has a guard about who reads a value
  std::size_t diameter = 0;           // the most nodes of any variant, and of any negative part behind them
};

/// Compiles patterns against the ops of `context`. Throws an Error with everything that is wrong with any of them:
/// codes "pattern.*", listed in docs/diagnostics.md. Two patterns of one name are an error.
TANDEM_PASSES_API std::shared_ptr<const CompiledSet> compile(std::shared_ptr<Context> context,
                                                             std::vector<Pattern> patterns);

}  // namespace tandem
