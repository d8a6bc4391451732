// The C++ front end of the pattern language.
//
//     PatternBuilder p("silu_and_mul");
//     auto x = p.input("x"), gate = p.input("gate");
//     auto s = p.match("silu", {gate}).result("s");
//     auto y = p.match("mul", {s, x}).result("y");
//     p.replace(y, p.create("fused_silu_and_mul", {gate, x}).result("fused"));
//     Pattern pattern = p.finish();
//
// Every call records plain data in a `Pattern`; nothing is checked before `compile`, which reports all that is wrong at
// once. Each part remembers the C++ line that wrote it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/ir/code_location.h>
#include <tandem/ir/dtype.h>
#include <tandem/ir/export.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// An expression under construction: `Q + C`, `2 * Q`, `$eps`, `[Q, C]`, literals.
class PatternExpr {
 public:
  PatternExpr(bool v) { expr_.kind = Expr::Kind::boolean, expr_.boolean = v; }          // NOLINT
  PatternExpr(int v) : PatternExpr(std::int64_t{v}) {}                                  // NOLINT
  PatternExpr(std::int64_t v) { expr_.kind = Expr::Kind::integer, expr_.integer = v; }  // NOLINT
  PatternExpr(double v) { expr_.kind = Expr::Kind::real, expr_.real = v; }              // NOLINT
  PatternExpr(const char* v) { expr_.kind = Expr::Kind::string, expr_.text = v; }       // NOLINT
  PatternExpr(DType v) { expr_.kind = Expr::Kind::name, expr_.text = to_string(v); }    // NOLINT
  PatternExpr(std::initializer_list<PatternExpr> v) {                                   // NOLINT
    expr_.kind = Expr::Kind::list;
    for (const PatternExpr& e : v)
      expr_.args.push_back(e.expr_);
  }
  PatternExpr(Expr e) : expr_(std::move(e)) {}  // NOLINT

  const Expr& expr() const { return expr_; }

  friend PatternExpr operator+(PatternExpr a, PatternExpr b) { return binary(Expr::Kind::add, a, b); }
  friend PatternExpr operator-(PatternExpr a, PatternExpr b) { return binary(Expr::Kind::sub, a, b); }
  friend PatternExpr operator*(PatternExpr a, PatternExpr b) { return binary(Expr::Kind::mul, a, b); }
  friend PatternExpr operator/(PatternExpr a, PatternExpr b) { return binary(Expr::Kind::div, a, b); }
  friend PatternExpr operator%(PatternExpr a, PatternExpr b) { return binary(Expr::Kind::mod, a, b); }

 private:
  static PatternExpr binary(Expr::Kind kind, const PatternExpr& a, const PatternExpr& b) {
    Expr e;
    e.kind = kind;
    e.args = {a.expr_, b.expr_};
    return PatternExpr(std::move(e));
  }
  Expr expr_;
};

/// The capture of an attribute: `.attr("eps", capture("eps"))`.
inline PatternExpr capture(std::string_view name) {
  Expr e;
  e.kind = Expr::Kind::capture;
  e.text = name;
  return PatternExpr(std::move(e));
}

/// "..." at the end of a list: any further elements.
inline PatternExpr rest_of_list() {
  Expr e;
  e.kind = Expr::Kind::rest;
  return PatternExpr(std::move(e));
}

/// A type variable or dtype of a pattern.
struct PatternType {
  std::string name;
  PatternType(std::string_view text = {}) : name(text) {}  // NOLINT
  PatternType(DType dtype) : name(to_string(dtype)) {}     // NOLINT
};

/// The shape of a value: `{Q, C}`, or with any leading dims `leading({Q})`, `leading("B", {Q})`.
struct PatternShape {
  bool constrained = false;
  bool open = false;
  std::string leading;
  std::vector<PatternExpr> dims;
  PatternShape() = default;
  PatternShape(std::initializer_list<PatternExpr> exact) : constrained(true), dims(exact) {}  // NOLINT
};

/// [.., dims]
inline PatternShape leading(std::initializer_list<PatternExpr> dims) {
  PatternShape s(dims);
  s.open = true;
  return s;
}
/// [..name, dims]: values that name the same leading dims have the same.
inline PatternShape leading(std::string_view name, std::initializer_list<PatternExpr> dims) {
  PatternShape s = leading(dims);
  s.leading = name;
  return s;
}

/// An attribute of a node: `attribute("dtype", DType::f32)`.
inline AttrPattern attribute(std::string_view name, PatternExpr value, Compare compare = Compare::equal) {
  return {std::string(name), compare, value.expr(), {}};
}

/// A value of a pattern, by name, and what stands between it and the node that reads it.
struct PatternValueName {
  std::string name;
  std::vector<ThroughPattern> steps = {};

