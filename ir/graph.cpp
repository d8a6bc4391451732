#include <tandem/ir/graph.h>

#include <array>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/graph_edit.h>

namespace tandem {

Graph::Graph(std::shared_ptr<Context> context, std::string_view name) : context_(std::move(context)), name_(name) {
  NodeData& head = nodes_[nodes_.append(1)];
  head.op = op::return_;
  head.order = ~std::uint64_t{0};  // after all
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

Value Graph::new_value(TensorType type, Symbol name, ValueKind kind, std::uint32_t position) {
  const std::uint32_t index = values_.allocate(1);
  ValueData& v = values_[index];
  const std::uint32_t generation = v.generation;
  v = ValueData{};
  v.shape = type.shape;
  v.dtype = type.dtype;
  v.generation = generation;
  v.position = position;
  v.kind = kind;
  set_name({index, generation}, name);
  return {index, generation};
}

void Graph::set_name(Value value, Symbol name) {
  ValueData& d = data(value);
  d.is_named = !name.empty();
  if (!d.is_named)
    return;
  if (names_.size() <= value.index)
    names_.append(value.index + 1 - names_.size());
  names_[value.index] = name;
}

Value Graph::add_input(TensorType type, Symbol name) {
  ++edits_;
  inputs_.push_back(new_value(type, name, ValueKind::input, static_cast<std::uint32_t>(inputs_.size())));
  return inputs_.back();
}

Value Graph::add_weight(TensorType type, Symbol name, Symbol key) {
  ++edits_;
  weights_.push_back({new_value(type, name, ValueKind::weight, static_cast<std::uint32_t>(weights_.size())), key});
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
    link_use(head.first_operand + i, outputs[i].index);
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
  std::array<std::uint32_t, 16> few;
  std::vector<std::uint32_t> many;
  if (operands.size() > few.size())
    many.resize(operands.size());
  std::uint32_t* const indices = operands.size() > few.size() ? many.data() : few.data();
  for (std::size_t i = 0; i < operands.size(); ++i)
    indices[i] = operands[i].index;
  const std::uint32_t index = GraphEdit(*this).create(op, {indices, operands.size()}, attrs, result_types, next, scope);
  return {index, nodes_[index].generation};
}

void Graph::erase(Node node) {
  const NodeData& n = data(node);
  if (node.index == 0)
    internal_error("erase of the return node");
  for (std::uint32_t i = 0; i < n.num_results; ++i) {
    if (values_[n.first_result + i].num_uses != 0)
      internal_error("erase of a node whose results are used");
  }
  GraphEdit(*this).erase(node.index);
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
  GraphEdit(*this).move_before(node.index, next);
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
  link_use(slot, value.index);
}

// --- uses
// ------------------------------------------------------------------------------------------------------------------

void Graph::replace_all_uses(Value from, Value to) {
  if (from == to)
    return;
  require_before_uses(from, to, Node{});
  GraphEdit(*this).replace_uses(from.index, to.index);
}

void Graph::replace_uses_except(Value from, Value to, Node except) {
  if (from == to)
    return;
  require_before_uses(from, to, except);
  for (std::uint32_t slot = data(from).first_use; slot != no_index;) {
    const std::uint32_t next = operands_[slot].next_use;
    if (operands_[slot].node != except.index) {
      ++edits_;
      unlink_use(slot);
      link_use(slot, to.index);
    }
    slot = next;
  }
}

void Graph::require_before_uses(Value from, Value to, Node except) const {
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
}

// --- bookkeeping
// -----------------------------------------------------------------------------------------------------------

std::size_t Graph::memory_bytes() const {
  return nodes_.memory_bytes() + operands_.memory_bytes() + values_.memory_bytes() + names_.memory_bytes() +
         attrs_.memory_bytes() + op_index_.capacity() * sizeof(OpList) + inputs_.capacity() * sizeof(Value) +
         weights_.capacity() * sizeof(Weight) + symbols_.capacity() * sizeof(SymbolRange);
}

void Graph::reserve(std::size_t nodes, std::size_t operands, std::size_t values) {
  nodes_.reserve(nodes + 1);
  operands_.reserve(operands);
  values_.reserve(values);
  attrs_.reserve(nodes * 2);
}

void Graph::reserve_for_edits() {
  auto room_for = [](std::size_t n) { return n + n / 4 + 16; };
  nodes_.reserve(room_for(nodes_.size()));
  operands_.reserve(room_for(operands_.size()));
  values_.reserve(room_for(values_.size()));
  attrs_.reserve(room_for(attrs_.size()));
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

}  // namespace tandem
