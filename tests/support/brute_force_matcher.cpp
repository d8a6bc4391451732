#include "tests/support/brute_force_matcher.h"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

namespace tandem::test {

namespace {

class BruteForce {
 public:
  BruteForce(const CompiledVariant& variant, const Graph& graph)
      : v_(variant), g_(graph), values_(variant.values.size()) {}

  std::set<std::vector<std::uint32_t>> run() {
    assign(0);
    return std::move(found_);
  }

 private:
  using Bound = std::vector<std::optional<Value>>;

  void assign(std::size_t i) {
    if (i == v_.nodes.size()) {
      if (holds()) {
        std::vector<std::uint32_t>& match = indices_;
        match.clear();
        for (Node n : nodes_)
          match.push_back(n.index);
        found_.insert(match);
      }
      return;
    }
    const PatternNode& p = v_.nodes[i];
    for (Node n : g_.nodes()) {
      if (g_.op(n) != p.op || std::find(nodes_.begin(), nodes_.end(), n) != nodes_.end())
        continue;
      const std::size_t operands = g_.num_operands(n), results = g_.num_results(n);
      if (p.rest_operands >= 0 ? operands < p.operands.size() : operands != p.operands.size())
        continue;
      if (p.rest_results ? results < p.results.size() : results != p.results.size())
        continue;
      for (const bool swap : {false, true}) {
        if (swap && (!g_.def(n).has(trait::commutative) || p.operands.size() < 2))
          continue;
        const Bound before = values_;
        if (bind(p, n, swap)) {
          nodes_.push_back(n);
          assign(i + 1);
          nodes_.pop_back();
        }
        values_ = before;
      }
    }
  }

  bool bind(const PatternNode& p, Node n, bool swap) {
    for (std::size_t r = 0; r < p.results.size(); ++r) {
      if (p.results[r] >= 0 && !bind(p.results[r], g_.result(n, r)))
        return false;
    }
    for (std::size_t k = 0; k < p.operands.size(); ++k) {
      if (!bind(p.operands[k], g_.operand(n, swap && k < 2 ? 1 - k : k)))
        return false;
    }
    return true;
  }
  bool bind(int value, Value v) {
    std::optional<Value>& bound = values_[static_cast<std::size_t>(value)];
    if (bound)
      return *bound == v;
    // What a node of the pattern defines is a result of that node, and an input may be anything.
    bound = v;
    return true;
  }

