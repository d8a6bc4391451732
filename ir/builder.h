// Building graphs node by node: names are looked up, attributes fitted to the op's row, result types inferred.
//
//     GraphBuilder b(context, "mla_down");
//     Dim T = b.dim("T", {.min = 1, .max = 131072});
//     Value p = b.input("p", DType::bf16, {T, 2112});
//     auto [q, kv] = b.op<2>("split", {p}, {{"axis", -1}, {"sizes", {1536, 576}}});
//     b.output(b.op("rms_norm", {q, w}, {{"eps", 1e-6}}));
//     Graph g = std::move(b).finish();
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <tandem/ir/attribute.h>
#include <tandem/ir/context.h>
#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>

namespace tandem {

class TANDEM_EXPORT GraphBuilder {
 public:
  /// Builds a new graph.
  GraphBuilder(std::shared_ptr<Context> context, std::string_view name);
  /// Adds to an existing graph, before `before` (null: at the end).
  explicit GraphBuilder(Graph& graph, Node before = {});

  Graph& graph() { return *graph_; }
  Context& context() { return graph_->context(); }
  void set_insertion_point(Node before) { before_ = before; }
  /// The scope that nodes get from here on.
  void set_scope(std::string_view scope) { scope_ = context().intern(scope); }

  Dim dim(std::string_view name, DimRange range = {});
  Value input(std::string_view name, DType dtype, std::span<const Dim> shape);
  Value input(std::string_view name, DType dtype, std::initializer_list<Dim> shape) {
    return input(name, dtype, std::span<const Dim>(shape.begin(), shape.size()));
  }
  /// `key` is the tensor's name in the safetensors file; by default the value's name.
  Value weight(std::string_view name, DType dtype, std::span<const Dim> shape, std::string_view key = {});
  Value weight(std::string_view name, DType dtype, std::initializer_list<Dim> shape, std::string_view key = {}) {
    return weight(name, dtype, std::span<const Dim>(shape.begin(), shape.size()), key);
  }

  /// Adds a node. Throws Error "graph.unknown-op", "graph.arity", "graph.unknown-attribute",
  /// "graph.missing-attribute", "graph.attribute-kind" or "graph.type".
  Node node(OpId op, std::span<const Value> operands, std::span<const NamedAttr> attrs = {});
  Node node(std::string_view op, std::span<const Value> operands, std::span<const NamedAttr> attrs = {});
  /// As above, with attributes by position, complete and already fitted.
  Node node_with(OpId op, std::span<const Value> operands, std::span<const Attribute> attrs);

  /// Adds a node of one result and returns that.
  Value op(std::string_view op, std::initializer_list<Value> operands, std::initializer_list<NamedAttr> attrs = {});
  Value op(std::string_view op, std::span<const Value> operands, std::initializer_list<NamedAttr> attrs = {});
  /// Adds a node of N results and returns those.
  template <std::size_t N>
  std::array<Value, N> op(std::string_view name, std::initializer_list<Value> operands,
                          std::initializer_list<NamedAttr> attrs = {}) {
    const Node n = node(name, {operands.begin(), operands.size()}, {attrs.begin(), attrs.size()});
    expect_results(n, N);
    std::array<Value, N> results;
    for (std::size_t i = 0; i < N; ++i)
      results[i] = graph_->result(n, i);
    return results;
  }
  /// A constant of rank 0.
  Value scalar(DType dtype, double value);
  /// Names a value and returns it.
  Value named(std::string_view name, Value value);

  void output(Value value) { outputs_.push_back(value); }
  /// Sets the outputs, verifies and gives up the graph. Throws what the verifier finds.
  Graph finish() &&;

 private:
  void expect_results(Node node, std::size_t n) const;

  std::unique_ptr<Graph> owned_;
  Graph* graph_;
  Node before_;
  Symbol scope_;
  std::vector<Value> outputs_;
};

/// The complete attribute list of a node from what was given by name. Throws as `GraphBuilder::node`.
TANDEM_IR_API std::vector<Attribute> fit_attributes(Context& context, const OpDef& op,
                                                    std::span<const NamedAttr> attrs);

/// Result types of an op applied to operands of those types. Throws Error "graph.type" or "graph.arity".
TANDEM_IR_API void infer_types(Context& context, const OpDef& op, std::span<const TensorType> operands,
                               std::span<const Attribute> attrs, std::vector<TensorType>& results);

}  // namespace tandem
