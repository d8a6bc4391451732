// Norms: of rows, layers, groups and batches, with the statistics that their older forms return.
#include <limits>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>
#include <tandem/ir/io/torch/variance.h>

namespace tandem::torch::lower {

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
    std::vector<std::int64_t> axes;
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