  bool holds() {
    captures_.clear();
    dims_.clear();
    dtypes_.clear();
    equations_.clear();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!attributes_hold(v_.nodes[i], nodes_[i]))
        return false;
    }
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (!type_holds(v_.values[i].type, g_.type(*values_[i])))
        return false;
    }
    return equations_hold() && uses_hold() && guards_hold() && negative_parts_hold();
  }

  // --- attributes

  bool attributes_hold(const PatternNode& p, Node n) {
    const OpDef& def = g_.def(n);
    for (std::size_t i = 0; i < def.attrs.size(); ++i) {
      bool mentioned = false;
      for (const AttrPattern& a : p.source->attrs) {
        if (a.name != def.attrs[i].name)
          continue;
        mentioned = true;
        if (!attribute_holds(a, n, g_.attr(n, i)))
          return false;
      }
      if (!mentioned && g_.attr(n, i) != def.attrs[i].default_value)
        return false;
    }
    return true;
  }

  bool attribute_holds(const AttrPattern& a, Node n, Attribute have) {
    switch (a.compare) {
      case Compare::any: return true;
      case Compare::one_of:
        return std::any_of(a.value.args.begin(), a.value.args.end(),
                           [&](const Expr& e) { return equals_literal(a.name, e, n, have, false); });
      case Compare::equal: break;
      default: return compare(a.compare, number(have), number(a.value));
    }
    if (a.value.kind == Expr::Kind::capture) {
      const auto [it, added] = captures_.emplace(a.value.text, have);
      return added || it->second == have;
    }
    if (have.kind() == AttrKind::dims) {
      const auto dims = have.dims().dims();
      const bool open = !a.value.args.empty() && a.value.args.back().kind == Expr::Kind::rest;
      const std::size_t count = a.value.args.size() - (open ? 1 : 0);
      if (open ? dims.size() < count : dims.size() != count)
        return false;
      for (std::size_t i = 0; i < count; ++i)
        equations_.emplace_back(&a.value.args[i], dims[i].constant());
      return true;
    }
    if (have.kind() == AttrKind::dim) {
      equations_.emplace_back(&a.value, have.dim().constant());
      return true;
    }
    return equals_literal(a.name, a.value, n, have, true);
  }

  bool equals_literal(const std::string& name, const Expr& e, Node n, Attribute have, bool wrap_axis) {
    if (have.kind() == AttrKind::boolean)
      return have.boolean() == e.boolean;
    if (wrap_axis && name == "axis") {
      const auto rank = static_cast<double>(g_.type(g_.operand(n, 0)).shape.rank());
      auto wrapped = [&](double axis) { return axis < 0 ? axis + rank : axis; };
      return wrapped(number(have)) == wrapped(number(e));
    }
    return number(have) == number(e);
  }

  static double number(Attribute a) {
    switch (a.kind()) {
      case AttrKind::integer: return static_cast<double>(a.integer());
      case AttrKind::dim: return static_cast<double>(a.dim().constant());
      case AttrKind::real: return a.real();
      default: throw std::logic_error("no number");
    }
  }
  static double number(const Expr& e) {
    switch (e.kind) {
      case Expr::Kind::integer: return static_cast<double>(e.integer);
      case Expr::Kind::real: return e.real;
      default: throw std::logic_error("no number");
    }
  }
  static bool compare(Compare how, double a, double b) {
    switch (how) {
      case Compare::equal: return a == b;
      case Compare::not_equal: return a != b;
      case Compare::less: return a < b;
      case Compare::less_equal: return a <= b;
      case Compare::greater: return a > b;
      case Compare::greater_equal: return a >= b;
      default: return false;
    }
  }

  // --- types and dims

  bool type_holds(const TypePattern& t, const TensorType& have) {
    if (!t.dtype.empty()) {
      if (const auto dtype = parse_dtype(t.dtype)) {
        if (*dtype != have.dtype)
          return false;
      } else {
        const auto& types = v_.source.pattern.types;
        const auto variable =
            std::find_if(types.begin(), types.end(), [&](const TypeVariable& x) { return x.name == t.dtype; });
        const auto& among = variable->dtypes;
        if (!among.empty() && std::find(among.begin(), among.end(), to_string(have.dtype)) == among.end())
          return false;
        const auto [it, added] = dtypes_.emplace(t.dtype, have.dtype);
        if (!added && it->second != have.dtype)
          return false;
      }
    }
    if (!t.has_shape)
      return true;
    const std::size_t rank = have.shape.rank();
    if (t.open ? rank < t.dims.size() : rank != t.dims.size())
      return false;
    for (std::size_t i = 0; i < t.dims.size(); ++i)
      equations_.emplace_back(&t.dims[i], have.shape[rank - t.dims.size() + i].constant());
    return true;
  }

  /// Finds the variables one after another: what an equation leaves open for its one unknown is tried out.
  bool equations_hold() {
    for (bool progress = true; progress;) {
      progress = false;
      for (const auto& [expr, number] : equations_) {
        std::set<std::string> unknown;
        collect_unknown(*expr, unknown);
        if (unknown.size() != 1)
          continue;
        const std::string& name = *unknown.begin();
        for (std::int64_t x = 0; x <= number; ++x) {  // no expression is below its variables
          dims_[name] = x;
          if (value(*expr) == number)
            break;
          dims_.erase(name);
        }
        if (!dims_.contains(name))
          return false;
        progress = true;
      }
    }
    return std::all_of(equations_.begin(), equations_.end(), [&](const auto& e) {
      std::set<std::string> unknown;
      collect_unknown(*e.first, unknown);
      return unknown.empty() && value(*e.first) == e.second;
    });
  }
  void collect_unknown(const Expr& e, std::set<std::string>& out) const {
    if (e.kind == Expr::Kind::name && !dims_.contains(e.text))
      out.insert(e.text);
    for (const Expr& a : e.args)
      collect_unknown(a, out);
  }
  std::int64_t value(const Expr& e) const {
    switch (e.kind) {
      case Expr::Kind::integer: return e.integer;
      case Expr::Kind::name: return dims_.at(e.text);
      case Expr::Kind::add: return value(e.args[0]) + value(e.args[1]);
      case Expr::Kind::sub: return value(e.args[0]) - value(e.args[1]);
      case Expr::Kind::mul: return value(e.args[0]) * value(e.args[1]);
      default: throw std::logic_error("no dim");
    }
  }

  // --- users, guards, negative parts

  bool uses_hold() const {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const PatternNode& p = v_.nodes[i];
      if (p.keep || p.recompute)
        continue;
      for (std::size_t r = 0; r < p.results.size(); ++r) {
        const int id = p.results[r];
        if (id >= 0 && v_.values[static_cast<std::size_t>(id)].replaced)
          continue;
        // A matched node that reads the value under another name (as an input of the match) is a user outside it.
        std::size_t named = 0;
        for (const PatternNode& reader : v_.nodes)
          named += static_cast<std::size_t>(std::count(reader.operands.begin(), reader.operands.end(), id));
        if (g_.num_uses(g_.result(nodes_[i], r)) != (id < 0 ? 0 : named))
          return false;
      }
    }
    return true;
  }

  bool guards_hold() const {
    const auto& guards = v_.source.pattern.where;
    return std::all_of(guards.begin(), guards.end(), [&](const Guard& guard) {
      const std::string& name = guard.args[0].text;
      const double left = guard.args[0].kind == Expr::Kind::uses ? uses_of(name) : number(captures_.at(name));
      return compare(guard.compare, left, number(guard.args[1])) != guard.negated;
    });
  }

  double uses_of(const std::string& name) const {
    const auto it =
        std::find_if(v_.values.begin(), v_.values.end(), [&](const PatternValue& x) { return x.name == name; });
    double count = 0;
    for ([[maybe_unused]] const Use use : g_.uses(*values_[static_cast<std::size_t>(it - v_.values.begin())]))
      ++count;
    return count;
  }

  bool negative_parts_hold() const {
    for (const Clause& c : v_.source.pattern.match) {
      if (c.kind != Clause::Kind::unless)
        continue;
      const NodePattern& node = c.branches[0][0].node;
      const auto value = std::find_if(v_.values.begin(), v_.values.end(),
                                      [&](const PatternValue& x) { return x.name == node.operands[0]; });
      for (const Use use : g_.uses(*values_[static_cast<std::size_t>(value - v_.values.begin())])) {
        if (use.user != g_.return_node() && g_.def(use.user).name == node.op)
          return false;
      }
    }
    return true;
  }

  const CompiledVariant& v_;
  const Graph& g_;
  Bound values_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> indices_;
  std::map<std::string, Attribute> captures_;
  std::map<std::string, std::int64_t> dims_;
  std::map<std::string, DType> dtypes_;
  std::vector<std::pair<const Expr*, std::int64_t>> equations_;
  std::set<std::vector<std::uint32_t>> found_;
};

}  // namespace

std::set<std::vector<std::uint32_t>> brute_force_matches(const CompiledVariant& variant, const Graph& graph) {
  return BruteForce(variant, graph).run();
}

}  // namespace tandem::test
