// The pattern language: what a fusion is, as plain data.
//
// A `Pattern` says what to match and what to put in its place. It has three front ends that build the same object: the
// C++ builder (builder.h), the `.fusion` text (text.h) and JSON (json.h). It knows no graph and no context; `compile`
// (compiler.h) resolves it against an op table, and the engine (engine.h) runs it.
//
// Names bind: the same value name is the same value, the same dim name the same dim, the same capture the same
// attribute. Attributes are closed: one that a pattern does not mention must have the op's default.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/passes/config.h>

namespace tandem {

/// Where a part of a pattern was written: a line of a `.fusion` file or of C++. Not part of a pattern's identity.
struct Span {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  friend bool operator==(const Span&, const Span&) { return true; }
};

/// "mla.fusion:12:3"; empty when unknown.
TANDEM_PASSES_API std::string to_string(const Span& span);

/// A value in an attribute, a shape or a guard: literals, names of dims and types, captures, arithmetic.
struct Expr {
  enum class Kind : std::uint8_t {
    boolean,  // `boolean`
    integer,  // `integer`
    real,     // `real`
    string,   // `text`
    name,     // `text`: a dim, a type variable or a dtype
    capture,  // `text`: $text
    list,     // `args`
    rest,     // "..." at the end of a list: any further elements
    add,
    sub,
    mul,
    div,  // `args`, two of them
    floordiv,
    mod,    // `args`, two of them
    neg,    // `args`, one
    value,  // `text`: %text, as an argument of a guard
    uses,   // `text`: uses(%text), how often the value is read; in guards
  };
  Kind kind = Kind::integer;
  bool boolean = false;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<Expr> args;

  TANDEM_PASSES_API friend bool operator==(const Expr& a, const Expr& b);  // reals by bits
};

/// "[Q, C + P]", "$eps", "1e-06": parses back.
TANDEM_PASSES_API std::string to_string(const Expr& expr);

/// A constraint on a value's type: `T[.., Q + C]`.
struct TypePattern {
  std::string dtype;       ///< A type variable or a dtype; empty: any.
  bool has_shape = false;  ///< Whether dims are constrained at all.
  bool open = false;       ///< `..` in front: any leading dims.
  std::string leading;     ///< `..B`: the name of the leading dims; equal names, equal dims.
  std::vector<Expr> dims;
  friend bool operator==(const TypePattern&, const TypePattern&) = default;
};

/// A value that the match takes from outside: `%q_w: T[Q]`.
struct InputPattern {
  std::string name;  ///< Without the "%".
  TypePattern type;
  Span span;
  friend bool operator==(const InputPattern&, const InputPattern&) = default;
};

/// How an attribute is compared with an expression.
enum class Compare : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal, one_of, any };

/// `eps = $eps`, `axis = -1`, `k <= 8`, `mode in {"set", "add"}`, `scale = any` (explicitly ignored).
struct AttrPattern {
  std::string name;
  Compare compare = Compare::equal;
  Expr value;
  Span span;
  friend bool operator==(const AttrPattern&, const AttrPattern&) = default;
};

/// What stands between a value and a node that reads it: `%x through cast?`. A node of one operand and one result. It
/// stays for its other users where the value stays, and goes away with it else. Attributes without a default that are
/// not mentioned may be anything.
struct ThroughPattern {
  std::size_t operand = 0;  ///< Which operand of the node.
  std::string op;
  std::vector<AttrPattern> attrs;
  bool optional = false;  ///< "?": it may be absent.
  Span span;
  friend bool operator==(const ThroughPattern&, const ThroughPattern&) = default;
};

/// One node to match: `keep %q, %kv = split(%x) {axis = -1, sizes = [Q, C + P]}`.
struct NodePattern {
  std::vector<std::string> results;  ///< Names; "_" for one that must not be used. May end in a rest, "parts...".
  std::vector<TypePattern> types;    ///< Of the results; empty, or one each.
  std::string op;
  std::vector<std::string> operands;  ///< Names; may end in a rest, "xs...".
  /// In the order of the operands, those of one operand from the value towards the node.
  std::vector<ThroughPattern> through;
  std::vector<AttrPattern> attrs;
  bool keep = false;       ///< The node stays; its results may have other users.
  bool recompute = false;  ///< Other users are legal: the node is left to them and computed again inside.
  bool optional = false;   ///< One operand, one result: where the node is absent the result is the operand.
  bool between = false;    ///< Of a variant (expand.h): it was said with `through`.
  Span span;
  friend bool operator==(const NodePattern&, const NodePattern&) = default;
};

