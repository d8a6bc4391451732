// Reductions, scans and softmaxes.
#include <cmath>
#include <limits>

#include <tandem/ir/io/torch/lower.h>
#include <tandem/ir/io/torch/variance.h>

namespace tandem::torch::lower {

namespace {

using Axes = std::vector<std::int64_t>;

/// The operand of a sum: in the dtype that is asked for; integers and bools are summed in i64.
Value summand(Call& call) {
  const Value v = call.real_value("self");
  if (const auto dtype = call.dtype("dtype"))
    return call.emit.cast(v, dtype->dtype);
  return is_float(call.emit.dtype(v)) ? v : call.emit.cast(v, DType::i64);
}

/// One axis of `v`; for a scalar an axis of length 1 that the caller takes away again.
Value with_axis(Emitter& e, Value v) {
  return e.rank(v) == 0 ? e.unsqueeze(v, 0) : v;
}

double correction_of(Call& call, const Lowering& row) {
  if (row.op == op::sub)
    return call.boolean("unbiased") ? 1.0 : 0.0;  // the older form
  return call.has("correction") ? call.real("correction") : 1.0;
}

}  // namespace

void sum(Call& call, const Lowering& row) {
  const Value v = summand(call);
  const bool whole = row.number == 0.0;
  const Axes axes = whole ? call.axes("dim", call.emit.rank(v)) : Axes{};
  if (call.emit.rank(v) == 0)
    return call.give(v);
  call.give(call.emit.reduce(row.op, v, axes, call.boolean("keepdim")));
}

void mean(Call& call, const Lowering&) {
  Value v = call.real_value("self");
  if (const auto dtype = call.dtype("dtype"))
    v = call.emit.cast(v, dtype->dtype);
  if (call.emit.rank(v) == 0)
    return call.give(v);
  call.give(call.emit.reduce(op::mean, v, call.axes("dim", call.emit.rank(v)), call.boolean("keepdim")));
}

/// amax, amin, and max, min of everything.
void extremum(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  Value v = call.real_value("self");
  if (e.rank(v) == 0)
    return call.give(v);
  const DType dtype = e.dtype(v);
  if (is_boolean(dtype))
    v = e.cast(v, DType::u8);
  call.give(e.cast(e.reduce(row.op, v, call.axes("dim", e.rank(v)), call.boolean("keepdim")), dtype));
}

/// max.dim, min.dim: values and where they stand.
void extremum_at(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  Value v = call.real_value("self");
  const bool scalar = e.rank(v) == 0;
  const DType dtype = e.dtype(v);
  if (is_boolean(dtype))
    v = e.cast(v, DType::u8);
  const auto axis = static_cast<std::int64_t>(call.axis("dim", e.rank(v)));
  v = with_axis(e, v);
  const bool keepdims = call.boolean("keepdim") && !scalar;
  call.give(e.cast(e.reduce(row.op, v, {axis}, keepdims), dtype));
  call.give(e.op(row.op == op::reduce_max ? op::argmax : op::argmin, {v}, {{"axis", axis}, {"keepdims", keepdims}}));
}

void aminmax(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = call.real_value("self");
  const Axes axes = call.axes("dim", e.rank(v));
  call.give(e.reduce(op::reduce_min, v, axes, call.boolean("keepdim")));
  call.give(e.reduce(op::reduce_max, v, axes, call.boolean("keepdim")));
}

void arg_extremum(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  Value v = with_axis(e, call.real_value("self"));
  if (is_boolean(e.dtype(v)))
    v = e.cast(v, DType::u8);
  if (call.has("dim")) {
    const auto axis = static_cast<std::int64_t>(call.axis("dim", e.rank(v)));
    const bool keepdims = call.boolean("keepdim");
    const Value at = e.op(row.op, {v}, {{"axis", axis}, {"keepdims", keepdims}});
    return call.give(e.reshape(at, call.result_dims()));
  }
  Dim count = 1;
  for (const Dim d : e.dims(v))
    count = count * d;
  call.give(e.reshape(e.op(row.op, {e.reshape(v, {count})}, {{"axis", 0}}), call.result_dims()));
}

/// any, all
void test_over(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value v = call.real_value("self");
  if (e.rank(v) == 0)
    return call.give(e.cast(v, DType::boolean));
  call.give(e.reduce(row.op, v, call.axes("dim", e.rank(v)), call.boolean("keepdim")));
}

void count_nonzero(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = e.cast(e.cast(call.real_value("self"), DType::boolean), DType::i64);
  if (e.rank(v) == 0)
    return call.give(v);
  call.give(e.reduce(op::sum, v, call.axes("dim", e.rank(v)), false));
}

void cumsum(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = summand(call);
  const auto axis = static_cast<std::int64_t>(call.axis("dim", e.rank(v)));
  if (e.rank(v) == 0)
    return call.give(v);
  call.give(e.op(op::cumsum, {v}, {{"axis", axis}}));
}

void variance(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value v = call.real_value("self");
  const DType dtype = e.dtype(v);
  Value out = variance_of(e, e.cast(v, compute_dtype(dtype)), call.axes("dim", e.rank(v)), correction_of(call, row),
                          call.boolean("keepdim"));
  if (row.number == 1.0)
    out = e.op(op::sqrt, {out});
  call.give(e.cast(out, dtype));
}

void var_mean(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value v = call.real_value("self");
  const Axes axes = call.axes("dim", e.rank(v));
  variance(call, row);
  call.give(e.reduce(op::mean, v, axes, call.boolean("keepdim")));
}

void vector_norm(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const std::string_view order_name = row.number == 1.0 ? "ord" : "p";
  Value v = call.real_value("self");
  if (const auto dtype = call.dtype("dtype"))
    v = e.cast(v, dtype->dtype);
  const DType dtype = e.dtype(v);
  v = with_axis(e, e.cast(v, compute_dtype(dtype)));
  const double order = call.has(order_name) ? call.real(order_name) : 2.0;
  const Axes axes = call.axes("dim", e.rank(v));
  const bool keepdims = call.boolean("keepdim");
  const Value magnitude = order == 2.0 ? Value{} : e.op(op::abs, {v});
  Value out;
  if (order == 2.0) {
    out = e.op(op::sqrt, {e.reduce(op::sum, e.op(op::square, {v}), axes, keepdims)});
  } else if (order == 1.0) {
    out = e.reduce(op::sum, magnitude, axes, keepdims);
  } else if (std::isinf(order)) {
    out = e.reduce(order > 0 ? op::reduce_max : op::reduce_min, magnitude, axes, keepdims);
  } else if (order == 0.0) {
    out = e.reduce(op::sum, e.cast(e.cast(v, DType::boolean), e.dtype(v)), axes, keepdims);
  } else {
    const Value powers = e.op(op::pow, {magnitude, e.scalar(e.dtype(v), order)});
    out = e.op(op::pow, {e.reduce(op::sum, powers, axes, keepdims), e.scalar(e.dtype(v), 1.0 / order)});
  }
  call.give(e.reshape(e.cast(out, dtype), call.result_dims()));
}

void logsumexp(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = as_float(e, call.real_value("self"));
  const Axes axes = call.axes("dim", e.rank(v));
  const double infinity = std::numeric_limits<double>::infinity();
  const Value peak = e.reduce(op::reduce_max, v, axes, true);
  const Value infinite = e.op(op::eq, {e.op(op::abs, {peak}), e.scalar(e.dtype(v), infinity)});
  const Value safe = e.where(infinite, e.scalar(e.dtype(v), 0.0), peak);
  const Value total = e.op(op::log, {e.reduce(op::sum, e.op(op::exp, {e.sub(v, safe)}), axes, true)});
  call.give(e.reshape(e.add(total, safe), call.result_dims()));
}

namespace {

/// The operand of a softmax in the dtype that is asked for; `half_to_float` is the older way to ask for f32.
Value softmax_operand(Call& call, const Lowering& row) {
  Value v = call.real_value("self");
  if (row.number == 1.0)
    return call.boolean("half_to_float") ? call.emit.cast(v, DType::f32) : v;
  if (const auto dtype = call.dtype("dtype"))
    v = call.emit.cast(v, dtype->dtype);
  return as_float(call.emit, v);
}

}  // namespace

void softmax(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value v = softmax_operand(call, row);
  const auto axis = static_cast<std::int64_t>(call.axis("dim", e.rank(v)));
  call.give(e.reshape(e.op(op::softmax, {with_axis(e, v)}, {{"axis", axis}}), call.result_dims()));
}

void log_softmax(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value given = softmax_operand(call, row);
  const DType dtype = e.dtype(given);
  const Value v = with_axis(e, e.cast(given, compute_dtype(dtype)));
  const Axes axis{static_cast<std::int64_t>(call.axis("dim", e.rank(v)))};
  const Value shifted = e.sub(v, e.reduce(op::reduce_max, v, axis, true));
  const Value total = e.op(op::log, {e.reduce(op::sum, e.op(op::exp, {shifted}), axis, true)});
  call.give(e.reshape(e.cast(e.sub(shifted, total), dtype), call.result_dims()));
}

}  // namespace tandem::torch::lower
