#include "tests/support/random_fusion.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>

namespace tandem::test {

namespace {

const char* const twin_ops[] = {"neg",   "exp",   "tanh",    "gelu",   "add",      "mul",  "sub",      "maximum",
                                "split", "slice", "softmax", "concat", "rms_norm", "cast", "transpose"};

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
  bool chance(std::size_t percent) { return below(100) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  template <class T>
  void shuffle(std::vector<T>& v) {
    for (std::size_t i = v.size(); i > 1; --i)
      std::swap(v[i - 1], v[below(i)]);
  }

 private:
  std::mt19937_64 random_;
};

// --- the graph

class GraphMaker {
 public:
  GraphMaker(const std::shared_ptr<Context>& context, Dice& dice) : dice_(dice), b_(context, "pair") {}

  Graph make() {
    values_.push_back(b_.input("x", DType::f64, {4, 12}));
    values_.push_back(b_.input("y", DType::f64, {4, 12}));
    values_.push_back(b_.input("z", DType::f32, {4, 12}));
    const std::size_t nodes = 6 + dice_.below(24);
    while (b_.graph().num_nodes() < nodes) {
      if (!motif_.empty() && dice_.chance(30))
        replay();
      else
        add(random_step());
    }
    for (std::size_t i = 1 + dice_.below(3); i != 0; --i)
      b_.output(recent());
    for (Value v : values_) {
      if (b_.graph().def_node(v) && b_.graph().num_uses(v) == 0 && dice_.chance(70))
        b_.output(v);
    }
    return std::move(b_).finish();
  }

 private:
  struct Instruction {
    std::string op;
    std::vector<std::size_t> back;  // operands, counted from the newest value
    std::vector<NamedAttr> attrs;
  };

  Value recent() { return values_[values_.size() - 1 - dice_.below(std::min<std::size_t>(values_.size(), 7))]; }

  /// Adds a node, when its operands suit its op, and remembers it as part of what is repeated.
  void add(Instruction step) {
    std::vector<Value> operands;
    for (const std::size_t back : step.back) {
      if (back >= values_.size())
        return;
      operands.push_back(values_[values_.size() - 1 - back]);
    }
    try {
      const Node n = b_.node(step.op, operands, step.attrs);
      for (std::size_t i = 0; i < b_.graph().num_results(n); ++i)
        values_.push_back(b_.graph().result(n, i));
    } catch (const Error&) {  // shapes or dtypes that do not go together
      return;
    }
    motif_.push_back(std::move(step));
    if (motif_.size() > 5)
      motif_.erase(motif_.begin());
  }
  void replay() {
    const std::vector<Instruction> steps = motif_;
    for (const Instruction& step : steps)
      add(step);
  }

  Instruction random_step() {
    const std::string op = twin_ops[dice_.below(std::size(twin_ops))];
    Instruction step{op, {dice_.below(6)}, {}};
    const Value x = step.back[0] < values_.size() ? values_[values_.size() - 1 - step.back[0]] : values_[0];
    const auto axis = static_cast<std::int64_t>(dice_.below(4)) - 2;
    const std::int64_t n = b_.graph().type(x).shape[static_cast<std::size_t>(axis < 0 ? axis + 2 : axis)].constant();
    if (op == "add" || op == "mul" || op == "sub" || op == "maximum")
      step.back.push_back(dice_.below(6));
    if (op == "concat") {
      for (std::size_t i = dice_.below(3); i != 0; --i)
        step.back.push_back(dice_.below(6));
    }
    if (op == "gelu" && dice_.chance(40))
      step.attrs = {{"tanh_approximation", true}};
    if (op == "softmax" || op == "concat")
      step.attrs = {{"axis", axis}};
    if (op == "cast")
      step.attrs = {{"dtype", dice_.chance(50) ? DType::f32 : DType::f64}};
    if (op == "transpose")
      step.attrs = {{"perm", dice_.chance(70) ? std::vector<Dim>{1, 0} : std::vector<Dim>{0, 1}}};
    if (op == "rms_norm") {
      step.attrs = {{"eps", dice_.chance(60) ? 1e-6 : 1e-5}};
      if (dice_.chance(30))
        step.attrs.push_back({"round_before_weight", true});
    }
    if (op == "split") {
      const std::int64_t first = dice_.chance(50) ? n / 2 : n / 3;
      std::vector<Dim> sizes{Dim(first), Dim(n - first)};
      if (dice_.chance(25))
        sizes = {Dim(n / 4), Dim(n / 4), Dim(n - 2 * (n / 4))};
      step.attrs = {{"axis", axis}, {"sizes", sizes}};
    }
    if (op == "slice") {
      const std::int64_t start = dice_.chance(50) ? 0 : n / 3;
      step.attrs = {
          {"axis", axis}, {"start", Dim(start)}, {"end", Dim(dice_.chance(50) ? n : start + (n - start) / 2)}};
    }
    return step;
  }

