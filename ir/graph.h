// The graph: nodes in a topological order, values with exact use lists.
//
// Values and nodes are handles: an index into contiguous storage and a generation. A handle outlives a copy of its
// graph (the same handle means the same thing in the copy) but not its node: using a stale one throws "internal".
//
// Every edit keeps the order topological: operands are defined before their users, always. An edit that would break
// that throws "internal" and changes nothing. What a graph returns are the operands of its `return_node`, so that use
// lists know of them.
#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/ir/attribute.h>
#include <tandem/ir/block_pool.h>
#include <tandem/ir/context.h>
#include <tandem/ir/export.h>
#include <tandem/ir/growing_array.h>
#include <tandem/ir/op_table.h>
#include <tandem/ir/type.h>

namespace tandem {

inline constexpr std::uint32_t no_index = 0xffffffffU;

/// A tensor of a graph: one result of a node, an input or a weight.
struct Value {
  std::uint32_t index = no_index;
  std::uint32_t generation = 0;
  explicit operator bool() const { return index != no_index; }
  friend bool operator==(Value, Value) = default;
};

/// An op applied to values.
struct Node {
  std::uint32_t index = no_index;
  std::uint32_t generation = 0;
  explicit operator bool() const { return index != no_index; }
  friend bool operator==(Node, Node) = default;
};

/// One appearance of a value as an operand.
struct Use {
  Node user;
  std::uint32_t operand;
};

/// A weight: a value whose data lies beside the graph, under `key` in a safetensors file.
struct Weight {
  Value value;
  Symbol key;
};

/// A symbol of a graph and the values that it may take.
struct SymbolRange {
  Symbol symbol;
  DimRange range;
};

class TANDEM_EXPORT Graph {
 public:
  explicit Graph(std::shared_ptr<Context> context, std::string_view name = "main");
  // Copying keeps handles meaningful and shares the context.

  Context& context() const { return *context_; }
  const std::shared_ptr<Context>& shared_context() const { return context_; }
  const std::string& name() const { return name_; }
  void set_name(std::string_view name) { name_ = name; }

  // --- symbols
  // ---------------------------------------------------------------------------------------------------------
  /// Declares a symbol or narrows what it may be; min > max throws Error "graph.dim-range".
  void set_range(Symbol symbol, DimRange range);
  /// The declared range, else [0, max_constant].
  DimRange range(Symbol symbol) const;
  std::span<const SymbolRange> symbols() const { return symbols_; }

  // --- inputs, weights, outputs
  // ----------------------------------------------------------------------------------------
  Value add_input(TensorType type, Symbol name = {});
  Value add_weight(TensorType type, Symbol name, Symbol key);
  std::span<const Value> inputs() const { return inputs_; }
  std::span<const Weight> weights() const { return weights_; }
  /// Removes a weight that has no uses.
  void erase_weight(Value weight);
  void set_outputs(std::span<const Value> outputs);
  std::size_t num_outputs() const { return num_operands(return_node()); }
  Value output(std::size_t i) const { return operand(return_node(), i); }
  /// The last node, not among `nodes()`; its operands are the outputs. Its op is `op::return_`.
  Node return_node() const { return {0, nodes_[0].generation}; }

  // --- nodes
  // -----------------------------------------------------------------------------------------------------------
  /// Adds a node before `before` (null: at the end). `attrs` are by position in the op's row and complete;
  /// `result_types` are what inference gives: both are the caller's promise, checked by the verifier. Prefer
  /// `GraphBuilder`, which fits and infers.
  Node create(OpId op, std::span<const Value> operands, std::span<const Attribute> attrs,
              std::span<const TensorType> result_types, Node before = {}, Symbol scope = {});
  /// Removes a node none of whose results is used.
  void erase(Node node);
  /// Moves a node to just before `before` (null: to the end).
  void move_before(Node node, Node before);

