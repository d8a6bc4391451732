#include <tandem/ir/io/torch/expressions.h>

namespace tandem::torch::expression {

namespace {

Value one(Emitter& e, Value x) {
  return e.scalar(e.dtype(x), 1.0);
}
Value half_sum(Emitter& e, Value x, OpId op) {
  const Value w = e.widen(x);
  return e.mul(e.op(op, {e.op(op::exp, {w}), e.op(op::exp, {e.op(op::neg, {w})})}), 0.5);
}
Value root_of_rest(Emitter& e, Value w) {
  return e.op(op::sqrt, {e.mul(e.sub(one(e, w), w), e.add(w, 1.0))});
}

}  // namespace

Value log1p(Emitter& e, Value x) {
  return e.op(op::log, {e.add(e.widen(x), 1.0)});
}
Value expm1(Emitter& e, Value x) {
  return e.add(e.op(op::exp, {e.widen(x)}), -1.0);
}
Value log2(Emitter& e, Value x) {
  return e.mul(e.op(op::log, {e.widen(x)}), 1.4426950408889634);
}
Value log10(Emitter& e, Value x) {
  return e.mul(e.op(op::log, {e.widen(x)}), 0.43429448190325182);
}
Value exp2(Emitter& e, Value x) {
  return e.op(op::exp, {e.mul(e.widen(x), 0.69314718055994531)});
}
Value tan(Emitter& e, Value x) {
  return e.div(e.op(op::sin, {x}), e.op(op::cos, {x}));
}
Value sinh(Emitter& e, Value x) {
  return half_sum(e, x, op::sub);
}
Value cosh(Emitter& e, Value x) {
  return half_sum(e, x, op::add);
}
Value atan(Emitter& e, Value x) {
  return e.op(op::atan2, {x, one(e, x)});
}
Value asin(Emitter& e, Value x) {
  const Value w = e.widen(x);
  return e.op(op::atan2, {w, root_of_rest(e, w)});
}
Value acos(Emitter& e, Value x) {
  const Value w = e.widen(x);
  return e.op(op::atan2, {root_of_rest(e, w), w});
}
Value asinh(Emitter& e, Value x) {
  const Value w = e.op(op::abs, {e.widen(x)});
  return e.mul(e.op(op::sign, {e.widen(x)}), e.op(op::log, {e.add(w, e.op(op::sqrt, {e.add(e.mul(w, w), 1.0)}))}));
}
Value acosh(Emitter& e, Value x) {
  const Value w = e.widen(x);
  return e.op(op::log, {e.add(w, e.op(op::sqrt, {e.mul(e.add(w, -1.0), e.add(w, 1.0))}))});
}
Value atanh(Emitter& e, Value x) {
  const Value w = e.widen(x);
  return e.mul(e.op(op::log, {e.div(e.add(w, 1.0), e.sub(one(e, w), w))}), 0.5);
}
Value erfc(Emitter& e, Value x) {
  const Value w = e.widen(x);
  return e.sub(one(e, w), e.op(op::erf, {w}));
}
Value frac(Emitter& e, Value x) {
  return e.sub(x, e.op(op::trunc, {x}));
}
Value clamped_to_6(Emitter& e, Value x) {
  return e.op(op::minimum, {e.op(op::relu, {x}), e.scalar(e.dtype(x), 6.0)});
}
Value hardsigmoid(Emitter& e, Value x) {
  return e.div(clamped_to_6(e, e.add(x, 3.0)), e.scalar(e.dtype(x), 6.0));
}
Value hardswish(Emitter& e, Value x) {
  return e.div(e.mul(x, clamped_to_6(e, e.add(x, 3.0))), e.scalar(e.dtype(x), 6.0));
}
Value mish(Emitter& e, Value x) {
  return e.mul(x, e.op(op::tanh, {e.op(op::softplus, {x})}));
}
Value log_sigmoid(Emitter& e, Value x) {
  return e.op(op::neg, {e.op(op::softplus, {e.op(op::neg, {x})})});
}
Value is_finite(Emitter& e, Value x) {
  if (!is_float(e.dtype(x)))
    return e.op(op::logical_not, {e.op(op::is_nan, {x})});
  return e.op(op::logical_not, {e.op(op::logical_or, {e.op(op::is_nan, {x}), e.op(op::is_inf, {x})})});
}

}  // namespace tandem::torch::expression
