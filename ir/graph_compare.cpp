// Whether two graphs are the same.

#include <algorithm>

#include <tandem/ir/graph.h>

namespace tandem {

namespace {

/// Compares two graphs by what they print as: attributes and types by value when the contexts differ.
class Comparison {
 public:
  Comparison(const Graph& a, const Graph& b)
      : a_(a), b_(b), same_context_(&a.context() == &b.context()), b_of_a_(a.value_capacity()) {}

  bool equal() {
    if (a_.name() != b_.name() || a_.num_nodes() != b_.num_nodes() || a_.num_outputs() != b_.num_outputs() ||
        a_.inputs().size() != b_.inputs().size() || a_.weights().size() != b_.weights().size() || !same_symbols()) {
      return false;
    }
    for (std::size_t i = 0; i < a_.inputs().size(); ++i) {
      if (!same_definition(a_.inputs()[i], b_.inputs()[i]))
        return false;
    }
    for (std::size_t i = 0; i < a_.weights().size(); ++i) {
      const Weight &x = a_.weights()[i], &y = b_.weights()[i];
      if (x.key.view() != y.key.view() || !same_definition(x.value, y.value))
        return false;
    }
    Node y = b_.first();
    for (Node x : a_.nodes()) {
      if (!same_node(x, y))
        return false;
      y = b_.next(y);
    }
    for (std::size_t i = 0; i < a_.num_outputs(); ++i) {
      if (b_of_a_[a_.output(i).index] != b_.output(i))
        return false;
    }
    return true;
  }

 private:
  bool same_symbols() const {
    if (a_.symbols().size() != b_.symbols().size())
      return false;
    for (const SymbolRange& s : a_.symbols()) {
      const auto it = std::find_if(b_.symbols().begin(), b_.symbols().end(),
                                   [&](const SymbolRange& t) { return t.symbol.view() == s.symbol.view(); });
      if (it == b_.symbols().end() || it->range != s.range)
        return false;
    }
    return true;
  }
  bool same_definition(Value x, Value y) {
    if (a_.name(x).view() != b_.name(y).view())
      return false;
    const TensorType &s = a_.type(x), &t = b_.type(y);
    if (same_context_ ? s != t : to_string(s) != to_string(t))
      return false;
    b_of_a_[x.index] = y;
    return true;
  }
  bool same_node(Node x, Node y) {
    if (a_.def(x).name != b_.def(y).name || a_.num_operands(x) != b_.num_operands(y) ||
        a_.num_results(x) != b_.num_results(y) || a_.scope(x).view() != b_.scope(y).view() ||
        a_.attrs(x).size() != b_.attrs(y).size()) {
      return false;
    }
    for (std::size_t i = 0; i < a_.num_operands(x); ++i) {
      if (b_of_a_[a_.operand(x, i).index] != b_.operand(y, i))
        return false;
    }
    for (std::size_t i = 0; i < a_.attrs(x).size(); ++i) {
      const Attribute s = a_.attr(x, i), t = b_.attr(y, i);
      if (same_context_ ? s != t : (s.kind() != t.kind() || to_string(s) != to_string(t)))
        return false;
    }
    for (std::size_t i = 0; i < a_.num_results(x); ++i) {
      if (!same_definition(a_.result(x, i), b_.result(y, i)))
        return false;
    }
    return true;
  }

  const Graph& a_;
  const Graph& b_;
  bool same_context_;
  std::vector<Value> b_of_a_;
};

}  // namespace

bool structurally_equal(const Graph& a, const Graph& b) {
  return Comparison(a, b).equal();
}

}  // namespace tandem