  OpId op(Node node) const { return data(node).op; }
  const OpDef& def(Node node) const { return context_->op(data(node).op); }
  std::size_t num_operands(Node node) const { return data(node).num_operands; }
  Value operand(Node node, std::size_t i) const {
    const NodeData& d = data(node);
    return handle_of_value(operands_[d.first_operand + check_index(i, d.num_operands)].value);
  }
  std::size_t num_results(Node node) const { return data(node).num_results; }
  Value result(Node node, std::size_t i) const {
    const NodeData& d = data(node);
    return handle_of_value(d.first_result + static_cast<std::uint32_t>(check_index(i, d.num_results)));
  }
  /// Attributes by position in the op's row. Invalidated by `create`.
  std::span<const Attribute> attrs(Node node) const {
    const NodeData& d = data(node);
    return {attrs_.data() + d.first_attr, d.num_attrs};
  }
  Attribute attr(Node node, std::size_t i) const {
    const NodeData& d = data(node);
    return attrs_[d.first_attr + check_index(i, d.num_attrs)];
  }
  /// By name; one that the row lacks is an internal error.
  Attribute attr(Node node, std::string_view name) const;
  void set_attr(Node node, std::size_t i, Attribute value);
  void set_operand(Node node, std::size_t i, Value value);
  /// Where in the model the node comes from: "model.layers.3.self_attn". May be empty.
  Symbol scope(Node node) const { return data(node).scope; }
  void set_scope(Node node, Symbol scope) { data(node).scope = scope; }

  // --- order
  // -----------------------------------------------------------------------------------------------------------
  std::size_t num_nodes() const { return num_nodes_; }
  Node first() const { return handle_of_node(nodes_[0].next); }  ///< Null when the graph has no nodes.
  Node last() const { return handle_of_node(nodes_[0].prev); }
  Node next(Node node) const { return handle_of_node(data(node).next); }  ///< Null after the last.
  Node prev(Node node) const { return handle_of_node(data(node).prev); }  ///< Null before the first.
  /// True when `a` stands before `b`. The return node stands after all. Constant time.
  bool comes_before(Node a, Node b) const { return data(a).order < data(b).order; }
  /// A number that grows along the order; valid until the next insertion or move.
  std::uint64_t order(Node node) const { return data(node).order; }

  class NodeRange;
  /// All nodes in order. The node at hand may be erased once the iterator has moved past it.
  NodeRange nodes() const;

  // --- the op index
  // ----------------------------------------------------------------------------------------------------
  /// How many nodes have that op. Kept up to date by every edit.
  std::size_t count(OpId op) const { return op.index < op_index_.size() ? op_index_[op.index].count : 0; }
  /// The nodes of that op, in the order of their creation; null-terminated.
  Node first_of(OpId op) const {
    return op.index < op_index_.size() ? handle_of_node(op_index_[op.index].first) : Node{};
  }
  Node next_of_same_op(Node node) const { return handle_of_node(data(node).next_same_op); }

  // --- values
  // ----------------------------------------------------------------------------------------------------------
  TensorType type(Value value) const {
    const ValueData& d = data(value);
    return {d.dtype, d.shape};
  }
  void set_type(Value value, TensorType type) {
    ValueData& d = data(value);
    d.dtype = type.dtype;
    d.shape = type.shape;
  }
  Symbol name(Value value) const { return data(value).is_named ? names_[value.index] : Symbol{}; }
  void set_name(Value value, Symbol name);
  /// The node that defines it; null for inputs and weights.
  Node def_node(Value value) const { return handle_of_node(data(value).def); }
  /// Which result of its node (or which input or weight) it is.
  std::uint32_t result_index(Value value) const { return data(value).position; }
  bool is_input(Value value) const { return data(value).kind == ValueKind::input; }
  bool is_weight(Value value) const { return data(value).kind == ValueKind::weight; }
  std::size_t num_uses(Value value) const { return data(value).num_uses; }

  class UseRange;
  /// All uses, oldest first; the return node's among them.
  UseRange uses(Value value) const;
  /// Every use of `from` becomes a use of `to`.
  void replace_all_uses(Value from, Value to);
  /// As above, but uses by `except` stay.
  void replace_uses_except(Value from, Value to, Node except);

