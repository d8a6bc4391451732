// Elementwise operators: promotion made explicit by casts, numbers as scalars.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>
#include <tandem/ir/io/torch/operands.h>

namespace tandem::torch::lower {

namespace {

Value real_part(Emitter& emit, Value v) {
  return emit.select(v, emit.rank(v) - 1, 0);
}
Value imaginary_part(Emitter& emit, Value v) {
  return emit.select(v, emit.rank(v) - 1, 1);
}

}  // namespace

Value as_float(Emitter& emit, Value v) {
  return is_float(emit.dtype(v)) ? v : emit.cast(v, DType::f32);
}

Value multiply_complex(Emitter& emit, Value a, Value b) {
  const Value ar = real_part(emit, a), ai = imaginary_part(emit, a);
  const Value br = real_part(emit, b), bi = imaginary_part(emit, b);
  const Value re = emit.sub(emit.mul(ar, br), emit.mul(ai, bi));
  const Value im = emit.add(emit.mul(ar, bi), emit.mul(ai, br));
  const std::size_t last = emit.rank(re);
  return emit.concat({emit.unsqueeze(re, last), emit.unsqueeze(im, last)}, last);
}

void unary(Call& call, const Lowering& row) {
  const Tensor t = call.tensor("self");
  if (t->complex)
    call.unsupported("complex numbers");
  call.give(call.emit.op(row.op, {call.tensors.read(t)}));
}

void unary_float(Call& call, const Lowering& row) {
  const Tensor t = call.tensor("self");
  if (t->complex)
    call.unsupported("complex numbers");
  call.give(call.emit.op(row.op, {as_float(call.emit, call.tensors.read(t))}));
}

void composed(Call& call, const Lowering& row) {
  const Tensor t = call.tensor("self");
  if (t->complex)
    call.unsupported("complex numbers");
  const Value v = as_float(call.emit, call.tensors.read(t));
  const DType dtype = call.emit.dtype(v);
  call.give(call.emit.cast(row.expression(call.emit, call.emit.cast(v, compute_dtype(dtype))), dtype));
}

void rounding(Call& call, const Lowering& row) {
  const Value v = call.value("self");
  call.give(is_float(call.emit.dtype(v)) ? call.emit.op(row.op, {v}) : v);
}

void test(Call& call, const Lowering& row) {
  const Tensor t = call.tensor("self");
  if (t->complex)
    call.unsupported("complex numbers");
  const Value v = call.tensors.read(t);
  if (row.expression != nullptr)
    call.give(row.expression(call.emit, v));
  else
    call.give(call.emit.op(row.op, {v}));
}

void absolute(Call& call, const Lowering&) {
  const Tensor t = call.tensor("self");
  const Value v = call.tensors.read(t);
  Emitter& e = call.emit;
  if (!t->complex)
    return call.give(e.op(op::abs, {v}));
  const Value squares = e.op(op::square, {v});
  call.give(e.op(op::sqrt, {e.reduce(op::sum, squares, {static_cast<std::int64_t>(e.rank(v) - 1)}, false)}));
}

void negate(Call& call, const Lowering&) {
  const Tensor t = call.tensor("self");
  call.give(call.emit.op(op::neg, {call.tensors.read(t)}), t->complex);
}

void binary(Call& call, const Lowering& row) {
  const Pair p = promoted(call);
  if (p.type.complex)
    call.unsupported("complex numbers");
  call.give(call.emit.op(row.op, {p.a, p.b}));
}

/// PyTorch's sign of NaN is 0.
void sign(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Tensor t = call.tensor("self");
  if (t->complex)
    call.unsupported("complex numbers");
  const Value v = call.tensors.read(t), out = e.op(op::sign, {v});
  call.give(is_float(e.dtype(v)) ? e.where(e.op(op::is_nan, {v}), e.scalar(e.dtype(v), 0.0), out) : out);
}

void binary_float(Call& call, const Lowering& row) {
  const Pair p = promoted(call, true);
  if (p.type.complex)
    call.unsupported("complex numbers");
  call.give(call.emit.op(row.op, {p.a, p.b}));
}

void compare(Call& call, const Lowering& row) {
  const Pair p = promoted(call);
  if (p.type.complex)
    call.unsupported("complex numbers");
  call.give(call.emit.op(row.op, {p.a, p.b}));
}

void logical(Call& call, const Lowering& row) {
  const auto as_bool = [&](const Operand& o) { return materialize(call.emit, o, {DType::boolean}); };
  const Operand a = call.operand("self"), b = call.operand("other");
  if (a.type.complex || b.type.complex)
    call.unsupported("complex numbers");
  call.give(call.emit.op(row.op, {as_bool(a), as_bool(b)}));
}

void bitwise(Call& call, const Lowering& row) {
  const Pair p = promoted(call);
  call.give(call.emit.op(row.op, {p.a, p.b}));
}

void ignoring_nan(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Pair p = promoted(call);
  if (!is_float(p.type.dtype))
    return call.give(e.op(row.op, {p.a, p.b}));
  const Value both = e.where(e.op(op::is_nan, {p.b}), p.a, e.op(row.op, {p.a, p.b}));
  call.give(e.where(e.op(op::is_nan, {p.a}), p.b, both));
}

void clamp(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Operand self = call.operand("self");
  std::vector<Operand> operands{self};
  for (const char* name : {"min", "max"})
    if (call.has(name))
      operands.push_back(call.operand(name));
  const TorchType type = result_type(operands);
  Value v = materialize(e, self, type);
  std::size_t next = 1;
  if (call.has("min"))
    v = e.op(op::maximum, {v, materialize(e, operands[next++], type)});
  if (call.has("max"))
    v = e.op(op::minimum, {v, materialize(e, operands[next], type)});
  call.give(v);
}

void clamp_one(Call& call, const Lowering& row) {
  const Pair p = promoted(call, call.operand("self"), call.operand(row.op == op::maximum ? "min" : "max"));
  call.give(call.emit.op(row.op, {p.a, p.b}));
}

void where(Call& call, const Lowering&) {
  const Pair p = promoted(call);
  if (p.type.complex)
    call.unsupported("complex numbers");
  call.give(call.emit.where(call.emit.cast(call.value("condition"), DType::boolean), p.a, p.b));
}

void masked_fill(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  if (self->complex)
    call.unsupported("complex numbers");
  const Value v = call.tensors.read(self);
  const Value fill = materialize(call.emit, call.operand("value"), {call.emit.dtype(v)});
  call.give(call.emit.where(call.value("mask"), fill, v));
}

void gelu(Call& call, const Lowering&) {
  const std::string_view approximate = call.string("approximate");
  if (approximate != "none" && approximate != "tanh")
    call.unsupported(fmt::format("approximate '{}'", approximate));
  call.give(call.emit.op(op::gelu, {call.value("self")}, {{"tanh_approximation", approximate == "tanh"}}));
}

void softplus(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = call.value("self");
  const double beta = call.real("beta"), threshold = call.real("threshold");
  const Value scaled = beta == 1.0 ? v : e.mul(v, beta);
  Value soft = e.op(op::softplus, {scaled});
  if (beta != 1.0)
    soft = e.div(soft, e.scalar(e.dtype(v), beta));
  call.give(e.where(e.op(op::gt, {scaled, e.scalar(e.dtype(v), threshold)}), v, soft));
}

void leaky_relu(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = call.value("self");
  const Value slope = e.scalar(e.dtype(v), call.real("negative_slope"));
  call.give(e.where(e.op(op::gt, {v, e.scalar(e.dtype(v), 0.0)}), v, e.mul(v, slope)));
}

void elu(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = call.value("self");
  const DType dtype = e.dtype(v);
  const double alpha = call.real("alpha"), scale = call.real("scale"), input_scale = call.real("input_scale");
  const Value wide = e.widen(v);
  const Value below = e.mul(e.add(e.op(op::exp, {e.mul(wide, input_scale)}), -1.0), alpha * scale);
  const Value positive = e.op(op::gt, {wide, e.scalar(DType::f64, 0.0)});
  call.give(e.cast(e.where(positive, e.mul(wide, scale), below), dtype));
}

void hardtanh(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = call.value("self");
  const DType dtype = e.dtype(v);
  const Value low = e.op(op::maximum, {v, e.scalar(dtype, call.real("min_val"))});
  call.give(e.op(op::minimum, {low, e.scalar(dtype, call.real("max_val"))}));
}

void glu(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = call.value("self");
  const std::size_t axis = call.axis("dim", e.rank(v));
  const Dim length = e.dims(v)[axis];
  const Dim half = floordiv(length, 2);
  call.give(e.mul(e.slice(v, axis, 0, half), e.op(op::sigmoid, {e.slice(v, axis, half, length)})));
}

void nan_to_num(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Value v = call.value("self");
  const DType dtype = e.dtype(v);
  if (!is_float(dtype))
    return call.give(v);
  double largest = std::numeric_limits<float>::max();
  if (dtype == DType::f64)
    largest = std::numeric_limits<double>::max();
  if (dtype == DType::f16)
    largest = 65504.0;
  if (dtype == DType::bf16)
    largest = 0x1.fep127;
  const auto number = [&](const char* name, double otherwise) {
    return e.scalar(dtype, call.has(name) ? call.real(name) : otherwise);
  };
  const double infinity = std::numeric_limits<double>::infinity();
  Value out = e.where(e.op(op::is_nan, {v}), number("nan", 0.0), v);
  out = e.where(e.op(op::eq, {v, e.scalar(dtype, infinity)}), number("posinf", largest), out);
  call.give(e.where(e.op(op::eq, {v, e.scalar(dtype, -infinity)}), number("neginf", -largest), out));
}

void fill(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  if (self->complex)
    call.unsupported("complex numbers");
  const Value v = call.tensors.read(self);
  const auto shape = call.emit.dims(v);
  const Operand number = call.operand("value");
  const Dims dims(shape.begin(), shape.end());
  const DType dtype = call.emit.dtype(v);
  if (!number.value && number.scalar.kind != Scalar::symbolic && is_float(dtype))
    return call.give(call.emit.full(dims, number.scalar.number(), dtype));
  call.give(call.emit.expand(materialize(call.emit, number, {dtype}), dims));
}

void zero(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self");
  const Value v = call.tensors.read(self);
  const auto shape = call.emit.dims(v);
  call.give(call.emit.full(Dims(shape.begin(), shape.end()), 0.0, call.emit.dtype(v)), self->complex);
}

void copy(Call& call, const Lowering&) {
  const Tensor self = call.tensor("self"), source = call.tensor("src");
  const Value old = call.tensors.read(self);
  Operand src = call.operand("src");
  if (src.type.complex && !self->complex)
    call.unsupported("a copy of complex numbers into real ones");
  const Value v = materialize(call.emit, src, {call.emit.dtype(old), self->complex});
  const auto shape = call.emit.dims(old);
  // Leading axes of length 1 that the target lacks go away.
  Value fitted = v;
  const auto from = call.emit.dims(v);
  if (from.size() > shape.size())
    fitted = call.emit.reshape(v, Dims(from.end() - static_cast<std::ptrdiff_t>(shape.size()), from.end()));
  call.give(call.emit.expand(fitted, Dims(shape.begin(), shape.end())), self->complex);
}

}  // namespace tandem::torch::lower
