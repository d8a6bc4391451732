#include "tests/support/random_fusion.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/random_spelling.h"
#include "tests/support/random_through.h"

namespace tandem::test {

namespace {

class FusionMaker {
 public:
  FusionMaker(const Graph& graph, Dice& dice) : g_(graph), dice_(dice), say_(graph, dice) {}

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
    fold_through(p_, dice_);
    p_.dims = say_.dims();
    p_.types = say_.types();
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
      node.types.push_back(dice_.chance(20) && !unnamed ? say_.type_of(v) : TypePattern{});
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
        a.value.args.push_back(def.name == "perm" ? integer(d.constant()) : say_.dim_expr(d.constant()));
    } else if (have.kind() == AttrKind::dim && dice_.chance(40)) {
      a.value = say_.dim_expr(have.dim().constant());
    } else if (dice_.chance(45) || have.kind() == AttrKind::dtype) {
      a.value = say_.capture(have);
    } else {
      a.value = say_.literal(have);
    }
    node.attrs.push_back(a);
    const bool number = have.kind() == AttrKind::integer || have.kind() == AttrKind::real;
    if (number && dice_.chance(15)) {
      const Compare how = dice_.one_of(std::vector{Compare::less_equal, Compare::greater_equal, Compare::not_equal});
      AttrPattern bound{def.name, how, say_.literal(have), {}};
      if (how == Compare::not_equal && have.kind() == AttrKind::integer)
        bound.value = integer(have.integer() + 1);
      node.attrs.push_back(std::move(bound));
    }
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
          p_.inputs.push_back({name(v), say_.type_of(v), {}});
      }
    }
  }

  void add_guards() {
    for (const auto& [text, value] : say_.captures()) {
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

  const Graph& g_;
  Dice& dice_;
  RandomSpelling say_;
  Pattern p_;
  std::vector<Node> nodes_, kept_;
  std::vector<Value> replaced_;
};

}  // namespace

RandomFusion random_fusion(const std::shared_ptr<Context>& context, std::uint64_t seed) {
  Dice dice(seed);
  Graph graph = random_twin_graph(context, dice);
  Pattern pattern = FusionMaker(graph, dice).make();
  return {std::move(graph), std::move(pattern)};
}

}  // namespace tandem::test