  // --- bookkeeping
  // -----------------------------------------------------------------------------------------------------
  bool is_live(Node node) const {
    return node.index < nodes_.size() && nodes_[node.index].generation == node.generation;
  }
  bool is_live(Value value) const {
    return value.index < values_.size() && values_[value.index].generation == value.generation;
  }
  /// Grows with every edit: unchanged means that nothing was changed.
  std::uint64_t edit_count() const { return edits_; }
  /// One more than the largest index of any node or value: sizes for side tables.
  std::size_t node_capacity() const { return nodes_.size(); }
  std::size_t value_capacity() const { return values_.size(); }
  /// Bytes of storage held.
  std::size_t memory_bytes() const;
  void reserve(std::size_t nodes, std::size_t operands, std::size_t values);
  /// Makes room for rewrites: for a quarter more than the graph has. A rewrite removes about as much as it adds, but
  /// what it adds seldom fits where something was.
  void reserve_for_edits();

 private:
  friend class GraphChecker;  // the verifier's view of use lists and links (ir/verifier.cpp)
  friend class GraphView;
  friend class GraphEdit;  // edits that are proven already (ir/graph_edit.h)

  enum class ValueKind : std::uint8_t { dead, input, weight, result };

  // A node is a cache line, a value half of one: searching a large graph costs what it reads of memory.
  struct alignas(64) NodeData {
    std::uint64_t order = 0;
    Symbol scope;
    std::uint32_t generation = 0;
    std::uint32_t prev = no_index, next = no_index;
    std::uint32_t prev_same_op = no_index, next_same_op = no_index;
    std::uint32_t first_operand = 0, num_operands = 0;
    std::uint32_t first_result = 0, num_results = 0;
    std::uint32_t first_attr = 0;
    OpId op;
    std::uint16_t num_attrs = 0;
  };
  struct OperandData {
    std::uint32_t value = no_index;
    std::uint32_t node = no_index;
    std::uint32_t prev_use = no_index;  // of the first use: the last one
    std::uint32_t next_use = no_index;
  };
  struct ValueData {
    Shape shape;
    std::uint32_t generation = 0;
    std::uint32_t def = no_index;
    std::uint32_t position = 0;
    std::uint32_t first_use = no_index;
    std::uint32_t num_uses = 0;
    DType dtype = DType::f32;
    ValueKind kind = ValueKind::dead;
    bool is_named = false;  // `names_` has its name
  };
  static_assert(sizeof(NodeData) == 64 && sizeof(ValueData) == 32);
  // Where elements that nobody holds keep the index of the next such one.
  struct LinkOfOperand {
    static std::uint32_t get(const OperandData& o) { return o.next_use; }
    static void set(OperandData& o, std::uint32_t next) { o.next_use = next; }
  };
  struct LinkOfValue {
    static std::uint32_t get(const ValueData& v) { return v.first_use; }
    static void set(ValueData& v, std::uint32_t next) { v.first_use = next; }
  };
  struct LinkOfAttribute {
    static std::uint32_t get(Attribute a) { return static_cast<std::uint32_t>(a.bits()); }
    static void set(Attribute& a, std::uint32_t next) { a = Attribute::of(std::int64_t{next}); }
  };
  struct OpList {
    std::uint32_t first = no_index, last = no_index;
    std::uint32_t count = 0;
  };

  const NodeData& data(Node n) const {
    if (n.index >= nodes_.size() || nodes_[n.index].generation != n.generation) [[unlikely]]
      stale_handle("node");
    return nodes_[n.index];
  }
  NodeData& data(Node n) { return const_cast<NodeData&>(std::as_const(*this).data(n)); }
  const ValueData& data(Value v) const {
    if (v.index >= values_.size() || values_[v.index].generation != v.generation) [[unlikely]]
      stale_handle("value");
    return values_[v.index];
  }
  ValueData& data(Value v) { return const_cast<ValueData&>(std::as_const(*this).data(v)); }
  /// Index 0 is the return node: as a neighbour it means "none".
  Node handle_of_node(std::uint32_t i) const {
    return i == no_index || i == 0 ? Node{} : Node{i, nodes_[i].generation};
  }
  Value handle_of_value(std::uint32_t i) const { return {i, values_[i].generation}; }
  static std::size_t check_index(std::size_t i, std::size_t n) {
    if (i >= n) [[unlikely]]
      index_out_of_range(i, n);
    return i;
  }
  [[noreturn]] static void stale_handle(const char* what);
  [[noreturn]] static void index_out_of_range(std::size_t i, std::size_t n);