  Dice& dice_;
  GraphBuilder b_;
  std::vector<Value> values_;
  std::vector<Instruction> motif_;
};

// --- the fusion

Expr integer(std::int64_t v) {
  Expr e;
  e.kind = Expr::Kind::integer;
  e.integer = v;
  return e;
}
Expr named(Expr::Kind kind, std::string text) {
  Expr e;
  e.kind = kind;
  e.text = std::move(text);
  return e;
}
Expr binary(Expr::Kind kind, Expr a, Expr b) {
  Expr e;
  e.kind = kind;
  e.args = {std::move(a), std::move(b)};
  return e;
}

class FusionMaker {
 public:
  FusionMaker(const Graph& graph, Dice& dice) : g_(graph), dice_(dice) {}

  Pattern make() {
    p_.name = "random";
    choose_nodes();
    choose_kept();
    choose_replaced();
    for (const Node n : nodes_)
      add_node(n);
    dice_.shuffle(p_.match);
    add_inputs();
    add_guards();
    add_rewrite();
    fold_through();
    for (const std::string& d : dims_)
      p_.dims.push_back(d);
    return std::move(p_);
  }

 private:
  static std::string name(Value v) { return "v" + std::to_string(v.index); }
  bool is_chosen(Node n) const { return std::find(nodes_.begin(), nodes_.end(), n) != nodes_.end(); }
  bool is_kept(Node n) const { return std::find(kept_.begin(), kept_.end(), n) != kept_.end(); }
  bool is_replaced(Value v) const { return std::find(replaced_.begin(), replaced_.end(), v) != replaced_.end(); }
  /// Used by a node that is not part of the match, or by the outputs.
  bool has_outside_users(Value v) const {
    for (const Use use : g_.uses(v)) {
      if (!is_chosen(use.user))
        return true;
    }
    return false;
  }

  void choose_nodes() {
    std::vector<Node> all;
    for (Node n : g_.nodes())
      all.push_back(n);
    nodes_.push_back(dice_.one_of(all));
    for (std::size_t more = dice_.below(4); more != 0; --more) {
      std::vector<Node> around;
      auto consider = [&](Node n) {
        if (n && n != g_.return_node() && !is_chosen(n))
          around.push_back(n);
      };
      for (const Node n : nodes_) {
        for (std::size_t i = 0; i < g_.num_operands(n); ++i) {
          consider(g_.def_node(g_.operand(n, i)));
          for (const Use use : g_.uses(g_.operand(n, i)))
            consider(use.user);
        }
        for (std::size_t i = 0; i < g_.num_results(n); ++i) {
          for (const Use use : g_.uses(g_.result(n, i)))
            consider(use.user);
        }
      }
      if (around.empty())
        break;
      nodes_.push_back(dice_.one_of(around));
    }
    std::sort(nodes_.begin(), nodes_.end(), [&](Node a, Node b) { return g_.comes_before(a, b); });
  }

  void choose_kept() {
    for (const Node n : nodes_) {
      if (dice_.chance(20) && kept_.size() + 1 < nodes_.size())
        kept_.push_back(n);
    }
  }

  void choose_replaced() {
    std::vector<Value> results;
    for (const Node n : nodes_) {
      if (is_kept(n))
        continue;
      for (std::size_t i = 0; i < g_.num_results(n); ++i) {
        const Value v = g_.result(n, i);
        results.push_back(v);
        if (dice_.chance(has_outside_users(v) ? 90 : 15))
          replaced_.push_back(v);
      }
    }
    if (replaced_.empty())
      replaced_.push_back(dice_.one_of(results));
  }

