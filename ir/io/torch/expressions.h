// Functions of one variable that the IR has no op for, as expressions of those that it has. Operands are f32 or f64;
// expressions that would cancel go through f64, and give that.
#pragma once

#include <tandem/ir/io/torch/emit.h>

namespace tandem::torch::expression {

Value log1p(Emitter& e, Value x);
Value expm1(Emitter& e, Value x);
Value log2(Emitter& e, Value x);
Value log10(Emitter& e, Value x);
Value exp2(Emitter& e, Value x);
Value tan(Emitter& e, Value x);
Value sinh(Emitter& e, Value x);
Value cosh(Emitter& e, Value x);
Value atan(Emitter& e, Value x);
Value asin(Emitter& e, Value x);
Value acos(Emitter& e, Value x);
Value asinh(Emitter& e, Value x);
Value acosh(Emitter& e, Value x);
Value atanh(Emitter& e, Value x);
Value erfc(Emitter& e, Value x);
Value frac(Emitter& e, Value x);
Value clamped_to_6(Emitter& e, Value x);
Value hardsigmoid(Emitter& e, Value x);
Value hardswish(Emitter& e, Value x);
Value mish(Emitter& e, Value x);
Value log_sigmoid(Emitter& e, Value x);
Value is_finite(Emitter& e, Value x);

}  // namespace tandem::torch::expression
