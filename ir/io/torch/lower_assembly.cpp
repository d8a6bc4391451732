// Tensors put together from others, and tensors out of nothing.
#include <cmath>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>

namespace tandem::torch::lower {

namespace {

/// All of a list in the dtype to which they promote.
std::vector<Value> promoted_list(Call& call, std::vector<Tensor> tensors, bool& complex) {
  std::vector<Operand> operands;
  for (const Tensor& t : tensors) {
    if (!t)
      throw Error("torch.argument", "the argument 'tensors' must be a list of tensors");
    Operand& o = operands.emplace_back();
    o.value = call.tensors.read(t);
    o.type = {call.emit.dtype(o.value), t->complex};
    o.rank = call.rank(t);
  }
  if (operands.empty())
    throw Error("torch.argument", "the argument 'tensors' is an empty list");
  const TorchType type = result_type(operands);
  complex = type.complex;
  std::vector<Value> values;
  for (const Operand& o : operands)
    values.push_back(materialize(call.emit, o, type));
  return values;
}

TorchType type_or(Call& call, TorchType otherwise) {
  return call.dtype("dtype").value_or(otherwise);
}

Value filled_with(Call& call, Dims shape, const Scalar& number, TorchType type) {
  Emitter& e = call.emit;
  Operand operand;
  operand.scalar = number;
  if (!type.complex && number.kind != Scalar::symbolic && (is_float(type.dtype) || number.kind != Scalar::real) &&
      std::abs(number.number()) < 0x1p53) {
    const Value scalar = materialize(e, operand, {type.dtype});
    const double value = e.graph().attr(e.graph().def_node(scalar), "value").real();
    return e.full(std::move(shape), value, type.dtype);
  }
  return e.expand(materialize(e, operand, type), std::move(shape));
}

}  // namespace

void cat(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  bool complex = false;
  std::vector<Tensor> tensors = call.tensor_list("tensors");
  std::vector<Value> values = promoted_list(call, tensors, complex);
  // For old programs' sake PyTorch skips tensors of shape [0].
  std::vector<Value> parts;
  for (const Value v : values)
    if (e.rank(v) != 1 || !e.dims(v)[0].is(0))
      parts.push_back(v);
  if (parts.empty())
    parts.push_back(values[0]);
  const std::size_t rank = e.rank(parts[0]) - (complex ? 1 : 0);
  call.give(e.concat(parts, call.axis("dim", rank)), complex);
}

void stack(Call& call, const Lowering&) {
  bool complex = false;
  std::vector<Value> values = promoted_list(call, call.tensor_list("tensors"), complex);
  const std::size_t rank = call.emit.rank(values[0]) + (complex ? 0 : 1);
  const std::size_t axis = call.axis("dim", rank);
  for (Value& v : values)
    v = call.emit.unsqueeze(v, axis);
  call.give(call.emit.concat(values, axis), complex);
}

/// hstack (number 1) and vstack (number 0).
void hstack(Call& call, const Lowering& row) {
  bool complex = false;
  std::vector<Value> values = promoted_list(call, call.tensor_list("tensors"), complex);
  if (complex)
    call.unsupported("complex numbers");
  const std::size_t needed = row.number == 1.0 ? 1 : 2;
  for (Value& v : values)
    while (call.emit.rank(v) < needed)
      v = call.emit.unsqueeze(v, 0);
  call.give(call.emit.concat(values, row.number == 1.0 && call.emit.rank(values[0]) > 1 ? 1 : 0));
}

void repeat(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Tensor self = call.tensor("self");
  Value v = call.tensors.read(self);
  Dims repeats = call.dims(row.number == 1.0 ? "dims" : "repeats");
  const std::size_t rank = call.rank(self);
  while (repeats.size() < rank)
    repeats.insert(repeats.begin(), Dim(1));  // tile
  Dims sizes(e.dims(v).begin(), e.dims(v).end());
  sizes.insert(sizes.begin(), repeats.size() - rank, Dim(1));
  // Each repeated axis becomes two: how often, and the axis itself.
  Dims split, wide, joined;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Dim times = i < repeats.size() ? repeats[i] : Dim(1);
    if (!times.is(1) && !sizes[i].is(1)) {
      split.emplace_back(1);
      wide.push_back(times);
    }
    split.push_back(sizes[i]);
    wide.push_back(sizes[i].is(1) ? times : sizes[i]);
    joined.push_back(times * sizes[i]);
  }
  v = e.expand(e.reshape(v, split), wide);
  call.give(e.reshape(v, joined), self->complex);
}

