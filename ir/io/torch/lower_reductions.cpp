// Reductions, scans, orders and norms.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>

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

Dim count_over(Emitter& e, Value v, const Axes& axes) {
  Dim n = 1;
  for (const std::int64_t a : axes)
    n = n * e.dims(v)[static_cast<std::size_t>(a)];
  return n;
}

/// One axis of `v`; for a scalar an axis of length 1 that the caller takes away again.
Value with_axis(Emitter& e, Value v) {
  return e.rank(v) == 0 ? e.unsqueeze(v, 0) : v;
}

/// The sum of squared distances from the mean over `correction` less than the count, in f32 or f64.
Value variance_of(Emitter& e, Value v, const Axes& axes, double correction, bool keepdims) {
  const Value center = e.reduce(op::mean, v, axes, true);
  const Value squares = e.reduce(op::sum, e.op(op::square, {e.sub(v, center)}), axes, keepdims);
  const DType dtype = e.dtype(v);
  const Value count = e.dim(count_over(e, v, axes), dtype);
  const Value freedom = e.op(op::maximum, {e.sub(count, e.scalar(dtype, correction)), e.scalar(dtype, 0.0)});
  return e.div(squares, freedom);
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

void topk(Call& call, const Lowering&) {
  const Value v = call.real_value("self");
  const auto axis = static_cast<std::int64_t>(call.axis("dim", call.emit.rank(v)));
  if (call.emit.rank(v) == 0)
    call.unsupported("scalars");
  // Among equal elements PyTorch's choice is kept: scores that relu has made 0 decide which keys a query sees.
  const char* order = call.boolean("sorted") ? "torch" : "torch_unsorted";
  for (const Value part :
       call.emit.ops(op::topk, {v},
                     {{"k", call.dim("k")}, {"axis", axis}, {"largest", call.boolean("largest")}, {"order", order}}))
    call.give(part);
}

void sort(Call& call, const Lowering&) {
  const Value v = call.real_value("self");
  const auto axis = static_cast<std::int64_t>(call.axis("dim", call.emit.rank(v)));
  if (call.emit.rank(v) == 0)
    call.unsupported("scalars");
  for (const Value part : call.emit.ops(op::sort, {v}, {{"axis", axis}, {"descending", call.boolean("descending")}}))
    call.give(part);
}

void argsort(Call& call, const Lowering& row) {
  sort(call, row);
  call.results.erase(call.results.begin());
}

void diff(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  Value v = call.real_value("self");
  const std::size_t axis = call.axis("dim", e.rank(v));
  std::vector<Value> parts;
  if (call.has("prepend"))
    parts.push_back(e.cast(call.real_value("prepend"), e.dtype(v)));
  parts.push_back(v);
  if (call.has("append"))
    parts.push_back(e.cast(call.real_value("append"), e.dtype(v)));
  v = e.concat(parts, axis);
  const std::int64_t times = call.integer("n");
  if (times < 0 || times > 16)
    call.unsupported(fmt::format("differences of order {}", times));
  for (std::int64_t i = 0; i < times; ++i) {
    const Dim n = e.dims(v)[axis];
    const Value next = e.slice(v, axis, 1, n), before = e.slice(v, axis, 0, n - 1);
    v = is_boolean(e.dtype(v)) ? e.op(op::logical_xor, {next, before}) : e.sub(next, before);
  }
  call.give(v);
}

void histc(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = call.real_value("self");
  const DType dtype = e.dtype(v);
  const std::int64_t bins = call.integer("bins");
  const double low = call.real("min"), high = call.real("max");
  if (!(low < high) || bins < 1)
    call.unsupported("bounds that depend on the data");
  Dim count = 1;
  for (const Dim d : e.dims(v))
    count = count * d;
  const Value x = e.reshape(e.cast(v, compute_dtype(dtype)), {count});
  const DType wide = e.dtype(x);
  // As PyTorch does it: floor((x - min) * bins / (max - min)), the largest into the last bin, others not at all. What
  // counts not goes into a bin beyond the last.
  const Value inside =
      e.op(op::logical_and, {e.op(op::ge, {x, e.scalar(wide, low)}), e.op(op::le, {x, e.scalar(wide, high)})});
  const Value scaled = e.div(e.mul(e.add(x, -low), static_cast<double>(bins)), e.scalar(wide, high - low));
  const Value bin = e.op(op::minimum, {e.cast(e.where(inside, scaled, e.scalar(wide, 0.0)), DType::i64),
                                       e.scalar(DType::i64, static_cast<double>(bins - 1))});
  const Value place = e.where(inside, bin, e.scalar(DType::i64, static_cast<double>(bins)));
  const Value counts = e.op(op::scatter, {e.full({bins + 1}, 0.0, DType::i64), place, e.full({count}, 1.0, DType::i64)},
                            {{"axis", 0}, {"mode", "add"}});
  call.give(e.cast(e.slice(counts, 0, 0, bins), dtype));
}

namespace {

/// Makes the normalised axes one: the rank of `normalized_shape` says how many.
Value merge_last(Emitter& e, Value v, std::size_t axes) {
  const auto shape = e.dims(v);
  if (axes == 0 || axes > shape.size())
    throw Error("torch.argument", "'normalized_shape' does not fit the input");
  Dims out(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(axes));
  Dim merged = 1;
  for (std::size_t i = shape.size() - axes; i < shape.size(); ++i)
    merged = merged * shape[i];
  out.push_back(merged);
  return e.reshape(v, std::move(out));
}

double machine_epsilon(DType dtype) {
  switch (dtype) {
    case DType::f64: return std::numeric_limits<double>::epsilon();
    case DType::bf16: return 0x1p-7;
    case DType::f16: return 0x1p-10;
    default: return static_cast<double>(std::numeric_limits<float>::epsilon());
  }
}

/// 1 / sqrt(variance + eps) or its like, with the shape that PyTorch gives to the statistics.
Value inverse_root(Emitter& e, Value mean_square, double eps) {
  return e.op(op::rsqrt, {e.add(mean_square, eps)});
}

}  // namespace

void rms_norm(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value x = call.real_value("input");
  const std::size_t axes = call.dims("normalized_shape").size();
  const Dims shape(e.dims(x).begin(), e.dims(x).end());
  const Value merged = merge_last(e, x, axes);
  const double eps = call.has("eps") ? call.real("eps") : machine_epsilon(e.dtype(x));
  std::vector<Value> operands{merged};
  if (call.has("weight"))
    operands.push_back(merge_last(e, call.real_value("weight"), axes));
  call.give(e.reshape(e.op(op::rms_norm, operands, {{"eps", eps}}), shape));
  if (row.number != 1.0)
    return;
  const Value wide = e.cast(merged, compute_dtype(e.dtype(x)));
  const Value mean_square =
      e.reduce(op::mean, e.op(op::square, {wide}), {static_cast<std::int64_t>(e.rank(wide) - 1)}, true);
  call.give(e.reshape(inverse_root(e, mean_square, eps), call.result_dims(1)));
}

void layer_norm(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value x = call.real_value("input");
  const std::size_t axes = call.dims("normalized_shape").size();
  const Dims shape(e.dims(x).begin(), e.dims(x).end());
  const Value merged = merge_last(e, x, axes);
  const double eps = call.real("eps");
  std::vector<Value> operands{merged};
  if (call.has("weight"))
    operands.push_back(merge_last(e, call.real_value("weight"), axes));
  if (call.has("bias")) {
    if (operands.size() == 1)
      operands.push_back(e.full({e.dims(merged).back()}, 1.0, e.dtype(x)));
    operands.push_back(merge_last(e, call.real_value("bias"), axes));
  }
  call.give(e.reshape(e.op(op::layer_norm, operands, {{"eps", eps}}), shape));
  if (row.number != 1.0)
    return;
  const DType statistics = call.result_type(1).dtype;
  const Value wide = e.cast(merged, compute_dtype(e.dtype(x)));
  const std::vector<std::int64_t> last{static_cast<std::int64_t>(e.rank(wide) - 1)};
  const Value root = inverse_root(e, variance_of(e, wide, last, 0.0, true), eps);
  call.give(e.cast(e.reshape(e.reduce(op::mean, wide, last, true), call.result_dims(1)), statistics));
  call.give(e.cast(e.reshape(root, call.result_dims(2)), statistics));
}

namespace {

/// A vector over axis 1 of a tensor of that rank.
Value over_channels(Emitter& e, Value v, std::size_t rank) {
  Dims shape(rank, Dim(1));
  shape[1] = e.dims(v)[0];
  return e.reshape(v, shape);
}

}  // namespace

void group_norm(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value x = call.real_value("input");
  const DType dtype = e.dtype(x);
  const Dims shape(e.dims(x).begin(), e.dims(x).end());
  if (shape.size() < 2)
    throw Error("torch.argument", "the argument 'input' must have two axes or more");
  const std::int64_t groups = call.integer(row.number == 1.0 ? "group" : "num_groups");
  if (groups < 1)
    throw Error("torch.argument", "the number of groups must be 1 or more");
  Dim rest = floordiv(shape[1], groups);
  for (std::size_t i = 2; i < shape.size(); ++i)
    rest = rest * shape[i];
  const Value wide = e.reshape(e.cast(x, compute_dtype(dtype)), {shape[0], groups, rest});
  const Value center = e.reduce(op::mean, wide, {2}, true);
  const Value root = inverse_root(e, variance_of(e, wide, {2}, 0.0, true), call.real("eps"));
  Value out = e.reshape(e.mul(e.sub(wide, center), root), shape);
  if (call.has("weight"))
    out = e.mul(out, e.cast(over_channels(e, call.real_value("weight"), shape.size()), e.dtype(out)));
  if (call.has("bias"))
    out = e.add(out, e.cast(over_channels(e, call.real_value("bias"), shape.size()), e.dtype(out)));
  call.give(e.cast(out, dtype));
  if (row.number != 1.0)
    return;
  call.give(e.reshape(center, {shape[0], groups}));
  call.give(e.reshape(root, {shape[0], groups}));
}

/// _native_batch_norm_legit_no_training: with the statistics of the training.
/// With the running statistics, or (number 1) those of the batch, which are then results as well.
void batch_norm(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value x = call.real_value("input");
  const DType dtype = e.dtype(x), wide = compute_dtype(dtype);
  const std::size_t rank = e.rank(x);
  const bool own = row.number == 1.0;
  if (!own && call.takes("training") && call.boolean("training"))
    call.unsupported("training; export the model after model.eval()");
  const auto channel = [&](std::string_view name) {
    return over_channels(e, e.cast(call.real_value(name), wide), rank);
  };
  Value mean, spread;
  if (own) {
    Axes axes;
    for (std::size_t i = 0; i < rank; ++i)
      if (i != 1)
        axes.push_back(static_cast<std::int64_t>(i));
    mean = e.reduce(op::mean, e.cast(x, wide), axes, true);
    spread = inverse_root(e, variance_of(e, e.cast(x, wide), axes, 0.0, true), call.real("eps"));
  } else {
    mean = channel("running_mean");
    spread = inverse_root(e, channel("running_var"), call.real("eps"));
  }
  Value out = e.mul(e.sub(e.cast(x, wide), mean), spread);
  if (call.has("weight"))
    out = e.mul(out, channel("weight"));
  if (call.has("bias"))
    out = e.add(out, channel("bias"));
  call.give(e.cast(out, dtype));
  for (const Value statistic : {mean, spread})
    call.give(own ? e.reshape(statistic, {e.dims(x)[1]}) : e.full({0}, 0.0, wide));
}

}  // namespace tandem::torch::lower
