// Constant folding: what can be known of integers and of constants of one value, sizes that are symbols included.
//
//     constant dense f32[] [0.5]                   ->  full {shape = [], value = 0.5}
//     reshape(full), transpose(full), slice(full)  ->  full of that shape
//     cast(full {value = 2.0, dtype = i64})        ->  full {value = 2.0, dtype = f32}, where the new dtype has the
//     value add(iota {start = 0}, 3)                     ->  iota {start = 3};  the same for sub, and mul by a number
//     add(dim_value T, 1)                          ->  dim_value T + 1;  the same for sub, mul, floor_div, remainder
//     x * 1, x / 1, x + 0 of integers              ->  x
//     x & true, x | false, where(true, x, y)       ->  x
//
// So patterns meet one spelling of a constant, and index arithmetic that every layer repeats is gone before it is
// looked at. Only what is exact in every kernel is folded: no float is computed here (x + 0 is not x for -0.0).
// Whatever else depends on constants and weights alone is left to the plan, which has the kernels and folds with them
// (runtime/plan_fold.h). An expand stays: it is a view, where a full tensor would have to be filled.
//
// Requires: a verified graph. Preserves: every bit of every output, and their names. Linear: operands come before
// users, so one walk along the order sees each node with its operands folded.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pipeline.h>
#include <tandem/passes/rewrite.h>

namespace tandem {

namespace {

/// Whether `dtype` has exactly that value, so far as it is plain; not every value of the narrow floats is tried.
bool is_exact(double value, DType dtype) {
  const bool whole = std::trunc(value) == value && !std::signbit(value);
  switch (dtype) {
    case DType::f64: return !std::isnan(value);
    case DType::f32: return static_cast<double>(static_cast<float>(value)) == value;
    case DType::f16: return whole && value <= 2048;
    case DType::bf16: return whole && value <= 256;
    case DType::i64: return whole && value <= 0x1p53;
    case DType::i32: return whole && value <= std::numeric_limits<std::int32_t>::max();
    case DType::i16: return whole && value <= std::numeric_limits<std::int16_t>::max();
    case DType::i8: return whole && value <= std::numeric_limits<std::int8_t>::max();
    case DType::u8: return whole && value <= std::numeric_limits<std::uint8_t>::max();
    case DType::boolean: return value == 0.0 || value == 1.0;
    default: return false;
  }
}

template <class T>
double element(const std::vector<std::byte>& data) {
  T value;
  std::memcpy(&value, data.data(), sizeof(T));
  return static_cast<double>(value);
}

/// The value of a constant whose elements all have the same bits, where `full` can say it.
std::optional<double> uniform_value(const TensorLiteral& literal) {
  const std::size_t size = byte_size(literal.type.dtype);
  if (literal.data.empty() ||
      std::memcmp(literal.data.data(), literal.data.data() + size, literal.data.size() - size) != 0)
    return std::nullopt;
  switch (literal.type.dtype) {
    case DType::f64: return element<double>(literal.data);
    case DType::f32: return element<float>(literal.data);
    case DType::i64: {
      const double value = element<std::int64_t>(literal.data);
      return std::abs(value) < 0x1p53 ? std::optional(value) : std::nullopt;
    }
    case DType::i32: return element<std::int32_t>(literal.data);
    case DType::i16: return element<std::int16_t>(literal.data);
    case DType::i8: return element<std::int8_t>(literal.data);
    case DType::u8: return element<std::uint8_t>(literal.data);
    case DType::boolean: return element<std::uint8_t>(literal.data) != 0 ? 1.0 : 0.0;
    case DType::bf16: {  // the upper half of an f32
      const std::uint32_t bits = std::uint32_t{std::to_integer<std::uint32_t>(literal.data[0])} << 16 |
                                 std::uint32_t{std::to_integer<std::uint32_t>(literal.data[1])} << 24;
      return static_cast<double>(std::bit_cast<float>(bits));
    }
    default: return std::nullopt;
  }
}

class ConstantFolding {
 public:
  explicit ConstantFolding(Graph& graph) : graph_(graph), replacer_(graph) {}