void repeat_interleave(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  Value v = call.value("self");
  if (call.tensor("self")->complex)
    call.unsupported("complex numbers");
  const Dim times = call.dim("repeats");
  std::size_t axis = 0;
  if (call.has("dim")) {
    axis = call.axis("dim", e.rank(v));
  } else {
    Dim count = 1;
    for (const Dim d : e.dims(v))
      count = count * d;
    v = e.reshape(v, {count});
  }
  Dims joined(e.dims(v).begin(), e.dims(v).end());
  const Value split = e.unsqueeze(v, axis + 1);
  Dims wide(e.dims(split).begin(), e.dims(split).end());
  wide[axis + 1] = times;
  joined[axis] = joined[axis] * times;
  call.give(e.reshape(e.expand(split, wide), joined));
}

void pad(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  Value v = call.value("self");
  if (call.tensor("self")->complex)
    call.unsupported("complex numbers");
  if (row.number == 0.0 && call.string("mode") != "constant")
    return call.give(pad_by_index(call, v, call.dims("pad"), call.string("mode")));
  const Dims widths = call.dims("pad");
  const std::size_t rank = e.rank(v);
  if (widths.size() % 2 != 0 || widths.size() / 2 > rank)
    throw Error("torch.argument", "the argument 'pad' must have two widths for each of some last axes");
  Dims low(rank, Dim(0)), high(rank, Dim(0));
  bool any = false;
  for (std::size_t i = 0; i < widths.size() / 2; ++i) {
    const std::size_t axis = rank - 1 - i;
    const auto negative = [](Dim d) { return d.is_constant() && d.constant() < 0; };
    const Dim before = widths[2 * i], after = widths[2 * i + 1], length = e.dims(v)[axis];
    if (negative(before) || negative(after))
      v = e.slice(v, axis, negative(before) ? Dim(0) - before : Dim(0), negative(after) ? length + after : length);
    low[axis] = negative(before) ? Dim(0) : before;
    high[axis] = negative(after) ? Dim(0) : after;
    any = any || !low[axis].is(0) || !high[axis].is(0);
  }
  const double value = call.has("value") ? call.real("value") : 0.0;
  call.give(any ? e.op(op::pad, {v}, {{"low", low}, {"high", high}, {"value", value}}) : v);
}

void flip(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  Value v = call.value("self");
  if (call.tensor("self")->complex)
    call.unsupported("complex numbers");
  for (const std::int64_t a : call.integers("dims")) {
    const std::size_t axis = call.axis(a, e.rank(v));
    const Dim n = e.dims(v)[axis];
    v = e.op(op::take, {v, e.iota(n, n - 1, -1)}, {{"axis", static_cast<std::int64_t>(axis)}});
  }
  call.give(v);
}

void roll(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  Value v = call.value("self");
  if (call.tensor("self")->complex)
    call.unsupported("complex numbers");
  const std::vector<std::int64_t> shifts = call.integers("shifts"), axes = call.integers("dims");
  const Dims shape(e.dims(v).begin(), e.dims(v).end());
  const auto roll_axis = [&](std::size_t axis, std::int64_t shift) {
    const Dim n = e.dims(v)[axis];
    if (n.is(0))
      return;
    const Dim by = mod(Dim(shift), n);
    if (by.is(0))
      return;
    v = e.concat({e.slice(v, axis, n - by, n), e.slice(v, axis, 0, n - by)}, axis);
  };
  if (axes.empty()) {
    Dim count = 1;
    for (const Dim d : shape)
      count = count * d;
    v = e.reshape(v, {count});
    roll_axis(0, shifts.at(0));
    return call.give(e.reshape(v, shape));
  }
  if (axes.size() != shifts.size())
    throw Error("torch.argument", "'shifts' and 'dims' differ in length");
  for (std::size_t i = 0; i < axes.size(); ++i)
    roll_axis(call.axis(axes[i], shape.size()), shifts[i]);
  call.give(v);
}

