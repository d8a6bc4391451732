// One plan under construction: private to plan_builder.cpp and its parts, plan_attributes.cpp (attributes),
// plan_types.cpp (types and dims) and plan_conditions.cpp (what needs all nodes).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/passes/pattern/compiler.h>

namespace tandem {

inline constexpr std::uint8_t unassigned = 0xff;

template <class T>
std::uint32_t intern(std::vector<T>& pool, const T& value) {
  const auto it = std::find(pool.begin(), pool.end(), value);
  if (it != pool.end())
    return static_cast<std::uint32_t>(it - pool.begin());
  pool.push_back(value);
  return static_cast<std::uint32_t>(pool.size() - 1);
}

/// Builds the plan of a variant that begins at one of its nodes.
class PlanBuilder {
 public:
  PlanBuilder(CompiledSet& set, CompiledVariant& variant, std::size_t anchor);
  MatchPlan build();

 private:
  [[noreturn]] void fail(const Span& span, std::string_view code, std::string message, std::string help = {}) const;
  void add(const Step& step, const Span& span, std::string text);
  static void set_arity(Step& step, const PatternNode& n);
  const std::string& op_name(OpId op) const { return set_.context->op(op).name; }

  // --- binding nodes
  void bind(int node, Step step);
  /// Counts operands and results where nodes of the op differ in them.
  void test_arity(const PatternNode& n, std::uint8_t reg);
  /// Another node than those of its op that are bound already: known here, a wrong choice is given up before others are
  /// made behind it.
  void test_distinct(const PatternNode& n, std::uint8_t reg);
  bool is_bound(int value) const { return plan_.values[static_cast<std::size_t>(value)].node != unassigned; }

  void walk_up();
  void visit_operand(const PatternNode& n, std::uint8_t reg, std::size_t k);
  /// Whether the first two operands of a node may stand in either order, and `k` is one of them.
  bool may_cross(const PatternNode& n, std::size_t k) const;
  /// Asks of every value that is bound whether the nodes that read it can be there at all.
  void look_down();
  /// Binds one more node through a use of a bound value. False when all are bound.
  bool walk_down();
  bool commuted_by_down(std::uint8_t reg) const;

  // --- attributes
  void test_attrs(const PatternNode& n, std::uint8_t reg);
  void test_attr(const PatternNode& n, std::uint8_t reg, const OpDef& def, std::uint8_t i, const AttrPattern& a);
  void test_list(const PatternNode& n, Step s, const AttrDef& attr, const AttrPattern& a, const Span& span);
  Attribute literal(const AttrDef& attr, const Expr& e, const Span& span);

  // --- types and dims
  void add_equation(Equation e, const Expr& expr, const Span& span, const std::string& what);
  void test_values();
  void test_type(const PatternValue& value, ValueRef ref);
  /// Emits every pending equation that has at most one unknown, until none is left that has.
  void solve();
  bool all_known(const Expr& e) const;
  void require_solved();
  static void collect_names(const Expr& e, std::vector<std::string>& out);

  // --- what needs all nodes
  void test_uses();
  BoundExpr bind_guard_expr(const Expr& e, const Span& span);
  void place_values(const Expr& e, BoundExpr& out, const Span& span);
  void add_guards();
  /// A negative part hangs on values of the match; its own nodes get registers beyond those of the match.
  void add_unless();
  std::vector<Step> negative_part(const Clause& clause, const std::vector<Clause>& nodes);
  static AttrPattern attr(std::string name, Expr::Kind kind);
  static AttrPattern dtype_attr();
  /// Takes over the values and names that `outer` has bound.
  void adopt(const PlanBuilder& outer);
  std::vector<Step> walk_from_outside(const Span& span);

  struct Pending {
    Equation equation;
    const Expr* expr;
    Span span;
    std::string text;
  };

  CompiledSet& set_;
  CompiledVariant& v_;
  const Pattern& pattern_;
  std::size_t anchor_ = 0;
  MatchPlan plan_;
  std::deque<int> queue_;
  std::uint8_t next_register_ = 0;
  bool is_negative_ = false;  // of an 'unless' part
  std::vector<std::uint8_t> commuted_by_down_;
  std::array<int, 256> came_by_;  // by register: the operand through which a down step reached it, or -1
  std::vector<bool> dim_known_, capture_known_, type_known_, leading_known_, type_done_;
  std::vector<bool> looked_for_;  // by node: it was asked for at a value that it reads
  std::vector<Pending> pending_;
};

}  // namespace tandem
