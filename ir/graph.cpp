#include <tandem/ir/graph.h>

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

// Neighbours in the order are numbered this far apart, so that insertions between them rarely renumber.
constexpr std::uint64_t order_gap = std::uint64_t{1} << 20;
constexpr std::uint64_t order_of_return = ~std::uint64_t{0};

}  // namespace

Graph::Graph(std::shared_ptr<Context> context, std::string_view name) : context_(std::move(context)), name_(name) {
  NodeData& head = nodes_.emplace_back();
  head.op = op::return_;
  head.order = order_of_return;
  head.prev = head.next = 0;
}

// --- symbols
// -------------------------------------------------------------------------------------------------------------

void Graph::set_range(Symbol symbol, DimRange range) {
  if (range.min < 0 || range.min > range.max) {
    throw Error("graph.dim-range",
                fmt::format("dim '{}' has an empty or negative range {}..{}", symbol.view(), range.min, range.max),
                "give a minimum of at least 0 and a maximum not below it");
  }
  ++edits_;
  for (SymbolRange& s : symbols_) {
    if (s.symbol == symbol) {
      s.range = range;
      return;
    }
  }
  symbols_.push_back({symbol, range});
}

DimRange Graph::range(Symbol symbol) const {
  for (const SymbolRange& s : symbols_) {
    if (s.symbol == symbol)
      return s.range;
  }
  return {};
}

// --- values
// ----------------------------------------------------------------------------------------------------------------

Value Graph::new_value(TensorType type, Symbol name, ValueKind kind, std::uint32_t def, std::uint32_t position) {
  const std::uint32_t index = values_.allocate(1);
  ValueData& v = values_[index];
  const std::uint32_t generation = v.generation;
  v = ValueData{};
  v.type = type;
  v.name = name;
  v.generation = generation;
  v.def = def;
  v.position = position;
  v.kind = kind;
  return {index, generation};
}

Value Graph::add_input(TensorType type, Symbol name) {
  ++edits_;
  inputs_.push_back(new_value(type, name, ValueKind::input, no_index, static_cast<std::uint32_t>(inputs_.size())));
  return inputs_.back();
}

Value Graph::add_weight(TensorType type, Symbol name, Symbol key) {
  ++edits_;
  weights_.push_back(
      {new_value(type, name, ValueKind::weight, no_index, static_cast<std::uint32_t>(weights_.size())), key});
  return weights_.back().value;
}

void Graph::erase_weight(Value weight) {
  const ValueData& d = data(weight);
  if (d.kind != ValueKind::weight)
    internal_error("erase_weight of a value that is no weight");
  if (d.num_uses != 0)
    internal_error("erase_weight of a weight that is used");
  ++edits_;
  weights_.erase(weights_.begin() + d.position);
  for (std::uint32_t i = d.position; i < weights_.size(); ++i)
    values_[weights_[i].value.index].position = i;
  ++values_[weight.index].generation;
  values_[weight.index].kind = ValueKind::dead;
  values_.release(weight.index, 1);
}

void Graph::set_outputs(std::span<const Value> outputs) {
  for (Value v : outputs)
    data(v);  // all live, or nothing changes
  ++edits_;
  NodeData& head = nodes_[0];
  for (std::uint32_t i = 0; i < head.num_operands; ++i)
    unlink_use(head.first_operand + i);
  operands_.release(head.first_operand, head.num_operands);
  head.num_operands = static_cast<std::uint32_t>(outputs.size());
  head.first_operand = operands_.allocate(head.num_operands);
  for (std::uint32_t i = 0; i < outputs.size(); ++i) {
    operands_[head.first_operand + i].node = 0;
    link_use(head.first_operand + i, outputs[i]);
  }
}

// --- nodes
// -----------------------------------------------------------------------------------------------------------------

void Graph::require_defined_before(Value value, std::uint64_t order) const {
  const ValueData& d = data(value);
  if (d.def != no_index && nodes_[d.def].order >= order) {
    internal_error("an edit would use a value before it is defined");
  }
}