void meshgrid(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const std::vector<Tensor> tensors = call.tensor_list("tensors");
  const bool swapped = row.number == 1.0 && call.string("indexing") == "xy" && tensors.size() > 1;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Value v = call.tensors.read(tensors[i]);
    Dims shape(tensors.size(), Dim(1));
    shape[swapped && i < 2 ? 1 - i : i] = e.rank(v) == 0 ? Dim(1) : e.dims(v)[0];
    call.give(e.expand(e.reshape(v, shape), call.result_dims(i)));
  }
}

void arange(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const bool has_start = row.number >= 1.0, has_step = row.number >= 2.0;
  const Scalar start = has_start ? call.scalar("start") : Scalar{};
  const Scalar step = has_step ? call.scalar("step") : Scalar{Scalar::integer, 1, 0.0, 0};
  const Scalar end = call.scalar("end");
  const bool real = start.kind == Scalar::real || step.kind == Scalar::real || end.kind == Scalar::real;
  const DType dtype = type_or(call, {real ? DType::f32 : DType::i64}).dtype;
  const Dim length = call.result_dims().at(0);
  const auto whole = [](const Scalar& s) {
    return s.kind != Scalar::real || (std::floor(s.fraction) == s.fraction && std::abs(s.fraction) < 0x1p53);
  };
  const auto as_dim = [](const Scalar& s) {
    if (s.kind == Scalar::symbolic)
      return s.dim;
    return Dim(s.kind == Scalar::real ? static_cast<std::int64_t>(s.fraction) : s.whole);
  };
  if (whole(start) && whole(step) && as_dim(step).is_constant())
    return call.give(e.iota(length, as_dim(start), as_dim(step).constant(), dtype));
  if (step.kind == Scalar::symbolic || start.kind == Scalar::symbolic)
    call.unsupported("a symbolic step");
  const Value steps = e.mul(e.iota(length, 0, 1, DType::f64), step.number());
  call.give(e.cast(e.add(steps, start.number()), dtype));
}

/// full, full_like, new_full: the number is an argument.
void full(Call& call, const Lowering&) {
  call.give(filled_with(call, call.result_dims(), call.scalar("fill_value"), call.result_type()),
            call.result_type().complex);
}

/// zeros, ones and their like; empty tensors are zeros, too, which is one of the things that they may hold.
void filled(Call& call, const Lowering& row) {
  const TorchType type = call.result_type();
  const Scalar number{Scalar::integer, static_cast<std::int64_t>(row.number), 0.0, 0};
  call.give(filled_with(call, call.result_dims(), number, type), type.complex);
}

void eye(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Dims shape = call.result_dims();
  const Value rows = e.reshape(e.iota(shape.at(0)), {shape[0], 1});
  const Value columns = e.reshape(e.iota(shape.at(1)), {1, shape[1]});
  call.give(e.cast(e.op(op::eq, {rows, columns}), call.result_type().dtype));
}

void linspace(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const double start = call.real("start"), end = call.real("end");
  const std::int64_t steps = call.integer("steps");
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0.0;
  const Value forward = e.add(e.mul(e.iota(steps, 0, 1, DType::f64), step), start);
  call.give(e.cast(forward, call.result_type().dtype));
}

void scalar_tensor(Call& call, const Lowering&) {
  call.give(filled_with(call, {}, call.scalar("s"), call.result_type()));
}

/// triu and tril: row + diagonal (op) column.
void triangle(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Value v = call.value("self");
  const std::size_t rank = e.rank(v);
  if (rank < 2)
    throw Error("torch.argument", "the argument 'self' must have two axes or more");
  const Dim n = e.dims(v)[rank - 2], m = e.dims(v)[rank - 1];
  const Value rows = e.reshape(e.iota(n, call.integer("diagonal")), {n, 1});
  const Value columns = e.reshape(e.iota(m), {1, m});
  call.give(e.where(e.op(row.op, {columns, rows}), v, e.scalar(e.dtype(v), 0.0)));
}

}  // namespace tandem::torch::lower