  Value new_value(TensorType type, Symbol name, ValueKind kind, std::uint32_t position);
  void link_use(std::uint32_t slot, std::uint32_t value);
  void unlink_use(std::uint32_t slot);
  void link_order(std::uint32_t node, std::uint32_t before);
  void unlink_order(std::uint32_t node);
  void renumber();
  void require_defined_before(Value value, std::uint64_t order) const;
  void require_before_uses(Value from, Value to, Node except) const;

  std::shared_ptr<Context> context_;
  std::string name_;
  GrowingArray<NodeData> nodes_;        // [0] is the return node and the head of the order's ring
  std::uint32_t free_node_ = no_index;  // the first, which has the next as its `next_same_op`
  BlockPool<OperandData, LinkOfOperand> operands_;
  BlockPool<ValueData, LinkOfValue> values_;
  GrowingArray<Symbol> names_;  // by value, as far as the last that was ever named
  BlockPool<Attribute, LinkOfAttribute> attrs_;
  std::vector<OpList> op_index_;
  std::vector<Value> inputs_;
  std::vector<Weight> weights_;
  std::vector<SymbolRange> symbols_;
  std::size_t num_nodes_ = 0;
  std::uint64_t edits_ = 0;
};

/// Forward iteration over the order.
class Graph::NodeRange {
 public:
  class Iterator {
   public:
    using value_type = Node;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const Graph* graph, Node node) : graph_(graph), node_(node) {}
    Node operator*() const { return node_; }
    Iterator& operator++() {
      node_ = graph_->next(node_);
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.node_ == b.node_; }

   private:
    const Graph* graph_ = nullptr;
    Node node_;
  };
  explicit NodeRange(const Graph& graph) : graph_(&graph) {}
  Iterator begin() const { return {graph_, graph_->first()}; }
  Iterator end() const { return {graph_, Node{}}; }

 private:
  const Graph* graph_;
};

inline Graph::NodeRange Graph::nodes() const {
  return NodeRange(*this);
}

/// Forward iteration over a value's uses; not stable under edits of that value's uses.
class Graph::UseRange {
 public:
  class Iterator {
   public:
    using value_type = Use;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const Graph* graph, std::uint32_t slot) : graph_(graph), slot_(slot) {}
    Use operator*() const {
      const OperandData& o = graph_->operands_[slot_];
      const NodeData& n = graph_->nodes_[o.node];
      return {Node{o.node, n.generation}, slot_ - n.first_operand};
    }
    Iterator& operator++() {
      slot_ = graph_->operands_[slot_].next_use;
      return *this;
    }
    Iterator operator++(int) {
      Iterator old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.slot_ == b.slot_; }

   private:
    const Graph* graph_ = nullptr;
    std::uint32_t slot_ = no_index;
  };
  UseRange(const Graph& graph, std::uint32_t first) : graph_(&graph), first_(first) {}
  Iterator begin() const { return {graph_, first_}; }
  Iterator end() const { return {graph_, no_index}; }
  bool empty() const { return first_ == no_index; }

 private:
  const Graph* graph_;
  std::uint32_t first_;
};

/// Unchecked reading by index, for searches that visit much and change nothing: a few loads where a handle would be
/// tested at each step. Valid until the next edit of the graph.
class GraphView {
 public:
  explicit GraphView(const Graph& graph)
      : nodes_(graph.nodes_.data()),
        operands_(graph.operands_.data()),
        values_(graph.values_.data()),
        attrs_(graph.attrs_.data()) {}