Node Graph::create(OpId op, std::span<const Value> operands, std::span<const Attribute> attrs,
                   std::span<const TensorType> result_types, Node before, Symbol scope) {
  const std::uint32_t next = before ? (data(before), before.index) : 0;
  // New nodes stand after all nodes before `next`: an operand must be defined there.
  for (Value v : operands)
    require_defined_before(v, nodes_[next].order);
  ++edits_;

  std::uint32_t index = 0;
  if (free_nodes_.empty()) {
    index = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    index = free_nodes_.back();
    free_nodes_.pop_back();
  }
  const auto num_operands = static_cast<std::uint32_t>(operands.size());
  const auto num_results = static_cast<std::uint32_t>(result_types.size());
  const auto num_attrs = static_cast<std::uint32_t>(attrs.size());
  const std::uint32_t first_operand = operands_.allocate(num_operands);
  const std::uint32_t first_result = values_.allocate(num_results);
  const std::uint32_t first_attr = attrs_.allocate(num_attrs);

  NodeData& n = nodes_[index];
  n.scope = scope;
  n.first_operand = first_operand;
  n.num_operands = num_operands;
  n.first_result = first_result;
  n.num_results = num_results;
  n.first_attr = first_attr;
  n.op = op;
  n.num_attrs = static_cast<std::uint16_t>(num_attrs);

  for (std::uint32_t i = 0; i < num_operands; ++i) {
    operands_[first_operand + i].node = index;
    link_use(first_operand + i, operands[i]);
  }
  for (std::uint32_t i = 0; i < num_results; ++i) {
    ValueData& v = values_[first_result + i];
    const std::uint32_t generation = v.generation;
    v = ValueData{};
    v.type = result_types[i];
    v.generation = generation;
    v.def = index;
    v.position = i;
    v.kind = ValueKind::result;
  }
  std::copy(attrs.begin(), attrs.end(), attrs_.data() + first_attr);

  if (op.index >= op_index_.size())
    op_index_.resize(std::size_t{op.index} + 1U);
  OpList& list = op_index_[op.index];
  n.prev_same_op = list.last;
  n.next_same_op = no_index;
  (list.last == no_index ? list.first : nodes_[list.last].next_same_op) = index;
  list.last = index;
  ++list.count;

  link_order(index, next);
  ++num_nodes_;
  return {index, n.generation};
}

void Graph::erase(Node node) {
  NodeData& n = data(node);
  if (node.index == 0)
    internal_error("erase of the return node");
  for (std::uint32_t i = 0; i < n.num_results; ++i) {
    if (values_[n.first_result + i].num_uses != 0)
      internal_error("erase of a node whose results are used");
  }
  ++edits_;
  for (std::uint32_t i = 0; i < n.num_operands; ++i)
    unlink_use(n.first_operand + i);
  for (std::uint32_t i = 0; i < n.num_results; ++i) {
    ++values_[n.first_result + i].generation;
    values_[n.first_result + i].kind = ValueKind::dead;
  }
  OpList& list = op_index_[n.op.index];
  (n.prev_same_op == no_index ? list.first : nodes_[n.prev_same_op].next_same_op) = n.next_same_op;
  (n.next_same_op == no_index ? list.last : nodes_[n.next_same_op].prev_same_op) = n.prev_same_op;
  --list.count;

  unlink_order(node.index);
  operands_.release(n.first_operand, n.num_operands);
  values_.release(n.first_result, n.num_results);
  attrs_.release(n.first_attr, n.num_attrs);
  ++n.generation;
  n.next = no_index;
  n.prev = no_index;
  free_nodes_.push_back(node.index);
  --num_nodes_;
}

void Graph::move_before(Node node, Node before) {
  const NodeData& n = data(node);
  if (node.index == 0)
    internal_error("move of the return node");
  const std::uint32_t next = before ? (data(before), before.index) : 0;
  if (next == node.index || n.next == next)
    return;
  const std::uint64_t bound = nodes_[next].order;
  for (std::uint32_t i = 0; i < n.num_operands; ++i) {
    require_defined_before(handle_of_value(operands_[n.first_operand + i].value), bound);
  }
  for (std::uint32_t i = 0; i < n.num_results; ++i) {
    for (Use use : uses(handle_of_value(n.first_result + i))) {
      if (nodes_[use.user.index].order < bound)
        internal_error("a move would put a node after its user");
    }
  }
  ++edits_;
  unlink_order(node.index);
  link_order(node.index, next);
}

Attribute Graph::attr(Node node, std::string_view name) const {
  const int i = def(node).find_attr(name);
  if (i < 0)
    internal_error(fmt::format("op '{}' has no attribute '{}'", def(node).name, name));
  return attr(node, static_cast<std::size_t>(i));
}

void Graph::set_attr(Node node, std::size_t i, Attribute value) {
  const NodeData& n = data(node);
  attrs_[n.first_attr + check_index(i, n.num_attrs)] = value;
  ++edits_;
}

void Graph::set_operand(Node node, std::size_t i, Value value) {
  const NodeData& n = data(node);
  const auto slot = n.first_operand + static_cast<std::uint32_t>(check_index(i, n.num_operands));
  require_defined_before(value, n.order);
  ++edits_;
  unlink_use(slot);
  link_use(slot, value);
}

// --- uses
// ------------------------------------------------------------------------------------------------------------------

