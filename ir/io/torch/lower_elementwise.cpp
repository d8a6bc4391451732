// Elementwise operators: promotion made explicit by casts, numbers as scalars.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>

namespace tandem::torch::lower {

namespace {

struct Pair {
  Value a, b;
  TorchType type;
};

/// Both operands in the dtype in which PyTorch computes.
Pair promoted(Call& call, const Operand& a, const Operand& b, bool to_float = false) {
  const Operand both[] = {a, b};
  TorchType type = result_type(both);
  if (to_float && !is_float(type.dtype))
    type.dtype = DType::f32;
  return {materialize(call.emit, a, type), materialize(call.emit, b, type), type};
}

Pair promoted(Call& call, bool to_float = false) {
  return promoted(call, call.operand("self"), call.operand("other"), to_float);
}

/// Whether f16 or bf16 holds a number exactly.
bool is_exact(DType dtype, double x) {
  if (x == 0.0 || !std::isfinite(x))
    return true;
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  const int precision = dtype == DType::bf16 ? 8 : 11, lowest = dtype == DType::bf16 ? -133 : -24;
  const int digits = std::min(precision, exponent - lowest);
  const double scaled = std::ldexp(mantissa, digits);
  return digits > 0 && scaled == std::floor(scaled) && std::abs(x) <= (dtype == DType::bf16 ? 0x1.fep127 : 65504.0);
}

/// For add, sub, mul and div: beside f16 and bf16 PyTorch's CPU kernels take a number as f32, not rounded to the
/// tensor's dtype (aten/src/ATen/native/cpu/BinaryOpsKernel.cpp, opmath). The operands are then f32, and so is `type`;
/// the result is to be cast to `result`.
struct Arithmetic {
  Value a, b;
  TorchType type;
  DType result;
};

Arithmetic arithmetic(Call& call, const Operand& a, const Operand& b, bool to_float = false) {
  const Operand both[] = {a, b};
  TorchType type = result_type(both);
  if (to_float && !is_float(type.dtype))
    type.dtype = DType::f32;
  const DType result = type.dtype;
  const auto is_finer = [&](const Operand& o) {
    if (o.value)
      return o.rank == 0 && o.type.dtype == DType::f32;
    return o.scalar.kind != Scalar::symbolic && !is_exact(result, o.scalar.number());
  };
  if ((result == DType::f16 || result == DType::bf16) && !type.complex && (is_finer(a) || is_finer(b)))
    type.dtype = DType::f32;
  return {materialize(call.emit, a, type), materialize(call.emit, b, type), type, result};
}

Operand plain(Value v, Emitter& emit) {
  Operand o;
  o.value = v;
  o.type.dtype = emit.dtype(v);
  o.rank = emit.rank(v);
  return o;
}

Value real_part(Emitter& emit, Value v) {
  return emit.select(v, emit.rank(v) - 1, 0);
}
Value imaginary_part(Emitter& emit, Value v) {
  return emit.select(v, emit.rank(v) - 1, 1);
}

/// a / b rounded towards zero.
Value truncated_division(Emitter& emit, Value a, Value b) {
  if (is_float(emit.dtype(a)))
    return emit.op(op::trunc, {emit.div(a, b)});
  const Value magnitude = emit.op(op::floor_div, {emit.op(op::abs, {a}), emit.op(op::abs, {b})});
  return emit.mul(emit.mul(emit.op(op::sign, {a}), emit.op(op::sign, {b})), magnitude);
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

void multiply(Call& call, const Lowering&) {
  const Arithmetic p = arithmetic(call, call.operand("self"), call.operand("other"));
  if (p.type.complex)
    return call.give(multiply_complex(call.emit, p.a, p.b), true);
  call.give(call.emit.cast(call.emit.mul(p.a, p.b), p.result));
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

void add_scaled(Call& call, const Lowering& row) {
  const Operand a = call.operand("self");
  Operand b = call.operand("other");
  const Scalar alpha = call.scalar("alpha");
  const Operand both[] = {a, b};
  const TorchType type = result_type(both);
  if (alpha.kind == Scalar::symbolic || alpha.number() != 1.0) {
    Operand factor;
    factor.scalar = alpha;
    factor.type.dtype = alpha.kind == Scalar::real ? DType::f32 : DType::i64;
    if (type.complex)
      call.unsupported("complex numbers with alpha");
    b = plain(call.emit.mul(materialize(call.emit, b, type), materialize(call.emit, factor, type)), call.emit);
  }
  const Arithmetic p = arithmetic(call, a, b);
  call.give(call.emit.cast(call.emit.op(row.op, {p.a, p.b}), p.result), type.complex);
}

/// other - alpha * self
void rsub(Call& call, const Lowering&) {
  Arithmetic p = arithmetic(call, call.operand("self"), call.operand("other"));
  Operand alpha;
  alpha.scalar = call.scalar("alpha");
  if (alpha.scalar.kind == Scalar::symbolic || alpha.scalar.number() != 1.0) {
    if (p.type.complex)
      call.unsupported("complex numbers with alpha");
    p.a = call.emit.mul(p.a, materialize(call.emit, alpha, p.type));
  }
  call.give(call.emit.cast(call.emit.sub(p.b, p.a), p.result), p.type.complex);
}

void divide(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const std::string_view mode = call.has("rounding_mode") ? call.string("rounding_mode") : "";
  const Pair p = promoted(call, mode.empty());
  if (p.type.complex) {
    const Operand other = call.operand("other");
    if (other.type.complex || !mode.empty())
      call.unsupported("division by complex numbers");
    // Both parts are divided: the divisor gets an axis of length 1 for them.
    Value b = materialize(e, other, {p.type.dtype});
    if (other.value)
      b = e.unsqueeze(b, e.rank(b));
    return call.give(e.div(p.a, b), true);
  }
  if (mode == "floor")
    return call.give(e.op(op::floor_div, {p.a, p.b}));
  if (mode == "trunc")
    return call.give(truncated_division(e, p.a, p.b));
  if (!mode.empty())
    call.unsupported(fmt::format("rounding_mode '{}'", mode));
  const Arithmetic exact = arithmetic(call, call.operand("self"), call.operand("other"), true);
  call.give(e.cast(e.div(exact.a, exact.b), exact.result));
}

void fmod(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Pair p = promoted(call);
  const DType dtype = p.type.dtype;
  const bool wide = is_float(dtype);
  const Value a = wide ? e.widen(p.a) : p.a, b = wide ? e.widen(p.b) : p.b;
  call.give(e.cast(e.sub(a, e.mul(b, truncated_division(e, a, b))), dtype));
}

void ignoring_nan(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Pair p = promoted(call);
  if (!is_float(p.type.dtype))
    return call.give(e.op(row.op, {p.a, p.b}));
  const Value both = e.where(e.op(op::is_nan, {p.b}), p.a, e.op(row.op, {p.a, p.b}));
  call.give(e.where(e.op(op::is_nan, {p.a}), p.b, both));
}

void hypot(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Pair p = promoted(call);
  const Value sum = e.add(e.op(op::square, {e.widen(p.a)}), e.op(op::square, {e.widen(p.b)}));
  call.give(e.cast(e.op(op::sqrt, {sum}), p.type.dtype));
}

void floor_divide(Call& call, const Lowering&) {
  const Pair p = promoted(call);
  call.give(call.emit.op(op::floor_div, {p.a, p.b}));
}

void shift(Call& call, const Lowering& row) {
  const Pair p = promoted(call);
  if (is_float(p.type.dtype))
    call.unsupported("floats");
  const Value factor = call.emit.op(op::pow, {call.emit.integer(p.type.dtype, 2), p.b});
  call.give(call.emit.op(row.op, {p.a, factor}));
}

void power(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Operand a = call.operand("self"), b = call.operand("exponent");
  const Pair p = promoted(call, a, b);
  if (p.type.complex)
    call.unsupported("complex numbers");
  if (!b.value && b.scalar.kind != Scalar::symbolic) {
    // As PyTorch computes them (aten/src/ATen/native/cpu/PowKernel.cpp).
    const double n = b.scalar.number();
    const bool real = is_float(p.type.dtype);
    if (n == 1.0)
      return call.give(p.a);
    if (n == 2.0)
      return call.give(e.op(op::square, {p.a}));
    if (n == 3.0)
      return call.give(e.mul(e.op(op::square, {p.a}), p.a));
    if (real && n == 0.5)
      return call.give(e.op(op::sqrt, {p.a}));
    if (real && n == -0.5)
      return call.give(e.op(op::rsqrt, {p.a}));
    if (real && n == -1.0)
      return call.give(e.op(op::reciprocal, {p.a}));
    if (!real && n < 0.0)
      call.unsupported("a negative exponent of integers");
  }
  call.give(e.op(op::pow, {p.a, p.b}));
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

void addcmul(Call& call, const Lowering& row) {
  Emitter& e = call.emit;
  const Operand operands[] = {call.operand("self"), call.operand("tensor1"), call.operand("tensor2")};
  const TorchType type = result_type(operands);
  Value product = e.op(row.op, {materialize(e, operands[1], type), materialize(e, operands[2], type)});
  Operand factor;
  factor.scalar = call.scalar("value");
  if (factor.scalar.number() != 1.0)
    product = e.mul(product, materialize(e, factor, type));
  call.give(e.add(materialize(e, operands[0], type), product));
}

void lerp(Call& call, const Lowering&) {
  Emitter& e = call.emit;
  const Pair p = promoted(call, call.operand("self"), call.operand("end"));
  const Value weight = materialize(e, call.operand("weight"), p.type);
  // Symmetric, as PyTorch does it, so that weight 1 gives the end exactly.
  const Value difference = e.sub(p.b, p.a);
  const Value near_end = e.sub(p.b, e.mul(difference, e.sub(e.scalar(p.type.dtype, 1.0), weight)));
  const Value small = e.op(op::lt, {e.op(op::abs, {weight}), e.scalar(p.type.dtype, 0.5)});
  call.give(e.where(small, e.add(p.a, e.mul(weight, difference)), near_end));
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