  /// `%x through cast {..}`: the value as a node of one operand passes it on.
  PatternValueName through(std::string_view op, std::vector<AttrPattern> attrs = {}) const {
    PatternValueName out = *this;
    out.steps.push_back({0, std::string(op), std::move(attrs), false, {}});
    return out;
  }
  /// `%x through cast?`: the node may be absent.
  PatternValueName through_optional(std::string_view op, std::vector<AttrPattern> attrs = {}) const {
    PatternValueName out = through(op, std::move(attrs));
    out.steps.back().optional = true;
    return out;
  }
};

/// `uses(%x)`, in conditions: how often a value is read.
inline PatternExpr uses(const PatternValueName& value) {
  Expr e;
  e.kind = Expr::Kind::uses;
  e.text = value.name;
  return PatternExpr(std::move(e));
}

class PatternBuilder;

/// A node to match, as it is described.
class TANDEM_EXPORT NodeMatcher {
 public:
  NodeMatcher& attr(std::string_view name, PatternExpr value, Compare compare = Compare::equal);
  /// The attribute may be anything.
  NodeMatcher& ignore(std::string_view name);
  NodeMatcher& keep();
  NodeMatcher& recompute();
  /// May be absent: the result is then the operand.
  NodeMatcher& optional();
  /// The type of the next result: `.type(T, leading({Q}))`. Give none, or one for each result.
  NodeMatcher& type(PatternType type, PatternShape shape = {});
  PatternValueName result(std::string_view name);
  /// "_" for a result that must not be used, "name..." at the end for any further ones (of a kept node).
  template <class... Names>
  std::array<PatternValueName, sizeof...(Names)> results(Names... names) {
    return {result(names)...};
  }

 private:
  friend class PatternBuilder;
  NodeMatcher(std::vector<Clause>* clauses, std::size_t index) : clauses_(clauses), index_(index) {}
  NodePattern& node() { return (*clauses_)[index_].node; }
  std::vector<Clause>* clauses_;
  std::size_t index_;
};

/// A node to create, as it is described.
class TANDEM_EXPORT NodeCreator {
 public:
  NodeCreator& attr(std::string_view name, PatternExpr value);
  PatternValueName result(std::string_view name);
  template <class... Names>
  std::array<PatternValueName, sizeof...(Names)> results(Names... names) {
    return {result(names)...};
  }

 private:
  friend class PatternBuilder;
  NodeCreator(std::vector<RewriteNode>* nodes, std::size_t index) : nodes_(nodes), index_(index) {}
  std::vector<RewriteNode>* nodes_;
  std::size_t index_;
};

class TANDEM_EXPORT PatternBuilder {
 public:
  using Loc = CodeLocation;

  explicit PatternBuilder(std::string_view name, Loc loc = Loc::current());

  PatternBuilder& doc(std::string_view text);
  PatternBuilder& level(OptLevel level);
  PatternBuilder& pass(std::string_view name);
  PatternBuilder& flag(std::string_view name);
  PatternBuilder& numerics(Numerics numerics);
  PatternBuilder& requires_kernel(std::string_view op);
  PatternBuilder& platform(std::string_view name);
  PatternBuilder& benefit(int benefit);
  PatternBuilder& family(std::string_view variable, std::initializer_list<std::string_view> values);

  PatternExpr dim(std::string_view name);
  template <class... Names>
  std::array<PatternExpr, sizeof...(Names)> dims(Names... names) {
    return {dim(names)...};
  }
  PatternType dtype(std::string_view name, std::initializer_list<DType> among = {});

  PatternValueName input(std::string_view name, PatternType type = {}, PatternShape shape = {},
                         Loc loc = Loc::current());

  /// Adds a node to the match, or to the branch under construction.
  NodeMatcher match(std::string_view op, std::initializer_list<PatternValueName> operands, Loc loc = Loc::current());
  /// One of several: each function adds the nodes of its branch. All must define the values that are used outside.
  void either(std::initializer_list<std::function<void()>> branches, Loc loc = Loc::current());
  /// The match is refused where this part matches around it.
  void unless(const std::function<void()>& part, Loc loc = Loc::current());

  /// A named predicate (predicates.h).
  void where(std::string_view predicate, std::initializer_list<PatternValueName> values, bool negated = false,
             Loc loc = Loc::current());
  /// A comparison: `p.where(Q % 8, Compare::equal, 0)`.
  void where(PatternExpr a, Compare compare, PatternExpr b, Loc loc = Loc::current());

  NodeCreator create(std::string_view op, std::initializer_list<PatternValueName> operands, Loc loc = Loc::current());
  void replace(const PatternValueName& matched, const PatternValueName& replacement, Loc loc = Loc::current());

  Pattern finish() { return std::move(pattern_); }

 private:
  std::vector<Clause>& clauses() { return *branches_.back(); }

  Pattern pattern_;
  std::vector<std::vector<Clause>*> branches_;  // where `match` adds; the innermost last
};

}  // namespace tandem