  PassResult run() {
    const std::uint64_t edits = graph_.edit_count();
    for (Node node = graph_.first(); node;) {
      const Node next = graph_.next(node);
      if (graph_.num_results(node) == 1)
        visit(node);
      node = next;
    }
    result_.changed = graph_.edit_count() != edits;
    return std::move(result_);
  }

 private:
  void visit(Node node) {
    const Value folded = fold(node);
    if (!folded)
      return;
    ++result_.candidates;
    // False for an output that has the name of an input otherwise: that node stays.
    if (replacer_.replace(graph_.result(node, 0), folded)) {
      graph_.erase(node);
      ++result_.matches;
    }
  }

  /// The value that takes the node's place: one that exists, or of a node made before it. Null: none.
  Value fold(Node node) {
    switch (static_cast<op::Core>(graph_.op(node).index)) {
      case op::Core::constant: return fold_constant(node);
      case op::Core::reshape:
      case op::Core::transpose:
      case op::Core::slice: return fold_view(node);
      case op::Core::cast: return fold_cast(node);
      case op::Core::where: return fold_where(node);
      case op::Core::add: return first_of(without(node, 0.0, true, true), fold_integers(node));
      case op::Core::sub: return first_of(without(node, 0.0, false, true), fold_integers(node));
      case op::Core::mul: return first_of(without(node, 1.0, true, false), fold_integers(node));
      case op::Core::div: return without(node, 1.0, false, false);
      case op::Core::floor_div:
      case op::Core::remainder: return fold_integers(node);
      case op::Core::bitwise_or:
      case op::Core::bitwise_xor: return without(node, 0.0, true, true);
      case op::Core::bitwise_and: return is_bool(node) ? without(node, 1.0, true, false) : Value{};
      default: return {};
    }
  }

  static Value first_of(Value a, Value b) { return a ? a : b; }

  TensorType type(Node node) const { return graph_.type(graph_.result(node, 0)); }
  bool is_bool(Node node) const { return is_boolean(type(node).dtype); }

  /// The value of all elements of a `full`.
  std::optional<double> value_of(Value v) const {
    const Node full = made_by(graph_, v, op::full);
    return full ? std::optional(graph_.attr(full, "value").real()) : std::nullopt;
  }

  Value make_full(Node place, TensorType type, double value) {
    GraphBuilder builder(graph_, place);
    builder.set_scope(graph_.scope(place).view());
    const Attribute attrs[] = {Attribute::of(type.shape), Attribute::of(value), Attribute::of(type.dtype)};
    return graph_.result(builder.node_with(op::full, {}, attrs), 0);
  }

  Value fold_constant(Node node) {
    const auto value = uniform_value(graph_.attr(node, "value").tensor());
    return value && !std::isnan(*value) ? make_full(node, type(node), *value) : Value{};
  }

  Value fold_view(Node node) {
    const auto value = value_of(graph_.operand(node, 0));
    // Symbolic bounds are checked when the graph runs: such a slice stays.
    const bool checked = graph_.op(node) == op::slice && !(graph_.attr(node, "start").dim().is_constant() &&
                                                           graph_.attr(node, "end").dim().is_constant());
    return value && !checked ? make_full(node, type(node), *value) : Value{};
  }

  Value fold_cast(Node node) {
    const Value x = graph_.operand(node, 0);
    const auto value = value_of(x);
    if (!value || !is_exact(*value, graph_.type(x).dtype) || !is_exact(*value, type(node).dtype))
      return {};
    return make_full(node, type(node), *value);
  }

  Value fold_where(Node node) const {
    const auto condition = value_of(graph_.operand(node, 0));
    if (!condition)
      return {};
    const Value taken = graph_.operand(node, *condition != 0.0 ? 1 : 2);
    return graph_.type(taken) == type(node) ? taken : Value{};
  }