void Graph::link_use(std::uint32_t slot, Value value) {
  ValueData& v = data(value);
  OperandData& o = operands_[slot];
  o.value = value.index;
  o.prev_use = v.last_use;
  o.next_use = no_index;
  (v.last_use == no_index ? v.first_use : operands_[v.last_use].next_use) = slot;
  v.last_use = slot;
  ++v.num_uses;
}

void Graph::unlink_use(std::uint32_t slot) {
  OperandData& o = operands_[slot];
  ValueData& v = values_[o.value];
  (o.prev_use == no_index ? v.first_use : operands_[o.prev_use].next_use) = o.next_use;
  (o.next_use == no_index ? v.last_use : operands_[o.next_use].prev_use) = o.prev_use;
  --v.num_uses;
  o.value = no_index;
}

void Graph::replace_all_uses(Value from, Value to) {
  replace_uses_except(from, to, Node{});
}

void Graph::replace_uses_except(Value from, Value to, Node except) {
  if (from == to)
    return;
  const ValueData& t = data(to);
  if (t.def != no_index) {
    const std::uint64_t order = nodes_[t.def].order;
    for (std::uint32_t slot = data(from).first_use; slot != no_index; slot = operands_[slot].next_use) {
      const std::uint32_t user = operands_[slot].node;
      if (user != except.index && nodes_[user].order <= order) {
        internal_error("a replacement would be used before it is defined");
      }
    }
  }
  for (std::uint32_t slot = data(from).first_use; slot != no_index;) {
    const std::uint32_t next = operands_[slot].next_use;
    if (operands_[slot].node != except.index) {
      ++edits_;
      unlink_use(slot);
      link_use(slot, to);
    }
    slot = next;
  }
}

// --- order
// -----------------------------------------------------------------------------------------------------------------

void Graph::link_order(std::uint32_t node, std::uint32_t before) {
  const std::uint32_t after = nodes_[before].prev;  // 0 when first
  nodes_[node].prev = after;
  nodes_[node].next = before;
  nodes_[after].next = node;
  nodes_[before].prev = node;
  const std::uint64_t low = after == 0 ? 0 : nodes_[after].order;
  const std::uint64_t high = nodes_[before].order;
  if (before == 0 && low < order_of_return - 2 * order_gap) {
    nodes_[node].order = low + order_gap;
  } else if (high - low >= 2) {
    nodes_[node].order = low + (high - low) / 2;
  } else {
    renumber();
  }
}

void Graph::unlink_order(std::uint32_t node) {
  const NodeData& n = nodes_[node];
  nodes_[n.prev].next = n.next;
  nodes_[n.next].prev = n.prev;
}

void Graph::renumber() {
  std::uint64_t order = 0;
  for (std::uint32_t i = nodes_[0].next; i != 0; i = nodes_[i].next)
    nodes_[i].order = order += order_gap;
}

// --- bookkeeping
// -----------------------------------------------------------------------------------------------------------

std::size_t Graph::memory_bytes() const {
  return nodes_.capacity() * sizeof(NodeData) + free_nodes_.capacity() * sizeof(std::uint32_t) +
         operands_.memory_bytes() + values_.memory_bytes() + attrs_.memory_bytes() +
         op_index_.capacity() * sizeof(OpList) + inputs_.capacity() * sizeof(Value) +
         weights_.capacity() * sizeof(Weight) + symbols_.capacity() * sizeof(SymbolRange);
}

void Graph::reserve(std::size_t nodes, std::size_t operands, std::size_t values) {
  nodes_.reserve(nodes + 1);
  operands_.reserve(operands);
  values_.reserve(values);
  attrs_.reserve(nodes * 2);
}

void Graph::stale_handle(const char* what) {
  internal_error(fmt::format("a stale or foreign {} handle was used", what));
}

void Graph::index_out_of_range(std::size_t i, std::size_t n) {
  internal_error(fmt::format("index {} of {} elements", i, n));
}

// --- names
// -----------------------------------------------------------------------------------------------------------------

ValueNames::ValueNames(const Graph& graph) {
  names_.resize(graph.value_capacity());
  std::size_t next = 0;
  // Numbers never collide with names: a name that is a number is written in quotes by the forms.
  auto name = [&](Value v) {
    const Symbol own = graph.name(v);
    names_[v.index] = own.empty() ? std::to_string(next++) : std::string(own.view());
  };
  for (Value v : graph.inputs())
    name(v);
  for (const Weight& w : graph.weights())
    name(w.value);
  for (Node n : graph.nodes()) {
    for (std::size_t i = 0; i < graph.num_results(n); ++i)
      name(graph.result(n, i));
  }
}

// --- comparison
// ------------------------------------------------------------------------------------------------------------

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
