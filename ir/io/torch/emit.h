// Adding core ops to the graph that is being imported: a GraphBuilder with the vocabulary of tensor programs.
//
// What would do nothing is not added: a cast to the same dtype, a slice of everything, a reshape to the same shape.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include <tandem/ir/builder.h>

namespace tandem::torch {

using Dims = std::vector<Dim>;

class Emitter {
 public:
  explicit Emitter(Graph& graph) : builder_(graph) {}

  Graph& graph() { return builder_.graph(); }
  Context& context() { return builder_.context(); }
  void set_scope(std::string_view scope) { builder_.set_scope(scope); }

  TensorType type(Value v) { return graph().type(v); }
  DType dtype(Value v) { return type(v).dtype; }
  std::size_t rank(Value v) { return type(v).shape.rank(); }
  /// Interned: stays valid.
  std::span<const Dim> dims(Value v) { return type(v).shape.dims(); }

  Value op(OpId id, std::span<const Value> operands, std::initializer_list<NamedAttr> attrs = {});
  Value op(OpId id, std::initializer_list<Value> operands, std::initializer_list<NamedAttr> attrs = {}) {
    return op(id, std::span<const Value>(operands.begin(), operands.size()), attrs);
  }
  std::vector<Value> ops(OpId id, std::initializer_list<Value> operands, std::initializer_list<NamedAttr> attrs);

  // --- constants
  Value full(Dims shape, double value, DType dtype);
  Value scalar(DType dtype, double value) { return full({}, value, dtype); }
  /// An integer that a double may not hold; wraps around to what `dtype` holds, as PyTorch's scalars do.
  Value integer(DType dtype, std::int64_t value);
  Value dim(Dim d, DType dtype);
  Value iota(Dim length, Dim start = 0, std::int64_t step = 1, DType dtype = DType::i64);

  // --- elementwise
  Value cast(Value v, DType dtype);
  /// `v` in f64 unless it is: for what would cancel in f32.
  Value widen(Value v) { return cast(v, DType::f64); }
  Value add(Value a, Value b) { return op(tandem::op::add, {a, b}); }
  Value sub(Value a, Value b) { return op(tandem::op::sub, {a, b}); }
  Value mul(Value a, Value b) { return op(tandem::op::mul, {a, b}); }
  Value div(Value a, Value b) { return op(tandem::op::div, {a, b}); }
  Value add(Value a, double b) { return add(a, scalar(dtype(a), b)); }
  Value mul(Value a, double b) { return mul(a, scalar(dtype(a), b)); }
  Value where(Value condition, Value a, Value b) { return op(tandem::op::where, {condition, a, b}); }

  // --- shapes; axes are counted from the front
  Value reshape(Value v, Dims shape);
  Value transpose(Value v, const std::vector<std::int64_t>& perm);
  Value swap_axes(Value v, std::size_t a, std::size_t b);
  Value expand(Value v, Dims shape);
  Value slice(Value v, std::size_t axis, Dim start, Dim end, std::int64_t step = 1);
  Value concat(std::span<const Value> parts, std::size_t axis);
  Value concat(std::initializer_list<Value> parts, std::size_t axis) {
    return concat(std::span<const Value>(parts.begin(), parts.size()), axis);
  }
  /// Adds an axis of length 1 that becomes axis `axis`.
  Value unsqueeze(Value v, std::size_t axis);
  /// Element `index` of an axis, which goes away.
  Value select(Value v, std::size_t axis, Dim index);
  /// `base` with `v` in place of slice(base, axis, start, end, step).
  Value slice_update(Value base, Value v, std::size_t axis, Dim start, Dim end, std::int64_t step = 1);
  Value reduce(OpId id, Value v, const std::vector<std::int64_t>& axes, bool keepdims);

  /// Rows of coordinates for gather_nd and scatter_nd: the indices, broadcast together, along a new last axis.
  Value coordinates(std::vector<Value> indices);
  /// Whether no element can be negative, as far as that is plain from where `v` comes from.
  bool is_nonnegative(Value v);

  /// The dim to which two broadcast; throws Error "torch.shape" when they do not provably.
  static Dim broadcast(Dim a, Dim b);
  static Dims broadcast(std::span<const Dim> a, std::span<const Dim> b);

 private:
  bool is_nonnegative(Value v, int& budget);

  GraphBuilder builder_;
};

}  // namespace tandem::torch