  /// The other operand, when one is `full` of the op's neutral element (`either_side`: the first, too) and the result
  /// has the other's type. `integers_only`: for floats the element is not neutral.
  Value without(Node node, double neutral, bool either_side, bool integers_only) const {
    if (integers_only && is_float(type(node).dtype))
      return {};
    for (std::size_t i = either_side ? 0 : 1; i < 2; ++i) {
      const Value other = graph_.operand(node, 1 - i);
      const auto value = value_of(graph_.operand(node, i));
      if (value && *value == neutral && graph_.type(other) == type(node))
        return other;
    }
    return {};
  }

  // --- integers
  // -------------------------------------------------------------------------------------------------------------

  /// The dim that a scalar holds.
  std::optional<Dim> dim_of(Value v) const {
    const TensorType& t = graph_.type(v);
    if (t.dtype != DType::i64 || t.shape.rank() != 0)
      return std::nullopt;
    if (const Node n = made_by(graph_, v, op::dim_value))
      return graph_.attr(n, "value").dim();
    const auto value = value_of(v);
    if (value && is_exact(std::abs(*value), DType::i64) && *value == std::trunc(*value))
      return Dim(static_cast<std::int64_t>(*value));
    return std::nullopt;
  }

  Value fold_integers(Node node) {
    if (type(node).dtype != DType::i64)
      return {};
    const auto b = dim_of(graph_.operand(node, 1));
    try {
      if (const auto a = dim_of(graph_.operand(node, 0)); a && b)
        return fold_dims(node, *a, *b);
      if (b)
        return fold_iota(node, graph_.operand(node, 0), *b);
      const auto a = dim_of(graph_.operand(node, 0));
      if (a && graph_.def(node).has(trait::commutative))
        return fold_iota(node, graph_.operand(node, 1), *a);
    } catch (const Error&) {
      // Beyond what a dim or an iota can hold: computed at run time, where integers wrap around.
    }
    return {};
  }

  Value fold_dims(Node node, Dim a, Dim b) {
    const OpId op = graph_.op(node);
    if ((op == op::floor_div || op == op::remainder) && !(b.is_constant() && b.constant() > 0))
      return {};
    const Dim value = op == op::add         ? a + b
                      : op == op::sub       ? a - b
                      : op == op::mul       ? a * b
                      : op == op::floor_div ? floordiv(a, b)
                                            : mod(a, b);
    GraphBuilder builder(graph_, node);
    builder.set_scope(graph_.scope(node).view());
    const Attribute attrs[] = {Attribute::of(value), Attribute::of(DType::i64)};
    return graph_.result(builder.node_with(op::dim_value, {}, attrs), 0);
  }

  Value fold_iota(Node node, Value x, Dim by) {
    const Node iota = made_by(graph_, x, op::iota);
    if (!iota || graph_.type(x) != type(node))
      return {};
    Dim start = graph_.attr(iota, "start").dim();
    std::int64_t step = graph_.attr(iota, "step").integer();
    const OpId op = graph_.op(node);
    if (op == op::add || op == op::sub) {
      start = op == op::add ? start + by : start - by;
    } else if (op == op::mul && by.is_constant() && !by.is(0)) {
      start = start * by;
      if (__builtin_mul_overflow(step, by.constant(), &step))
        return {};
    } else {
      return {};
    }
    GraphBuilder builder(graph_, node);
    builder.set_scope(graph_.scope(node).view());
    const Attribute attrs[] = {graph_.attr(iota, "length"), Attribute::of(start), Attribute::of(step),
                               Attribute::of(DType::i64)};
    return graph_.result(builder.node_with(op::iota, {}, attrs), 0);
  }

  Graph& graph_;
  ValueReplacer replacer_;
  PassResult result_;
};

}  // namespace

PassResult pass::fold(Graph& graph, PassContext&) {
  return ConstantFolding(graph).run();
}

}  // namespace tandem
