// Conversions, copies and aliases, and complex numbers as pairs along a trailing axis of 2.
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>

namespace tandem::torch::lower {

namespace {

/// `t` in that type, as a new tensor.
Tensor converted(Call& call, const Tensor& t, TorchType type) {
  if (t->complex && !type.complex)
    call.unsupported("a conversion of complex numbers to real ones");
  Operand operand;
  operand.value = call.tensors.read(t);
  operand.type = {call.emit.dtype(operand.value), t->complex};
  return Tensors::fresh(materialize(call.emit, operand, type), type.complex);
}

TorchType type_of(Call& call, const Tensor& t) {
  return {call.emit.dtype(call.tensors.read(t)), t->complex};
}

/// What `to` gives: the tensor itself when it is of that type already, unless a copy is asked for.
void convert(Call& call, const Tensor& t, TorchType type, bool copy) {
  if (type == type_of(call, t) && !copy)
    return call.give(t);
  call.give(converted(call, t, type));
}

bool is_contiguous(const Dims& sizes, const Dims& strides) {
  Dim expected = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (!sizes[i].is(1) && strides[i] != expected)
      return false;
    expected = expected * sizes[i];
  }
  return true;
}

}  // namespace

void to_dtype(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  convert(call, self, call.dtype("dtype").value_or(type_of(call, self)), call.boolean("copy"));
}

void to_other(Call& call, const Lowering&) {
  convert(call, call.tensor("self"), type_of(call, call.tensor("other")), call.boolean("copy"));
}

void to_copy(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  call.give(converted(call, self, call.dtype("dtype").value_or(type_of(call, self))));
}

void clone(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  call.give(call.tensors.read(self), self->complex);
}

void alias(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  call.give(Tensors::alias(self, self->complex));
}

void contiguous(Call& call, const Lowering& row) {
  const Tensor self = call.tensor("self");
  if (is_contiguous(call.sizes("self"), call.strides("self")))
    return call.give(self);
  clone(call, row);
}

void dropout(Call& call, const Lowering&) {
  if (call.boolean("train") && call.real("p") != 0.0)
    call.unsupported("dropout while training; export the model after model.eval()");
  call.give(call.tensor("input"));
}

void native_dropout(Call& call, const Lowering&) {
  if (call.has("train") && call.boolean("train") && call.real("p") != 0.0)
    call.unsupported("dropout while training; export the model after model.eval()");
  const Value v = call.value("input");
  const auto shape = call.emit.dims(v);
  call.give(v);
  call.give(call.emit.full(Dims(shape.begin(), shape.end()), 1.0, DType::boolean));
}

void view_as_complex(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const auto shape = call.emit.dims(call.tensors.read(self));
  if (self->complex || shape.empty() || !shape.back().is(2) || !is_float(type_of(call, self).dtype))
    throw Error("torch.argument", "the argument 'self' must be floats with a last axis of 2");
  call.give(Tensors::alias(self, true));
}

void view_as_real(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  if (!self->complex)
    throw Error("torch.argument", "the argument 'self' must be complex");
  call.give(Tensors::alias(self, false));
}

void complex_part(Call& call, const Lowering& row) {
  const Tensor self = call.tensor("self");
  if (!self->complex) {
    if (row.number != 0.0)
      call.unsupported("the imaginary part of real numbers");
    return call.give(self);
  }
  const auto shape = call.emit.dims(call.tensors.read(self));
  View part;
  part.kind = View::Kind::slice;
  part.axis = shape.size() - 1;
  part.start = row.number != 0.0 ? 1 : 0;
  part.end = part.start + 1;
  View drop;
  drop.shape.assign(shape.begin(), shape.end() - 1);
  const Tensor plain = Tensors::alias(self, false);
  call.give_view(call.tensors.view(plain, part), drop);
}

namespace {

Value pair_up(Emitter& emit, Value re, Value im) {
  const Dims shape = Emitter::broadcast(emit.dims(re), emit.dims(im));
  const std::size_t last = shape.size();
  return emit.concat({emit.unsqueeze(emit.expand(re, shape), last), emit.unsqueeze(emit.expand(im, shape), last)},
                     last);
}

}  // namespace

void polar(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value radius = call.value("abs"), angle = call.value("angle");
  call.give(pair_up(e, e.mul(radius, e.op(op::cos, {angle})), e.mul(radius, e.op(op::sin, {angle}))), true);
}

void make_complex(Call& call, const Lowering&) {
  call.give(pair_up(call.emit, call.value("real"), call.value("imag")), true);
}

void conjugate(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  if (!self->complex)
    return call.give(self);
  Emitter& e = call.emit;
  const Value v = call.tensors.read(self);
  const std::size_t last = e.rank(v) - 1;
  const Value imaginary = e.op(op::neg, {e.slice(v, last, 1, 2)});
  call.give(e.concat({e.slice(v, last, 0, 1), imaginary}, last), true);
}

}  // namespace tandem::torch::lower