/// A part of what is matched.
struct Clause {
  enum class Kind : std::uint8_t {
    node,    // `node`
    either,  // one of `branches`
    unless,  // `branches[0]` must not match around what is matched
    use,     // the definition `name`, with `args` for its parameters and `results` for its results
  };
  Kind kind = Kind::node;
  NodePattern node;
  std::vector<std::vector<Clause>> branches;
  std::string name;
  std::vector<std::string> args;
  std::vector<std::string> results;
  Span span;
  friend bool operator==(const Clause&, const Clause&) = default;
};

/// A named sub-pattern: `define rms(%x) -> %y { ... }`.
struct Definition {
  std::string name;
  std::vector<std::string> params;
  std::vector<std::string> results;
  std::vector<Clause> body;
  Span span;
  friend bool operator==(const Definition&, const Definition&) = default;
};

/// A condition on what was matched: a comparison of expressions, or a named predicate over values and expressions.
struct Guard {
  bool negated = false;
  std::string predicate;             ///< Empty for a comparison.
  Compare compare = Compare::equal;  ///< Of args[0] and args[1]; `one_of`: args[0] in the list args[1].
  std::vector<Expr> args;
  Span span;
  friend bool operator==(const Guard&, const Guard&) = default;
};

/// "not weight(%x)", "Q % 8 == 0", "$t in {bf16, f16}": parses back.
TANDEM_PASSES_API std::string to_string(const Guard& guard);

/// A node to create: `%a, %b = fused(%q, %c) {eps = $eps}`. Attributes that are not given take the op's default.
struct RewriteNode {
  std::vector<std::string> results;
  std::string op;
  std::vector<std::string> operands;
  std::vector<AttrPattern> attrs;
  Span span;
  friend bool operator==(const RewriteNode&, const RewriteNode&) = default;
};

/// `%qn = %a`: every use of the matched value %qn becomes a use of %a.
struct Replacement {
  std::string matched;
  std::string replacement;
  Span span;
  friend bool operator==(const Replacement&, const Replacement&) = default;
};

/// `types T in {bf16, f16}`; no list: any dtype.
struct TypeVariable {
  std::string name;
  std::vector<std::string> dtypes;
  friend bool operator==(const TypeVariable&, const TypeVariable&) = default;
};

/// `for op in {add, sub}`: the fusion once for each value.
struct Family {
  std::string variable;
  std::vector<std::string> values;
  friend bool operator==(const Family&, const Family&) = default;
};

/// A fusion.
struct Pattern {
  std::string name;
  std::string doc;
  OptLevel level = OptLevel::O1;  ///< From which level on it is on under `auto`.
  std::string pass;               ///< The pass that applies it: "raise" or "fuse"; empty: fuse.
  std::string flag;               ///< Its tri-state flag in PassConfig; empty: always as the level says.
  /// `relaxed`: it rounds otherwise than what it replaces, and is on only where the configuration allows that.
  Numerics numerics = Numerics::exact;
  std::vector<std::string> kernels;    ///< Ops for which the target must offer a kernel.
  std::vector<std::string> platforms;  ///< Where it is on under `auto`; empty: everywhere.
  int benefit = 0;                     ///< Among matches that overlap the larger goes first.
  std::vector<Family> families;
  std::vector<TypeVariable> types;
  std::vector<std::string> dims;
  std::vector<Definition> definitions;
  std::vector<InputPattern> inputs;
  std::vector<Clause> match;
  std::vector<Guard> where;
  std::vector<RewriteNode> rewrite;
  std::vector<Replacement> replacements;
  Span span;
  friend bool operator==(const Pattern&, const Pattern&) = default;
};

}  // namespace tandem