  OpId op(std::uint32_t node) const { return nodes_[node].op; }
  std::uint32_t num_operands(std::uint32_t node) const { return nodes_[node].num_operands; }
  std::uint32_t operand(std::uint32_t node, std::uint32_t i) const {
    return operands_[nodes_[node].first_operand + i].value;
  }
  std::uint32_t num_results(std::uint32_t node) const { return nodes_[node].num_results; }
  std::uint32_t result(std::uint32_t node, std::uint32_t i) const { return nodes_[node].first_result + i; }
  Attribute attr(std::uint32_t node, std::uint32_t i) const { return attrs_[nodes_[node].first_attr + i]; }
  std::uint64_t order(std::uint32_t node) const { return nodes_[node].order; }
  Node node(std::uint32_t node) const { return {node, nodes_[node].generation}; }

  TensorType type(std::uint32_t value) const { return {values_[value].dtype, values_[value].shape}; }
  DType dtype(std::uint32_t value) const { return values_[value].dtype; }
  Shape shape(std::uint32_t value) const { return values_[value].shape; }
  /// `no_index` for inputs and weights.
  std::uint32_t def(std::uint32_t value) const { return values_[value].def; }
  std::uint32_t result_index(std::uint32_t value) const { return values_[value].position; }
  std::uint32_t num_uses(std::uint32_t value) const { return values_[value].num_uses; }
  Value value(std::uint32_t value) const { return {value, values_[value].generation}; }

  // The uses of a value: for (u = first_use(v); u != no_index; u = next_use(u)).
  std::uint32_t first_use(std::uint32_t value) const { return values_[value].first_use; }
  std::uint32_t next_use(std::uint32_t use) const { return operands_[use].next_use; }
  /// Index 0 is the return node.
  std::uint32_t user(std::uint32_t use) const { return operands_[use].node; }
  std::uint32_t user_operand(std::uint32_t use) const { return use - nodes_[operands_[use].node].first_operand; }

  std::uint32_t next_of_same_op(std::uint32_t node) const { return nodes_[node].next_same_op; }

  // Ask for what will be read soon: a walk over a graph beyond the caches waits for memory otherwise.
  void prefetch_node(std::uint32_t node) const { __builtin_prefetch(nodes_ + node); }
  /// The operands, results and attributes of a node that is at hand already.
  void prefetch_parts(std::uint32_t node) const {
    const auto& n = nodes_[node];
    __builtin_prefetch(operands_ + n.first_operand);
    __builtin_prefetch(values_ + n.first_result);
    __builtin_prefetch(attrs_ + n.first_attr);
  }
  void prefetch_value(std::uint32_t value) const { __builtin_prefetch(values_ + value); }
  void prefetch_use(std::uint32_t use) const { __builtin_prefetch(operands_ + use); }

 private:
  const Graph::NodeData* nodes_;
  const Graph::OperandData* operands_;
  const Graph::ValueData* values_;
  const Attribute* attrs_;
};

inline Graph::UseRange Graph::uses(Value value) const {
  return {*this, data(value).first_use};
}

/// The names under which values are written: a value's own name, else the smallest number not yet taken, in the order
/// inputs, weights, nodes. The same for text, JSON, DOT and reports.
class TANDEM_EXPORT ValueNames {
 public:
  explicit ValueNames(const Graph& graph);
  /// Without the "%".
  std::string_view operator[](Value value) const { return names_[value.index]; }

 private:
  std::vector<std::string> names_;
};

/// True when two graphs have the same nodes in the same order, attributes, types, names, symbols and outputs.
TANDEM_IR_API bool structurally_equal(const Graph& a, const Graph& b);

}  // namespace tandem

template <>
struct std::hash<tandem::Value> {
  std::size_t operator()(tandem::Value v) const noexcept {
    return (std::uint64_t{v.index} * 0x9e3779b97f4a7c15ULL) ^ v.generation;
  }
};
template <>
struct std::hash<tandem::Node> {
  std::size_t operator()(tandem::Node n) const noexcept {
    return (std::uint64_t{n.index} * 0x9e3779b97f4a7c15ULL) ^ n.generation;
  }
};
