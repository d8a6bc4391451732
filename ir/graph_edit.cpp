#include <tandem/ir/graph_edit.h>

#include <algorithm>

namespace tandem {

namespace {

// Neighbours in the order are numbered this far apart, so that insertions between them rarely renumber.
constexpr std::uint64_t order_gap = std::uint64_t{1} << 20;

}  // namespace

std::uint32_t GraphEdit::create(OpId op, std::span<const std::uint32_t> operands, std::span<const Attribute> attrs,
                                std::span<const TensorType> result_types, std::uint32_t before, Symbol scope) {
  ++g_.edits_;
  const std::uint32_t index = new_node();
  Graph::NodeData& n = g_.nodes_[index];
  n.scope = scope;
  n.num_operands = static_cast<std::uint32_t>(operands.size());
  n.first_operand = g_.operands_.allocate(n.num_operands);
  n.num_results = static_cast<std::uint32_t>(result_types.size());
  n.first_result = g_.values_.allocate(n.num_results);
  n.num_attrs = static_cast<std::uint16_t>(attrs.size());
  n.first_attr = g_.attrs_.allocate(n.num_attrs);
  n.op = op;

  std::uint32_t slot = n.first_operand;
  for (const std::uint32_t operand : operands) {
    g_.operands_[slot].node = index;
    g_.link_use(slot++, operand);
  }
  Graph::ValueData* v = g_.values_.data() + n.first_result;
  std::uint32_t position = 0;
  for (const TensorType& type : result_types) {
    v->shape = type.shape;
    v->dtype = type.dtype;
    v->def = index;
    v->position = position++;
    v->first_use = no_index;
    v->num_uses = 0;
    v->kind = Graph::ValueKind::result;
    v->is_named = false;
    ++v;
  }
  std::copy(attrs.begin(), attrs.end(), g_.attrs_.data() + n.first_attr);
  link_op(index);
  g_.link_order(index, before);
  ++g_.num_nodes_;
  return index;
}

/// The index of a node that was erased, or of one more.
std::uint32_t GraphEdit::new_node() {
  const std::uint32_t index = g_.free_node_;
  if (index == no_index)
    return static_cast<std::uint32_t>(g_.nodes_.append(1));
  g_.free_node_ = g_.nodes_[index].next_same_op;
  return index;
}

void GraphEdit::erase(std::uint32_t node) {
  Graph::NodeData& n = g_.nodes_[node];
  ++g_.edits_;
  for (std::uint32_t slot = n.first_operand, end = slot + n.num_operands; slot != end; ++slot)
    g_.unlink_use(slot);
  for (Graph::ValueData *v = g_.values_.data() + n.first_result, *const end = v + n.num_results; v != end; ++v) {
    ++v->generation;
    v->kind = Graph::ValueKind::dead;
  }
  unlink_op(node);
  g_.unlink_order(node);
  g_.operands_.release(n.first_operand, n.num_operands);
  g_.values_.release(n.first_result, n.num_results);
  g_.attrs_.release(n.first_attr, n.num_attrs);
  ++n.generation;
  n.next = no_index;
  n.prev = no_index;
  n.next_same_op = g_.free_node_;
  g_.free_node_ = node;
  --g_.num_nodes_;
}

void GraphEdit::replace_uses(std::uint32_t from, std::uint32_t to) {
  Graph::ValueData& f = g_.values_[from];
  if (from == to || f.first_use == no_index)
    return;
  g_.edits_ += f.num_uses;
  const std::uint32_t first = f.first_use, last = g_.operands_[first].prev_use;
  for (std::uint32_t slot = first; slot != no_index; slot = g_.operands_[slot].next_use)
    g_.operands_[slot].value = to;
  // The whole list moves behind the uses that `to` has.
  Graph::ValueData& t = g_.values_[to];
  if (t.first_use == no_index) {
    t.first_use = first;
  } else {
    Graph::OperandData& head = g_.operands_[t.first_use];
    g_.operands_[head.prev_use].next_use = first;
    g_.operands_[first].prev_use = head.prev_use;
    head.prev_use = last;
  }
  t.num_uses += f.num_uses;
  f.first_use = no_index;
  f.num_uses = 0;
}

void GraphEdit::link_op(std::uint32_t node) {
  Graph::NodeData& n = g_.nodes_[node];
  if (n.op.index >= g_.op_index_.size())
    g_.op_index_.resize(std::size_t{n.op.index} + 1U);
  Graph::OpList& list = g_.op_index_[n.op.index];
  n.prev_same_op = list.last;
  n.next_same_op = no_index;
  (list.last == no_index ? list.first : g_.nodes_[list.last].next_same_op) = node;
  list.last = node;
  ++list.count;
}

void GraphEdit::unlink_op(std::uint32_t node) {
  const Graph::NodeData& n = g_.nodes_[node];
  Graph::OpList& list = g_.op_index_[n.op.index];
  (n.prev_same_op == no_index ? list.first : g_.nodes_[n.prev_same_op].next_same_op) = n.next_same_op;
  (n.next_same_op == no_index ? list.last : g_.nodes_[n.next_same_op].prev_same_op) = n.prev_same_op;
  --list.count;
}

// --- what all edits are made of
// -------------------------------------------------------------------------------------------

void Graph::link_use(std::uint32_t slot, std::uint32_t value) {
  OperandData* const operands = operands_.data();  // nothing here moves them
  ValueData& v = values_[value];
  OperandData& o = operands[slot];
  o.value = value;
  o.next_use = no_index;
  if (v.first_use == no_index) {
    o.prev_use = slot;
    v.first_use = slot;
  } else {
    OperandData& first = operands[v.first_use];
    o.prev_use = first.prev_use;
    operands[first.prev_use].next_use = slot;
    first.prev_use = slot;
  }
  ++v.num_uses;
}

void Graph::unlink_use(std::uint32_t slot) {
  OperandData* const operands = operands_.data();
  OperandData& o = operands[slot];
  ValueData& v = values_[o.value];
  if (v.first_use == slot) {
    v.first_use = o.next_use;
    if (o.next_use != no_index)
      operands[o.next_use].prev_use = o.prev_use;
  } else {
    operands[o.prev_use].next_use = o.next_use;
    operands[o.next_use == no_index ? v.first_use : o.next_use].prev_use = o.prev_use;
  }
  --v.num_uses;
  o.value = no_index;
}

void Graph::link_order(std::uint32_t node, std::uint32_t before) {
  NodeData* const nodes = nodes_.data();
  const std::uint32_t after = nodes[before].prev;  // 0 when first
  nodes[node].prev = after;
  nodes[node].next = before;
  nodes[after].next = node;
  nodes[before].prev = node;
  const std::uint64_t low = after == 0 ? 0 : nodes[after].order;
  const std::uint64_t high = nodes[before].order;
  if (before == 0 && low < high - 2 * order_gap) {
    nodes[node].order = low + order_gap;
  } else if (high - low >= 2) {
    nodes[node].order = low + (high - low) / 2;
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

}  // namespace tandem