  void add_node(Node n) {
    Clause clause;
    NodePattern& node = clause.node;
    node.op = g_.def(n).name;
    node.keep = is_kept(n);
    for (std::size_t i = 0; i < g_.num_operands(n); ++i)
      node.operands.push_back(name(g_.operand(n, i)));
    for (std::size_t i = 0; i < g_.num_results(n); ++i) {
      const Value v = g_.result(n, i);
      const bool unnamed = node.keep && g_.num_uses(v) == 0 && dice_.chance(30);
      node.results.push_back(unnamed ? "_" : name(v));
      node.types.push_back(dice_.chance(20) && !unnamed ? type_of(v) : TypePattern{});
    }
    for (std::size_t i = 0; i < g_.def(n).attrs.size(); ++i)
      add_attr(n, i, node);
    dice_.shuffle(node.attrs);
    // A comparison stands behind what fixes or captures the same attribute.
    std::stable_sort(node.attrs.begin(), node.attrs.end(), [](const AttrPattern& a, const AttrPattern& b) {
      return a.compare == Compare::equal && b.compare != Compare::equal;
    });
    p_.match.push_back(std::move(clause));
  }

  void add_attr(Node n, std::size_t i, NodePattern& node) {
    const AttrDef& def = g_.def(n).attrs[i];
    const Attribute have = g_.attr(n, i);
    if (have == def.default_value && dice_.chance(70))
      return;  // closed: the default
    if (node.keep && dice_.chance(15)) {
      node.attrs.push_back({def.name, Compare::any, {}, {}});
      return;
    }
    AttrPattern a{def.name, Compare::equal, {}, {}};
    if (have.kind() == AttrKind::dims) {
      a.value.kind = Expr::Kind::list;
      for (Dim d : have.dims())
        a.value.args.push_back(def.name == "perm" ? integer(d.constant()) : dim_expr(d.constant()));
    } else if (have.kind() == AttrKind::dim && dice_.chance(40)) {
      a.value = dim_expr(have.dim().constant());
    } else if (dice_.chance(45) || have.kind() == AttrKind::dtype) {
      a.value = capture(have);
    } else {
      a.value = literal(have);
    }
    node.attrs.push_back(a);
    const bool number = have.kind() == AttrKind::integer || have.kind() == AttrKind::real;
    if (number && dice_.chance(15)) {
      const Compare how = dice_.one_of(std::vector{Compare::less_equal, Compare::greater_equal, Compare::not_equal});
      AttrPattern bound{def.name, how, literal(have), {}};
      if (how == Compare::not_equal && have.kind() == AttrKind::integer)
        bound.value = integer(have.integer() + 1);
      node.attrs.push_back(std::move(bound));
    }
  }

  Expr literal(Attribute a) {
    Expr e;
    switch (a.kind()) {
      case AttrKind::boolean:
        e.kind = Expr::Kind::boolean;
        e.boolean = a.boolean();
        return e;
      case AttrKind::real:
        e.kind = Expr::Kind::real;
        e.real = a.real();
        return e;
      case AttrKind::dim: return integer(a.dim().constant());
      default: return integer(a.integer());
    }
  }

  /// A new capture, or (often) one that has this value already.
  Expr capture(Attribute a) {
    for (const auto& [text, value] : captures_) {
      if (value == a && dice_.chance(50))
        return named(Expr::Kind::capture, text);
    }
    captures_.emplace_back("k" + std::to_string(captures_.size()), a);
    return named(Expr::Kind::capture, captures_.back().first);
  }

  /// An expression that is `n` here: a number, a variable, a sum of both.
  Expr dim_expr(std::int64_t n) {
    if (dice_.chance(30))
      return integer(n);
    for (const std::string& d : dims_) {
      const std::int64_t value = dim_values_.at(d);
      if (dice_.chance(40) && value != n && n > value)
        return binary(Expr::Kind::add, named(Expr::Kind::name, d), integer(n - value));
      if (value == n && dice_.chance(70))
        return named(Expr::Kind::name, d);
    }
    const std::string d = "D" + std::to_string(dims_.size());
    dims_.push_back(d);
    dim_values_[d] = n;
    if (n % 2 == 0 && dice_.chance(15)) {
      dim_values_[d] = n / 2;
      return binary(Expr::Kind::mul, integer(2), named(Expr::Kind::name, d));
    }
    return named(Expr::Kind::name, d);
  }

