#include <tandem/ir/io/torch/emit.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/spelling.h>

namespace tandem::torch {

namespace {

/// A tensor written in more slices than this is joined from tensors that are joined themselves.
constexpr std::size_t max_joined_parts = 64;

std::vector<Dim> as_dims(const std::vector<std::int64_t>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

Value Emitter::op(OpId id, std::span<const Value> operands, std::initializer_list<NamedAttr> attrs) {
  return graph().result(builder_.node(id, operands, {attrs.begin(), attrs.size()}), 0);
}

std::vector<Value> Emitter::ops(OpId id, std::initializer_list<Value> operands,
                                std::initializer_list<NamedAttr> attrs) {
  const Node n = builder_.node(id, {operands.begin(), operands.size()}, {attrs.begin(), attrs.size()});
  std::vector<Value> results;
  for (std::size_t i = 0; i < graph().num_results(n); ++i)
    results.push_back(graph().result(n, i));
  return results;
}

Value Emitter::full(Dims shape, double value, DType dtype) {
  return op(op::full, {}, {{"shape", std::move(shape)}, {"value", value}, {"dtype", dtype}});
}

Value Emitter::integer(DType dtype, std::int64_t value) {
  if (is_boolean(dtype))
    return scalar(dtype, value != 0 ? 1.0 : 0.0);
  if (dtype == DType::i32)
    value = static_cast<std::int32_t>(value);
  if (dtype == DType::i16)
    value = static_cast<std::int16_t>(value);
  if (dtype == DType::i8)
    value = static_cast<std::int8_t>(value);
  if (dtype == DType::u8)
    value = static_cast<std::uint8_t>(value);
  if (io::is_exact_real(value))
    return scalar(dtype, static_cast<double>(value));
  return dim(value, dtype);
}

Value Emitter::dim(Dim d, DType dtype) {
  return op(op::dim_value, {}, {{"value", d}, {"dtype", dtype}});
}

Value Emitter::iota(Dim length, Dim start, std::int64_t step, DType dtype) {
  return op(op::iota, {}, {{"length", length}, {"start", start}, {"step", step}, {"dtype", dtype}});
}

Value Emitter::cast(Value v, DType to) {
  return dtype(v) == to ? v : op(op::cast, {v}, {{"dtype", to}});
}

Value Emitter::reshape(Value v, Dims shape) {
  if (std::ranges::equal(dims(v), shape))
    return v;
  return op(op::reshape, {v}, {{"shape", std::move(shape)}});
}

Value Emitter::transpose(Value v, const std::vector<std::int64_t>& perm) {
  std::vector<std::int64_t> combined = perm;
  const Node def = graph().def_node(v);
  if (def && graph().op(def) == op::transpose) {
    const Shape inner = graph().attr(def, "perm").dims();
    for (std::int64_t& axis : combined)
      axis = inner[static_cast<std::size_t>(axis)].constant();
    v = graph().operand(def, 0);
  }
  bool same = true;
  for (std::size_t i = 0; i < combined.size(); ++i)
    same = same && combined[i] == static_cast<std::int64_t>(i);
  return same ? v : op(op::transpose, {v}, {{"perm", as_dims(combined)}});
}

Value Emitter::swap_axes(Value v, std::size_t a, std::size_t b) {
  std::vector<std::int64_t> perm(rank(v));
  std::iota(perm.begin(), perm.end(), std::int64_t{0});
  std::swap(perm[a], perm[b]);
  return transpose(v, perm);
}

Value Emitter::expand(Value v, Dims shape) {
  if (std::ranges::equal(dims(v), shape))
    return v;
  return op(op::expand, {v}, {{"shape", std::move(shape)}});
}

Value Emitter::slice(Value v, std::size_t axis, Dim start, Dim end, std::int64_t step) {
  if (start.is(0) && end == dims(v)[axis] && step == 1)
    return v;
  // Of a concat along that axis, whole parts are taken as they are: that is what becomes of a tensor that was written
  // slice by slice.
  const Node def = graph().def_node(v);
  if (def && step == 1 && graph().op(def) == op::concat &&
      graph().attr(def, "axis").integer() == static_cast<std::int64_t>(axis)) {
    Dim at = 0;
    std::vector<Value> parts;
    bool inside = false;
    for (std::size_t i = 0; i < graph().num_operands(def); ++i) {
      inside = inside || at == start;
      const Value part = graph().operand(def, i);
      if (inside)
        parts.push_back(part);
      at = at + dims(part)[axis];
      if (inside && at == end)
        return parts.size() == 1 ? parts[0] : concat(parts, axis);
    }
  }
  return op(op::slice, {v},
            {{"axis", static_cast<std::int64_t>(axis)}, {"start", start}, {"end", end}, {"step", step}});
}

Value Emitter::concat(std::span<const Value> parts, std::size_t axis) {
  if (parts.size() == 1)
    return parts[0];
  return op(op::concat, parts, {{"axis", static_cast<std::int64_t>(axis)}});
}

Value Emitter::unsqueeze(Value v, std::size_t axis) {
  const auto old = dims(v);
  Dims shape(old.begin(), old.end());
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), Dim(1));
  return reshape(v, std::move(shape));
}

Value Emitter::select(Value v, std::size_t axis, Dim index) {
  const Value one = slice(v, axis, index, index + 1);
  const auto old = dims(one);
  Dims shape(old.begin(), old.end());
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  return reshape(one, std::move(shape));
}

Value Emitter::slice_update(Value base, Value v, std::size_t axis, Dim start, Dim end, std::int64_t step) {
  const Dim length = dims(base)[axis];
  if (step != 1) {
    // As rows: the axis goes to the front, where scatter_nd writes.
    std::vector<std::int64_t> perm{static_cast<std::int64_t>(axis)}, back(rank(base));
    for (std::size_t i = 0; i < rank(base); ++i)
      if (i != axis)
        perm.push_back(static_cast<std::int64_t>(i));
    for (std::size_t i = 0; i < perm.size(); ++i)
      back[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
    const Dim count = dims(v)[axis];
    const Value index = reshape(iota(count, start, step), {count, 1});
    return transpose(op(op::scatter_nd, {transpose(base, perm), index, transpose(v, perm)}), back);
  }
  std::vector<Value> parts;
  const auto append = [&](Value part) {
    const Node def = graph().def_node(part);
    if (def && graph().op(def) == op::concat && graph().num_operands(def) <= max_joined_parts &&
        graph().attr(def, "axis").integer() == static_cast<std::int64_t>(axis)) {
      for (std::size_t i = 0; i < graph().num_operands(def); ++i)
        parts.push_back(graph().operand(def, i));
    } else {
      parts.push_back(part);
    }
  };
  if (!start.is(0))
    append(slice(base, axis, 0, start));
  parts.push_back(v);
  if (end != length)
    append(slice(base, axis, end, length));
  return concat(parts, axis);
}

Value Emitter::reduce(OpId id, Value v, const std::vector<std::int64_t>& axes, bool keepdims) {
  return op(id, {v}, {{"axes", as_dims(axes)}, {"keepdims", keepdims}});
}

Dim Emitter::broadcast(Dim a, Dim b) {
  if (a == b || b.is(1))
    return a;
  if (a.is(1))
    return b;
  throw Error("torch.shape", fmt::format("the dims {} and {} do not provably broadcast", to_string(a), to_string(b)));
}

Dims Emitter::broadcast(std::span<const Dim> a, std::span<const Dim> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  Dims out(a.begin(), a.end());
  for (std::size_t i = 0; i < b.size(); ++i) {
    Dim& d = out[a.size() - b.size() + i];
    d = broadcast(d, b[i]);
  }
  return out;
}

Value Emitter::coordinates(std::vector<Value> indices) {
  Dims shape;
  for (const Value v : indices)
    shape = broadcast(shape, dims(v));
  for (Value& v : indices)
    v = unsqueeze(expand(cast(v, DType::i64), shape), shape.size());
  return concat(indices, shape.size());
}

bool Emitter::is_nonnegative(Value v) {
  int budget = 64;  // values looked at: an answer must cost no more than an op
  return is_nonnegative(v, budget);
}

bool Emitter::is_nonnegative(Value v, int& budget) {
  const Node def = graph().def_node(v);
  if (is_boolean(dtype(v)) || dtype(v) == DType::u8)
    return true;
  if (!def || --budget < 0)
    return false;
  const Graph& g = graph();
  const OpId id = g.op(def);
  const auto operand = [&](std::size_t i) { return is_nonnegative(g.operand(def, i), budget); };
  const auto at_least_zero = [](Dim d) { return bounds(d, [](Symbol) { return DimRange{}; }).min >= 0; };
  if (id == op::iota)
    return g.attr(def, "step").integer() >= 0 && at_least_zero(g.attr(def, "start").dim());
  if (id == op::full)
    return g.attr(def, "value").real() >= 0.0;
  if (id == op::dim_value)
    return at_least_zero(g.attr(def, "value").dim());
  if (id == op::argmax || id == op::argmin || id == op::one_hot)
    return true;
  if (id == op::topk || id == op::sort)
    return g.result_index(v) == 1 || operand(0);
  if (id == op::maximum)
    return operand(0) || operand(1);
  if (id == op::add || id == op::mul || id == op::minimum || id == op::floor_div || id == op::concat ||
      id == op::scatter_nd) {
    for (std::size_t i = 0; i < g.num_operands(def); ++i)
      if ((id != op::scatter_nd || i != 1) && !operand(i))
        return false;
    return true;
  }
  if (id == op::remainder)
    return operand(1);
  if (id == op::where)
    return operand(1) && operand(2);
  if (id == op::reshape || id == op::transpose || id == op::expand || id == op::slice || id == op::split ||
      id == op::cast || id == op::sum || id == op::cumsum || id == op::take || id == op::gather ||
      id == op::gather_nd || id == op::identity || id == op::reduce_max || id == op::reduce_min || id == op::relu ||
      id == op::abs) {
    return id == op::relu || operand(0);
  }
  return false;
}

}  // namespace tandem::torch
