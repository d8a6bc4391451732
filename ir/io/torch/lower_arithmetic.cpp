// Sums, products, quotients and powers: promotion made explicit by casts, numbers as PyTorch's kernels take them.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/torch/lower.h>
#include <tandem/ir/io/torch/operands.h>

namespace tandem::torch::lower {

namespace {

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

/// a / b rounded towards zero.
Value truncated_division(Emitter& emit, Value a, Value b) {
  if (is_float(emit.dtype(a)))
    return emit.op(op::trunc, {emit.div(a, b)});
  const Value magnitude = emit.op(op::floor_div, {emit.op(op::abs, {a}), emit.op(op::abs, {b})});
  return emit.mul(emit.mul(emit.op(op::sign, {a}), emit.op(op::sign, {b})), magnitude);
}

}  // namespace

Pair promoted(Call& call, const Operand& a, const Operand& b, bool to_float) {
  const Operand both[] = {a, b};
  TorchType type = result_type(both);
  if (to_float && !is_float(type.dtype))
    type.dtype = DType::f32;
  return {materialize(call.emit, a, type), materialize(call.emit, b, type), type};
}

Pair promoted(Call& call, bool to_float) {
  return promoted(call, call.operand("self"), call.operand("other"), to_float);
}

void multiply(Call& call, const Lowering&) {
  const Arithmetic p = arithmetic(call, call.operand("self"), call.operand("other"));
  if (p.type.complex)
    return call.give(multiply_complex(call.emit, p.a, p.b), true);
  call.give(call.emit.cast(call.emit.mul(p.a, p.b), p.result));
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

}  // namespace tandem::torch::lower