  TypePattern type_of(Value v) {
    TypePattern t;
    const TensorType have = g_.type(v);
    if (dice_.chance(60)) {
      const std::string variable = have.dtype == DType::f64 ? "T" : "S";
      t.dtype = dice_.chance(30) ? std::string(to_string(have.dtype)) : variable;
      if (t.dtype == variable &&
          std::none_of(p_.types.begin(), p_.types.end(), [&](const TypeVariable& x) { return x.name == variable; })) {
        p_.types.push_back(
            {variable, dice_.chance(50) ? std::vector<std::string>{"f32", "f64"} : std::vector<std::string>{}});
      }
    }
    t.has_shape = dice_.chance(70);
    if (!t.has_shape)
      return t;
    t.open = dice_.chance(40);
    for (std::size_t i = t.open ? dice_.below(have.shape.rank() + 1) : 0; i < have.shape.rank(); ++i)
      t.dims.push_back(dim_expr(have.shape[i].constant()));
    return t;
  }

  void add_inputs() {
    std::vector<Value> seen;
    for (const Node n : nodes_) {
      for (std::size_t i = 0; i < g_.num_operands(n); ++i) {
        const Value v = g_.operand(n, i);
        const Node def = g_.def_node(v);
        if ((def && is_chosen(def)) || std::find(seen.begin(), seen.end(), v) != seen.end())
          continue;
        seen.push_back(v);
        if (dice_.chance(50))
          p_.inputs.push_back({name(v), type_of(v), {}});
      }
    }
  }

  void add_guards() {
    for (const auto& [text, value] : captures_) {
      if (value.kind() != AttrKind::integer || !dice_.chance(25))
        continue;
      Guard guard;
      guard.compare = dice_.one_of(std::vector{Compare::less, Compare::greater_equal, Compare::equal});
      guard.negated = dice_.chance(30);
      guard.args = {named(Expr::Kind::capture, text),
                    integer(value.integer() + static_cast<std::int64_t>(dice_.below(2)))};
      p_.where.push_back(std::move(guard));
    }
    if (dice_.chance(20)) {
      const Node n = dice_.one_of(nodes_);
      const Value v = dice_.chance(50) ? g_.result(n, dice_.below(g_.num_results(n)))
                                       : g_.operand(n, dice_.below(g_.num_operands(n)));
      const auto named_here = [&](const Clause& c) {
        const auto& results = c.node.results;
        return !is_chosen(g_.def_node(v)) || std::find(results.begin(), results.end(), name(v)) != results.end();
      };
      if (std::any_of(p_.match.begin(), p_.match.end(), named_here)) {
        Guard guard;
        guard.compare = dice_.one_of(std::vector{Compare::less_equal, Compare::greater_equal, Compare::equal});
        guard.negated = dice_.chance(15);
        guard.args = {named(Expr::Kind::uses, name(v)), integer(static_cast<std::int64_t>(g_.num_uses(v)))};
        p_.where.push_back(std::move(guard));
      }
    }
    if (dice_.chance(15)) {
      const Node n = dice_.one_of(nodes_);
      const Value v = g_.operand(n, dice_.below(g_.num_operands(n)));
      Clause clause;
      clause.kind = Clause::Kind::unless;
      NodePattern node;
      node.results = {"other"};
      node.op = dice_.chance(50) ? "neg" : "exp";
      node.operands = {name(v)};
      Clause inner;
      inner.node = std::move(node);
      clause.branches = {{std::move(inner)}};
      p_.match.push_back(std::move(clause));
    }
  }

