// What patterns compile to: steps that bind nodes and test predicates, merged into one trie per anchor op.
//
// A plan starts at an anchor node and walks edges: `up` from an operand to the node that defines it (no choice), `down`
// from a value to a user of it (a choice among its uses). Every value of a pattern is then a fixed path, an operand or
// result of a bound node, so that values need no registers. Each predicate stands as early as what it reads is bound.
// Plans that begin with the same steps share them: adding patterns costs only where they differ.
//
// What a choice behind needs is asked for ahead where that costs little (`has_user`): most nodes are ruled out by their
// neighbours, before anything is compared.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <tandem/ir/attribute.h>
#include <tandem/ir/dim.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

inline constexpr std::size_t max_pattern_nodes = 24;
inline constexpr std::size_t max_pattern_captures = 24;
inline constexpr std::size_t max_pattern_dims = 24;
inline constexpr std::size_t max_pattern_types = 8;
inline constexpr std::size_t max_pattern_leading = 8;

/// A value of a pattern: operand or result `index` of bound node `node`.
struct ValueRef {
  std::uint8_t node = 0;
  std::uint8_t index = 0;
  bool is_result = false;
  friend bool operator==(const ValueRef&, const ValueRef&) = default;
};

enum class StepKind : std::uint8_t {
  anchor,        // node 0 is the anchor
  up,            // node `node` is what defines operand `value`: result `index` of an op `arg`
  num_operands,  // node `node` has `low` to `high` operands
  num_results,   // node `node` has `results_low` to `results_high` results
  has_user,      // `value` is read by an op `arg` at operand `index` that is none of the first `node` nodes
  down,          // node `node` is a user of `value`: at operand `index` of an op `arg`  (choice)
  commute,       // node `node` is read with its first two operands as they are, then swapped  (choice)
  same_value,    // `value` and `other` are one value
  distinct,      // node `node` and node `index` are two nodes
  attr_is,       // attribute `index` of node `node` has the bits `payload` (kind `arg`)
  axis_is,       // as attr_is, modulo the rank of the node's first operand
  axes_are,      // as axis_is, for a list of axes in any order: constants[arg]
  attr_bind,     // capture `slot` is attribute `index` of node `node`
  attr_same,     // attribute `index` of node `node` equals capture `slot`
  attr_compare,  // attribute `index` of node `node` compared (`low`) with constants[arg]
  list_length,   // attribute `index` of node `node` has `low` to `high` elements
  dtype_in,      // the dtype of `value` is in the set `arg`
  dtype_bind,    // type variable `slot` is the dtype of `value`, in the set `arg`
  dtype_same,    // the dtype of `value` is type variable `slot`
  rank,          // the rank of `value` is `low` to `high`
  leading_bind,  // leading dims `slot` are those of `value` before its last `low`
  leading_same,  // the same, compared
  equation,      // equations[arg] holds, or is solved for its unknown
  uses,          // `value` has exactly `low` uses
  guard,         // guards[arg] holds
  unless,        // sub_programs[arg] does not match
};

inline constexpr std::uint8_t unbounded = 0xff;

/// One step; which fields matter depends on the kind. Two equal steps mean the same: plans share them.
struct Step {
  StepKind kind = StepKind::anchor;
  std::uint8_t node = 0;
  std::uint8_t index = 0;
  std::uint8_t slot = 0;
  ValueRef value;
  ValueRef other;
  std::uint8_t low = 0, high = 0;                  // bounds; for down of the operand count
  std::uint8_t results_low = 0, results_high = 0;  // down, num_results: of the result count
  std::uint32_t arg = 0;
  std::uint64_t payload = 0;
  friend bool operator==(const Step&, const Step&) = default;
};

/// constant + sum of coefficient * dim variable.
struct LinearDims {
  std::int64_t constant = 0;
  std::vector<std::pair<std::int64_t, std::uint8_t>> terms;  // sorted by variable
  friend bool operator==(const LinearDims&, const LinearDims&) = default;
};

/// An expression over what was bound, ready to be evaluated.
struct BoundExpr {
  Expr::Kind kind = Expr::Kind::integer;
  Attribute literal;      // boolean, integer, real, string, dtype names
  std::uint8_t slot = 0;  // name: dim variable; capture: capture slot
  bool is_dtype_variable = false;
  ValueRef value;  // value
  std::vector<BoundExpr> args;
};

/// A dim of the graph that a pattern's expression speaks of.
struct Equation {
  enum class Source : std::uint8_t { from_end, from_start, list_element, dim_attr };
  Source source = Source::from_end;
  ValueRef value;         // from_end, from_start: dim `index` of its shape, counted from that side
  std::uint8_t node = 0;  // list_element, dim_attr: attribute `attr` of that node
  std::uint8_t attr = 0;
  std::uint8_t index = 0;
  LinearDims linear;
  int unknown = -1;  // position in linear.terms of the variable to solve for; -1: a check
  int general = -1;  // index into `expressions` when the expression is not linear (then a check)
  friend bool operator==(const Equation&, const Equation&) = default;
};

/// What a match bound.
struct MatchState {
  std::array<std::uint32_t, max_pattern_nodes> nodes;  // indices
  std::array<Attribute, max_pattern_captures> captures;
  std::array<Dim, max_pattern_dims> dims;
  std::array<std::span<const Dim>, max_pattern_leading> leading;
  std::array<DType, max_pattern_types> dtypes;
  std::uint32_t swapped = 0;  // bit i: the first two operands of node i are read swapped
  std::uint32_t answer =
      0;  // two matches of one matcher with the same number here bound the same, nodes apart; 0: none
};

}  // namespace tandem