  void add_rewrite() {
    for (const Node n : nodes_) {
      if (is_kept(n))
        continue;
      RewriteNode made;
      made.op = "alt_" + g_.def(n).name;
      for (std::size_t i = 0; i < g_.num_results(n); ++i)
        made.results.push_back("new_" + name(g_.result(n, i)));
      for (std::size_t i = 0; i < g_.num_operands(n); ++i) {
        const Value v = g_.operand(n, i);
        const Node def = g_.def_node(v);
        const bool gone = def && is_chosen(def) && !is_kept(def);
        made.operands.push_back(gone ? "new_" + name(v) : name(v));
      }
      const auto source = std::find_if(p_.match.begin(), p_.match.end(), [&](const Clause& c) {
        return c.kind == Clause::Kind::node && !c.node.results.empty() && c.node.results[0] == name(g_.result(n, 0));
      });
      for (const AttrPattern& a : source->node.attrs) {
        if (a.compare == Compare::equal)
          made.attrs.push_back(a);
      }
      p_.rewrite.push_back(std::move(made));
    }
    for (const Value v : replaced_)
      p_.replacements.push_back({name(v), "new_" + name(v), {}});
  }

  /// A node that does nothing but stand between a value and its one reader may be said with the reader.
  void fold_through() {
    for (std::size_t i = 0; i < p_.match.size(); ++i) {
      const NodePattern x = p_.match[i].node;
      const bool plain = p_.match[i].kind == Clause::Kind::node && !x.keep && x.operands.size() == 1 &&
                         x.results.size() == 1 && x.types == std::vector<TypePattern>{{}};
      if (!plain || !dice_.chance(50) || is_spoken_of(x.results[0]))
        continue;
      NodePattern* reader = nullptr;
      std::size_t operand = 0, readers = 0;
      for (Clause& c : p_.match) {
        for (std::size_t k = 0; k < c.node.operands.size(); ++k) {
          if (c.node.operands[k] != x.results[0])
            continue;
          ++readers;
          reader = &c.node;
          operand = k;
        }
        readers += c.kind == Clause::Kind::unless && c.branches[0][0].node.operands[0] == x.results[0] ? 2 : 0;
      }
      if (readers != 1)
        continue;
      const auto at = std::find_if(reader->through.begin(), reader->through.end(),
                                   [&](const ThroughPattern& t) { return t.operand >= operand; });
      reader->operands[operand] = x.operands[0];
      reader->through.insert(at, {operand, x.op, x.attrs, false, {}});
      // What stood between that node and its operand stands first.
      for (std::size_t t = x.through.size(); t-- > 0;) {
        ThroughPattern step = x.through[t];
        step.operand = operand;
        const auto first = std::find_if(reader->through.begin(), reader->through.end(),
                                        [&](const ThroughPattern& s) { return s.operand >= operand; });
        reader->through.insert(first, std::move(step));
      }
      p_.match.erase(p_.match.begin() + static_cast<std::ptrdiff_t>(i--));
    }
  }

  /// By the right side, other than as what new nodes compute again, or by a condition.
  bool is_spoken_of(const std::string& value) const {
    const auto is_it = [&](const Expr& e) { return e.text == value; };
    return std::any_of(p_.replacements.begin(), p_.replacements.end(),
                       [&](const Replacement& r) { return r.matched == value; }) ||
           std::any_of(p_.rewrite.begin(), p_.rewrite.end(),
                       [&](const RewriteNode& n) {
                         return std::find(n.operands.begin(), n.operands.end(), value) != n.operands.end();
                       }) ||
           std::any_of(p_.where.begin(), p_.where.end(),
                       [&](const Guard& g) { return std::any_of(g.args.begin(), g.args.end(), is_it); });
  }

  const Graph& g_;
  Dice& dice_;
  Pattern p_;
  std::vector<Node> nodes_, kept_;
  std::vector<Value> replaced_;
  std::vector<std::pair<std::string, Attribute>> captures_;
  std::vector<std::string> dims_;
  std::map<std::string, std::int64_t> dim_values_;
};

}  // namespace

std::shared_ptr<Context> context_with_twins() {
  auto context = Context::create();
  for (const char* const op : twin_ops) {
    const OpDef def = context->op(context->require_op(op));
    context->register_op({.name = "alt_" + def.name,
                          .signature = def.signature,
                          .traits = def.traits,
                          .infer = def.infer,
                          .doc = "The same under another name."});
  }
  return context;
}

RandomFusion random_fusion(const std::shared_ptr<Context>& context, std::uint64_t seed) {
  Dice dice(seed);
  Graph graph = GraphMaker(context, dice).make();
  Pattern pattern = FusionMaker(graph, dice).make();
  return {std::move(graph), std::move(pattern)};
}

}  // namespace tandem::test
