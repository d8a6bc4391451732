// One row an operator: target, schema, lowering.
//
// Arguments of placement (device, layout, pin_memory, memory_format, non_blocking, generator) are accepted everywhere
// and not listed. What an exporter leaves out has the default that stands here; an argument without one must be given.
#include <tandem/ir/io/torch/table.h>

namespace tandem::torch {

namespace {

using namespace lower;  // NOLINT: the rows are its vocabulary

constexpr Lowering is(Lowering::Function f, double number = 0.0) {
  return {f, {}, nullptr, number};
}
constexpr Lowering with(Lowering::Function f, OpId op, double number = 0.0) {
  return {f, op, nullptr, number};
}
constexpr Lowering unary_of(OpId op) {
  return {lower::unary, op};
}
constexpr Lowering float_of(OpId op) {
  return {lower::unary_float, op};
}
constexpr Lowering binary_of(OpId op) {
  return {lower::binary, op};
}
constexpr Lowering compare_of(OpId op) {
  return {lower::compare, op};
}
constexpr Lowering logical_of(OpId op) {
  return {lower::logical, op};
}
constexpr Lowering bitwise_of(OpId op) {
  return {lower::bitwise, op};
}
constexpr Lowering expression(Lowering::Expression f) {
  return {lower::composed, {}, f};
}
constexpr Lowering test_of(Lowering::Expression f) {
  return {lower::test, {}, f};
}

// --- expressions, on f32 or f64; those that would cancel go through f64
using V = Value;
Value one(Emitter& e, Value x) {
  return e.scalar(e.dtype(x), 1.0);
}
Value log1p(Emitter& e, V x) {
  return e.op(op::log, {e.add(e.widen(x), 1.0)});
}
Value expm1(Emitter& e, V x) {
  return e.add(e.op(op::exp, {e.widen(x)}), -1.0);
}
Value log2(Emitter& e, V x) {
  return e.mul(e.op(op::log, {e.widen(x)}), 1.4426950408889634);
}
Value log10(Emitter& e, V x) {
  return e.mul(e.op(op::log, {e.widen(x)}), 0.43429448190325182);
}
Value exp2(Emitter& e, V x) {
  return e.op(op::exp, {e.mul(e.widen(x), 0.69314718055994531)});
}
Value tan(Emitter& e, V x) {
  return e.div(e.op(op::sin, {x}), e.op(op::cos, {x}));
}
Value half_sum(Emitter& e, V x, OpId op) {
  const V w = e.widen(x);
  return e.mul(e.op(op, {e.op(op::exp, {w}), e.op(op::exp, {e.op(op::neg, {w})})}), 0.5);
}
Value sinh(Emitter& e, V x) {
  return half_sum(e, x, op::sub);
}
Value cosh(Emitter& e, V x) {
  return half_sum(e, x, op::add);
}
Value root_of_rest(Emitter& e, V w) {
  return e.op(op::sqrt, {e.mul(e.sub(one(e, w), w), e.add(w, 1.0))});
}
Value atan(Emitter& e, V x) {
  return e.op(op::atan2, {x, one(e, x)});
}
Value asin(Emitter& e, V x) {
  const V w = e.widen(x);
  return e.op(op::atan2, {w, root_of_rest(e, w)});
}
Value acos(Emitter& e, V x) {
  const V w = e.widen(x);
  return e.op(op::atan2, {root_of_rest(e, w), w});
}
Value asinh(Emitter& e, V x) {
  const V w = e.op(op::abs, {e.widen(x)});
  return e.mul(e.op(op::sign, {e.widen(x)}), e.op(op::log, {e.add(w, e.op(op::sqrt, {e.add(e.mul(w, w), 1.0)}))}));
}
Value acosh(Emitter& e, V x) {
  const V w = e.widen(x);
  return e.op(op::log, {e.add(w, e.op(op::sqrt, {e.mul(e.add(w, -1.0), e.add(w, 1.0))}))});
}
Value atanh(Emitter& e, V x) {
  const V w = e.widen(x);
  return e.mul(e.op(op::log, {e.div(e.add(w, 1.0), e.sub(one(e, w), w))}), 0.5);
}
Value erfc(Emitter& e, V x) {
  const V w = e.widen(x);
  return e.sub(one(e, w), e.op(op::erf, {w}));
}
Value frac(Emitter& e, V x) {
  return e.sub(x, e.op(op::trunc, {x}));
}
Value clamped_to_6(Emitter& e, V x) {
  return e.op(op::minimum, {e.op(op::relu, {x}), e.scalar(e.dtype(x), 6.0)});
}
Value hardsigmoid(Emitter& e, V x) {
  return e.div(clamped_to_6(e, e.add(x, 3.0)), e.scalar(e.dtype(x), 6.0));
}
Value hardswish(Emitter& e, V x) {
  return e.div(e.mul(x, clamped_to_6(e, e.add(x, 3.0))), e.scalar(e.dtype(x), 6.0));
}
Value mish(Emitter& e, V x) {
  return e.mul(x, e.op(op::tanh, {e.op(op::softplus, {x})}));
}
Value log_sigmoid(Emitter& e, V x) {
  return e.op(op::neg, {e.op(op::softplus, {e.op(op::neg, {x})})});
}
Value is_finite(Emitter& e, V x) {
  if (!is_float(e.dtype(x)))
    return e.op(op::logical_not, {e.op(op::is_nan, {x})});
  return e.op(op::logical_not, {e.op(op::logical_or, {e.op(op::is_nan, {x}), e.op(op::is_inf, {x})})});
}

// clang-format off
constexpr Row rows[] = {
  // --- elementwise, one tensor
  {"aten.abs.default",            "self", is(absolute)},
  {"aten.neg.default",            "self", is(negate)},
  {"aten.positive.default",       "self", is(alias)},
  {"aten.sign.default",           "self", is(lower::sign)},
  {"aten.sgn.default",            "self", is(lower::sign)},
  {"aten.square.default",         "self", unary_of(op::square)},
  {"aten.relu.default",           "self", unary_of(op::relu)},
  {"aten.bitwise_not.default",    "self", unary_of(op::bitwise_not)},
  {"aten.exp.default",            "self", float_of(op::exp)},
  {"aten.log.default",            "self", float_of(op::log)},
  {"aten.sqrt.default",           "self", float_of(op::sqrt)},
  {"aten.rsqrt.default",          "self", float_of(op::rsqrt)},
  {"aten.reciprocal.default",     "self", float_of(op::reciprocal)},
  {"aten.sin.default",            "self", float_of(op::sin)},
  {"aten.cos.default",            "self", float_of(op::cos)},
  {"aten.tanh.default",           "self", float_of(op::tanh)},
  {"aten.erf.default",            "self", float_of(op::erf)},
  {"aten.sigmoid.default",        "self", float_of(op::sigmoid)},
  {"aten.silu.default",           "self", float_of(op::silu)},
  {"aten.floor.default",          "self", {lower::rounding, op::floor}},
  {"aten.ceil.default",           "self", {lower::rounding, op::ceil}},
  {"aten.round.default",          "self", {lower::rounding, op::round}},
  {"aten.trunc.default",          "self", {lower::rounding, op::trunc}},
  {"aten.fix.default",            "self", {lower::rounding, op::trunc}},
  {"aten.isnan.default",          "self", {lower::test, op::is_nan}},
  {"aten.isinf.default",          "self", {lower::test, op::is_inf}},
  {"aten.isfinite.default",       "self", test_of(is_finite)},
  {"aten.logical_not.default",    "self", {lower::test, op::logical_not}},
  {"aten.log1p.default",          "self", expression(torch::log1p)},
  {"aten.expm1.default",          "self", expression(torch::expm1)},
  {"aten.log2.default",           "self", expression(torch::log2)},
  {"aten.log10.default",          "self", expression(torch::log10)},
  {"aten.exp2.default",           "self", expression(torch::exp2)},
  {"aten.tan.default",            "self", expression(torch::tan)},
  {"aten.sinh.default",           "self", expression(torch::sinh)},
  {"aten.cosh.default",           "self", expression(torch::cosh)},
  {"aten.asin.default",           "self", expression(torch::asin)},
  {"aten.acos.default",           "self", expression(torch::acos)},
  {"aten.atan.default",           "self", expression(torch::atan)},
  {"aten.asinh.default",          "self", expression(torch::asinh)},
  {"aten.acosh.default",          "self", expression(torch::acosh)},
  {"aten.atanh.default",          "self", expression(torch::atanh)},
  {"aten.erfc.default",           "self", expression(torch::erfc)},
  {"aten.frac.default",           "self", expression(frac)},
  {"aten.gelu.default",           "self, approximate=none", is(gelu)},
  {"aten.softplus.default",       "self, beta=1, threshold=20", is(softplus)},
  {"aten.leaky_relu.default",     "self, negative_slope=0.01", is(leaky_relu)},
  {"aten.elu.default",            "self, alpha=1, scale=1, input_scale=1", is(elu)},
  {"aten.hardtanh.default",       "self, min_val=-1, max_val=1", is(hardtanh)},
  {"aten.relu6.default",          "self", expression(clamped_to_6)},
  {"aten.hardsigmoid.default",    "self", expression(hardsigmoid)},
  {"aten.hardswish.default",      "self", expression(hardswish)},
  {"aten.mish.default",           "self", expression(mish)},
  {"aten.log_sigmoid.default",    "self", expression(log_sigmoid)},
  {"aten.glu.default",            "self, dim=-1", is(glu)},
  {"aten.nan_to_num.default",     "self, nan=None, posinf=None, neginf=None", is(nan_to_num)},

  // --- elementwise, several tensors or numbers
  {"aten.add.Tensor",             "self, other, alpha=1", with(add_scaled, op::add)},
  {"aten.add.Scalar",             "self, other, alpha=1", with(add_scaled, op::add)},
  {"aten.sub.Tensor",             "self, other, alpha=1", with(add_scaled, op::sub)},
  {"aten.sub.Scalar",             "self, other, alpha=1", with(add_scaled, op::sub)},
  {"aten.rsub.Scalar",            "self, other, alpha=1", is(rsub)},
  {"aten.rsub.Tensor",            "self, other, alpha=1", is(rsub)},
  {"aten.mul.Tensor",             "self, other", is(multiply)},
  {"aten.mul.Scalar",             "self, other", is(multiply)},
  {"aten.div.Tensor",             "self, other, rounding_mode=None", is(divide)},
  {"aten.div.Scalar",             "self, other, rounding_mode=None", is(divide)},
  {"aten.div.Tensor_mode",        "self, other, rounding_mode", is(divide)},
  {"aten.div.Scalar_mode",        "self, other, rounding_mode", is(divide)},
  {"aten.true_divide.Tensor",     "self, other, rounding_mode=None", is(divide)},
  {"aten.floor_divide.default",   "self, other", is(floor_divide)},
  {"aten.floor_divide.Scalar",    "self, other", is(floor_divide)},
  {"aten.remainder.Tensor",       "self, other", binary_of(op::remainder)},
  {"aten.remainder.Scalar",       "self, other", binary_of(op::remainder)},
  {"aten.fmod.Tensor",            "self, other", is(fmod)},
  {"aten.fmod.Scalar",            "self, other", is(fmod)},
  {"aten.pow.Tensor_Scalar",      "self, exponent", is(power)},
  {"aten.pow.Tensor_Tensor",      "self, exponent", is(power)},
  {"aten.pow.Scalar",             "self, exponent", is(power)},
  {"aten.atan2.default",          "self, other", with(binary_float, op::atan2)},
  {"aten.maximum.default",        "self, other", binary_of(op::maximum)},
  {"aten.minimum.default",        "self, other", binary_of(op::minimum)},
  {"aten.max.other",              "self, other", binary_of(op::maximum)},
  {"aten.min.other",              "self, other", binary_of(op::minimum)},
  {"aten.fmax.default",           "self, other", with(ignoring_nan, op::maximum)},
  {"aten.fmin.default",           "self, other", with(ignoring_nan, op::minimum)},
  {"aten.hypot.default",          "self, other", is(hypot)},
  {"aten.eq.Tensor",              "self, other", compare_of(op::eq)},
  {"aten.eq.Scalar",              "self, other", compare_of(op::eq)},
  {"aten.ne.Tensor",              "self, other", compare_of(op::ne)},
  {"aten.ne.Scalar",              "self, other", compare_of(op::ne)},
  {"aten.lt.Tensor",              "self, other", compare_of(op::lt)},
  {"aten.lt.Scalar",              "self, other", compare_of(op::lt)},
  {"aten.le.Tensor",              "self, other", compare_of(op::le)},
  {"aten.le.Scalar",              "self, other", compare_of(op::le)},
  {"aten.gt.Tensor",              "self, other", compare_of(op::gt)},
  {"aten.gt.Scalar",              "self, other", compare_of(op::gt)},
  {"aten.ge.Tensor",              "self, other", compare_of(op::ge)},
  {"aten.ge.Scalar",              "self, other", compare_of(op::ge)},
  {"aten.logical_and.default",    "self, other", logical_of(op::logical_and)},
  {"aten.logical_or.default",     "self, other", logical_of(op::logical_or)},
  {"aten.logical_xor.default",    "self, other", logical_of(op::logical_xor)},
  {"aten.bitwise_and.Tensor",     "self, other", bitwise_of(op::bitwise_and)},
  {"aten.bitwise_and.Scalar",     "self, other", bitwise_of(op::bitwise_and)},
  {"aten.bitwise_or.Tensor",      "self, other", bitwise_of(op::bitwise_or)},
  {"aten.bitwise_or.Scalar",      "self, other", bitwise_of(op::bitwise_or)},
  {"aten.bitwise_xor.Tensor",     "self, other", bitwise_of(op::bitwise_xor)},
  {"aten.bitwise_xor.Scalar",     "self, other", bitwise_of(op::bitwise_xor)},
  {"aten.__and__.Tensor",         "self, other", bitwise_of(op::bitwise_and)},
  {"aten.__and__.Scalar",         "self, other", bitwise_of(op::bitwise_and)},
  {"aten.__or__.Tensor",          "self, other", bitwise_of(op::bitwise_or)},
  {"aten.__or__.Scalar",          "self, other", bitwise_of(op::bitwise_or)},
  {"aten.__xor__.Tensor",         "self, other", bitwise_of(op::bitwise_xor)},
  {"aten.__xor__.Scalar",         "self, other", bitwise_of(op::bitwise_xor)},
  {"aten.__lshift__.Scalar",      "self, other", with(shift, op::mul)},
  {"aten.__lshift__.Tensor",      "self, other", with(shift, op::mul)},
  {"aten.__rshift__.Scalar",      "self, other", with(shift, op::floor_div)},
  {"aten.__rshift__.Tensor",      "self, other", with(shift, op::floor_div)},
  {"aten.bitwise_left_shift.Tensor",         "self, other", with(shift, op::mul)},
  {"aten.bitwise_left_shift.Tensor_Scalar",  "self, other", with(shift, op::mul)},
  {"aten.bitwise_right_shift.Tensor",        "self, other", with(shift, op::floor_div)},
  {"aten.bitwise_right_shift.Tensor_Scalar", "self, other", with(shift, op::floor_div)},
  {"aten.clamp.default",          "self, min=None, max=None", is(clamp)},
  {"aten.clamp.Tensor",           "self, min=None, max=None", is(clamp)},
  {"aten.clip.default",           "self, min=None, max=None", is(clamp)},
  {"aten.clamp_min.default",      "self, min", with(clamp_one, op::maximum)},
  {"aten.clamp_min.Tensor",       "self, min", with(clamp_one, op::maximum)},
  {"aten.clamp_max.default",      "self, max", with(clamp_one, op::minimum)},
  {"aten.clamp_max.Tensor",       "self, max", with(clamp_one, op::minimum)},
  {"aten.where.self",             "condition, self, other", is(where)},
  {"aten.where.ScalarSelf",       "condition, self, other", is(where)},
  {"aten.where.ScalarOther",      "condition, self, other", is(where)},
  {"aten.where.Scalar",           "condition, self, other", is(where)},
  {"aten.masked_fill.Scalar",     "self, mask, value", is(masked_fill)},
  {"aten.masked_fill.Tensor",     "self, mask, value", is(masked_fill)},
  {"aten.addcmul.default",        "self, tensor1, tensor2, value=1", with(addcmul, op::mul)},
  {"aten.addcdiv.default",        "self, tensor1, tensor2, value=1", with(addcmul, op::div)},
  {"aten.lerp.Scalar",            "self, end, weight", is(lerp)},
  {"aten.lerp.Tensor",            "self, end, weight", is(lerp)},
  {"aten.fill.Scalar",            "self, value", is(fill)},
  {"aten.fill.Tensor",            "self, value", is(fill)},
  {"aten.zero.default",           "self", is(zero)},
  {"aten.copy.default",           "self, src", is(copy)},

  // --- conversions, copies, aliases, complex numbers
  {"aten.to.dtype",               "self, dtype, non_blocking=False, copy=False", is(to_dtype)},
  {"aten.to.dtype_layout",        "self, dtype=None, non_blocking=False, copy=False", is(to_dtype)},
  {"aten.to.device",              "self, device=None, dtype=None, non_blocking=False, copy=False", is(to_dtype)},
  {"aten.to.other",               "self, other, non_blocking=False, copy=False", is(to_other)},
  {"aten.to.prim_Device",         "self, device=None, dtype=None, non_blocking=False, copy=False", is(to_dtype)},
  {"aten.to.prim_dtype",          "self, dtype=None, non_blocking=False, copy=False", is(to_dtype)},
  {"aten.type_as.default",        "self, other, copy=False", is(to_other)},
  {"aten._to_copy.default",       "self, dtype=None", is(to_copy)},
  {"aten.clone.default",          "self", is(clone)},
  {"aten.lift_fresh_copy.default", "self", is(clone)},
  {"aten.alias_copy.default",     "self", is(clone)},
  {"aten.detach_copy.default",    "self", is(clone)},
  {"aten.alias.default",          "self", is(alias)},
  {"aten.detach.default",         "self", is(alias)},
  {"aten.detach_.default",        "self", is(alias)},
  {"aten.lift_fresh.default",     "self", is(alias)},
  {"aten.lift.default",           "self", is(alias)},
  {"aten.contiguous.default",     "self", is(contiguous)},
  {"aten.dropout.default",        "input, p, train", is(dropout)},
  {"aten.feature_dropout.default", "input, p, train", is(dropout)},
  {"aten.native_dropout.default", "input, p, train", is(native_dropout)},
  {"aten.view_as_complex.default", "self", is(view_as_complex)},
  {"aten.view_as_real.default",   "self", is(view_as_real)},
  {"aten.real.default",           "self", is(complex_part, 0)},
  {"aten.imag.default",           "self", is(complex_part, 1)},
  {"aten.polar.default",          "abs, angle", is(polar)},
  {"aten.complex.default",        "real, imag", is(make_complex)},
  {"aten._conj.default",          "self", is(conjugate)},
  {"aten.conj.default",           "self", is(conjugate)},
  {"aten._conj_physical.default", "self", is(conjugate)},
  {"aten.conj_physical.default",  "self", is(conjugate)},
  {"aten.resolve_conj.default",   "self", is(alias)},
  {"aten.resolve_neg.default",    "self", is(alias)},

  // --- views
  {"aten.view.default",           "self, size", is(view)},
  {"aten._unsafe_view.default",   "self, size", is(lower::reshape)},
  {"aten.view_as.default",        "self, other", is(view)},
  {"aten.unsqueeze.default",      "self, dim", is(view)},
  {"aten.squeeze.default",        "self", is(view)},
  {"aten.squeeze.dim",            "self, dim", is(view)},
  {"aten.squeeze.dims",           "self, dim", is(view)},
  {"aten.unflatten.int",          "self, dim, sizes", is(view)},
  {"aten.reshape.default",        "self, shape", is(lower::reshape)},
  {"aten.reshape_as.default",     "self, other", is(lower::reshape)},
  {"aten.flatten.using_ints",     "self, start_dim=0, end_dim=-1", is(lower::reshape)},
  {"aten.ravel.default",          "self", is(lower::reshape)},
  {"aten.permute.default",        "self, dims", is(permute)},
  {"aten.transpose.int",          "self, dim0, dim1", is(lower::transpose, 0)},
  {"aten.swapaxes.default",       "self, axis0, axis1", is(swap, 0)},
  {"aten.swapdims.default",       "self, dim0, dim1", is(lower::transpose, 0)},
  {"aten.t.default",              "self", is(lower::transpose, 1)},
  {"aten.mT.default",             "self", is(lower::transpose, 1)},
  {"aten.numpy_T.default",        "self", is(reverse_axes)},
  {"aten.movedim.int",            "self, source, destination", is(movedim)},
  {"aten.movedim.intlist",        "self, source, destination", is(movedim)},
  {"aten.expand.default",         "self, size", is(lower::expand)},
  {"aten.expand_as.default",      "self, other", is(lower::expand)},
  {"aten.broadcast_to.default",   "self, size", is(lower::expand)},
  {"aten.slice.Tensor",           "self, dim=0, start=None, end=None, step=1", is(lower::slice)},
  {"aten.select.int",             "self, dim, index", is(lower::select)},
  {"aten.narrow.default",         "self, dim, start, length", is(narrow)},
  {"aten.split.Tensor",           "self, split_size, dim=0", is(split)},
  {"aten.split.sizes",            "self, split_size, dim=0", is(split)},
  {"aten.split_with_sizes.default", "self, split_sizes, dim=0", is(split)},
  {"aten.chunk.default",          "self, chunks, dim=0", is(split)},
  {"aten.tensor_split.sections",  "self, sections, dim=0", is(split)},
  {"aten.tensor_split.indices",   "self, indices, dim=0", is(split)},
  {"aten.unbind.int",             "self, dim=0", is(unbind)},
  {"aten.diagonal.default",       "self, offset=0, dim1=0, dim2=1", is(diagonal)},
  {"aten.as_strided.default",     "self, size, stride, storage_offset=None", is(as_strided)},
  {"aten.unfold.default",         "self, dimension, size, step", is(unfold)},
  {"aten.view_copy.default",      "self, size", is(lower::reshape)},
  {"aten.expand_copy.default",    "self, size", is(lower::expand)},
  {"aten.unsqueeze_copy.default", "self, dim", is(lower::reshape)},
  {"aten.permute_copy.default",   "self, dims", is(permute)},
  {"aten.slice_scatter.default",  "self, src, dim=0, start=None, end=None, step=1", is(slice_scatter)},
  {"aten.select_scatter.default", "self, src, dim, index", is(select_scatter)},
  {"aten.diagonal_scatter.default", "self, src, offset=0, dim1=0, dim2=1", is(diagonal_scatter)},

  // --- assembly and creation
  {"aten.cat.default",            "tensors, dim=0", is(cat)},
  {"aten.concat.default",         "tensors, dim=0", is(cat)},
  {"aten.stack.default",          "tensors, dim=0", is(stack)},
  {"aten.hstack.default",         "tensors", is(hstack, 1)},
  {"aten.vstack.default",         "tensors", is(hstack, 0)},
  {"aten.repeat.default",         "self, repeats", is(repeat, 0)},
  {"aten.tile.default",           "self, dims", is(repeat, 1)},
  {"aten.repeat_interleave.self_int", "self, repeats, dim=None, output_size=None", is(repeat_interleave)},
  {"aten.pad.default",            "self, pad, mode=constant, value=None", is(pad, 0)},
  {"aten.constant_pad_nd.default", "self, pad, value=0", is(pad, 1)},
  {"aten.reflection_pad1d.default", "self, padding", is(lower::pad_by_index, 0)},
  {"aten.reflection_pad2d.default", "self, padding", is(lower::pad_by_index, 0)},
  {"aten.reflection_pad3d.default", "self, padding", is(lower::pad_by_index, 0)},
  {"aten.replication_pad1d.default", "self, padding", is(lower::pad_by_index, 1)},
  {"aten.replication_pad2d.default", "self, padding", is(lower::pad_by_index, 1)},
  {"aten.replication_pad3d.default", "self, padding", is(lower::pad_by_index, 1)},
  {"aten.flip.default",           "self, dims", is(flip)},
  {"aten.roll.default",           "self, shifts, dims=[]", is(roll)},
  {"aten.meshgrid.default",       "tensors", is(meshgrid, 0)},
  {"aten.meshgrid.indexing",      "tensors, indexing", is(meshgrid, 1)},
  {"aten.arange.default",         "end, dtype=None", is(arange, 0)},
  {"aten.arange.start",           "start, end, dtype=None", is(arange, 1)},
  {"aten.arange.start_step",      "start, end, step=1, dtype=None", is(arange, 2)},
  {"aten.full.default",           "size, fill_value, dtype=None", is(lower::full)},
  {"aten.full_like.default",      "self, fill_value, dtype=None", is(lower::full)},
  {"aten.new_full.default",       "self, size, fill_value, dtype=None", is(lower::full)},
  {"aten.zeros.default",          "size, dtype=None", is(filled, 0)},
  {"aten.zeros_like.default",     "self, dtype=None", is(filled, 0)},
  {"aten.new_zeros.default",      "self, size, dtype=None", is(filled, 0)},
  {"aten.ones.default",           "size, dtype=None", is(filled, 1)},
  {"aten.ones_like.default",      "self, dtype=None", is(filled, 1)},
  {"aten.new_ones.default",       "self, size, dtype=None", is(filled, 1)},
  {"aten.empty.memory_format",    "size, dtype=None", is(filled, 0)},
  {"aten.empty_like.default",     "self, dtype=None", is(filled, 0)},
  {"aten.empty_permuted.default", "size, physical_layout, dtype=None", is(filled, 0)},
  {"aten.empty_strided.default",  "size, stride, dtype=None", is(filled, 0)},
  {"aten.new_empty.default",      "self, size, dtype=None", is(filled, 0)},
  {"aten.new_empty_strided.default", "self, size, stride, dtype=None", is(filled, 0)},
  {"aten.eye.default",            "n, dtype=None", is(eye)},
  {"aten.eye.m",                  "n, m, dtype=None", is(eye)},
  {"aten.linspace.default",       "start, end, steps, dtype=None", is(linspace)},
  {"aten.scalar_tensor.default",  "s, dtype=None", is(scalar_tensor)},
  {"aten.triu.default",           "self, diagonal=0", with(triangle, op::ge)},
  {"aten.tril.default",           "self, diagonal=0", with(triangle, op::le)},

  // --- reductions, scans, orders
  {"aten.sum.default",            "self, dim=None, keepdim=False, dtype=None", with(sum, op::sum)},
  {"aten.sum.dim_IntList",        "self, dim, keepdim=False, dtype=None", with(sum, op::sum)},
  {"aten.prod.default",           "self, dim=None, keepdim=False, dtype=None", with(sum, op::prod)},
  {"aten.prod.dim_int",           "self, dim, keepdim=False, dtype=None", with(sum, op::prod)},
  {"aten.mean.default",           "self, dim=None, keepdim=False, dtype=None", is(mean)},
  {"aten.mean.dim",               "self, dim, keepdim=False, dtype=None", is(mean)},
  {"aten.amax.default",           "self, dim=[], keepdim=False", with(extremum, op::reduce_max)},
  {"aten.amin.default",           "self, dim=[], keepdim=False", with(extremum, op::reduce_min)},
  {"aten.max.default",            "self, dim=[], keepdim=False", with(extremum, op::reduce_max)},
  {"aten.min.default",            "self, dim=[], keepdim=False", with(extremum, op::reduce_min)},
  {"aten.max.dim",                "self, dim, keepdim=False", with(extremum_at, op::reduce_max)},
  {"aten.min.dim",                "self, dim, keepdim=False", with(extremum_at, op::reduce_min)},
  {"aten.aminmax.default",        "self, dim=None, keepdim=False", is(aminmax)},
  {"aten.argmax.default",         "self, dim=None, keepdim=False", with(arg_extremum, op::argmax)},
  {"aten.argmin.default",         "self, dim=None, keepdim=False", with(arg_extremum, op::argmin)},
  {"aten.any.default",            "self, dim=None, keepdim=False", with(test_over, op::any)},
  {"aten.any.dim",                "self, dim, keepdim=False", with(test_over, op::any)},
  {"aten.any.dims",               "self, dim=None, keepdim=False", with(test_over, op::any)},
  {"aten.all.default",            "self, dim=None, keepdim=False", with(test_over, op::all)},
  {"aten.all.dim",                "self, dim, keepdim=False", with(test_over, op::all)},
  {"aten.all.dims",               "self, dim=None, keepdim=False", with(test_over, op::all)},
  {"aten.count_nonzero.default",  "self, dim=None", is(count_nonzero)},
  {"aten.count_nonzero.dim_IntList", "self, dim", is(count_nonzero)},
  {"aten.cumsum.default",         "self, dim, dtype=None", is(cumsum)},
  {"aten.var.default",            "self, unbiased=True, dim=None, keepdim=False", with(variance, op::sub)},
  {"aten.var.dim",                "self, dim, unbiased=True, keepdim=False", with(variance, op::sub)},
  {"aten.var.correction",         "self, dim=None, correction=None, keepdim=False", is(variance)},
  {"aten.std.default",            "self, unbiased=True, dim=None, keepdim=False", with(variance, op::sub, 1)},
  {"aten.std.dim",                "self, dim, unbiased=True, keepdim=False", with(variance, op::sub, 1)},
  {"aten.std.correction",         "self, dim=None, correction=None, keepdim=False", is(variance, 1)},
  {"aten.var_mean.default",       "self, unbiased=True, dim=None, keepdim=False", with(var_mean, op::sub)},
  {"aten.var_mean.dim",           "self, dim, unbiased=True, keepdim=False", with(var_mean, op::sub)},
  {"aten.std_mean.default",       "self, unbiased=True, dim=None, keepdim=False", with(var_mean, op::sub, 1)},
  {"aten.std_mean.dim",           "self, dim, unbiased=True, keepdim=False", with(var_mean, op::sub, 1)},
  {"aten.std_mean.correction",    "self, dim=None, correction=None, keepdim=False", is(var_mean, 1)},
  {"aten.var_mean.correction",    "self, dim=None, correction=None, keepdim=False", is(var_mean)},
  {"aten.norm.Scalar",            "self, p=2, dim=None, keepdim=False, dtype=None", is(vector_norm)},
  {"aten.norm.ScalarOpt_dim",     "self, p, dim, keepdim=False, dtype=None", is(vector_norm)},
  {"aten.norm.ScalarOpt_dim_dtype", "self, p, dim, keepdim, dtype", is(vector_norm)},
  {"aten.linalg_vector_norm.default", "self, ord=2, dim=None, keepdim=False, dtype=None", is(vector_norm, 1)},
  {"aten.logsumexp.default",      "self, dim, keepdim=False", is(logsumexp)},
  {"aten.softmax.int",            "self, dim, dtype=None", is(softmax, 0)},
  {"aten._softmax.default",       "self, dim, half_to_float", is(softmax, 1)},
  {"aten.log_softmax.int",        "self, dim, dtype=None", is(log_softmax, 0)},
  {"aten._log_softmax.default",   "self, dim, half_to_float", is(log_softmax, 1)},
  {"aten.topk.default",           "self, k, dim=-1, largest=True, sorted=True", is(topk)},
  {"aten.sort.default",           "self, dim=-1, descending=False", is(sort)},
  {"aten.sort.stable",            "self, stable=None, dim=-1, descending=False", is(sort)},
  {"aten.argsort.default",        "self, dim=-1, descending=False", is(argsort)},
  {"aten.argsort.stable",         "self, stable, dim=-1, descending=False", is(argsort)},
  {"aten.diff.default",           "self, n=1, dim=-1, prepend=None, append=None", is(diff)},
  {"aten.histc.default",          "self, bins=100, min=0, max=0", is(histc)},

  // --- norms
  {"aten.rms_norm.default",       "input, normalized_shape, weight=None, eps=None", is(lower::rms_norm, 0)},
  {"aten._fused_rms_norm.default", "input, normalized_shape, weight=None, eps=None", is(lower::rms_norm, 1)},
  {"aten.layer_norm.default",     "input, normalized_shape, weight=None, bias=None, eps=1e-05", is(lower::layer_norm, 0)},
  {"aten.native_layer_norm.default", "input, normalized_shape, weight, bias, eps", is(lower::layer_norm, 1)},
  {"aten.group_norm.default",     "input, num_groups, weight=None, bias=None, eps=1e-05", is(group_norm, 0)},
  {"aten.native_group_norm.default", "input, weight, bias, N, C, HxW, group, eps", is(group_norm, 1)},
  {"aten._native_batch_norm_legit_no_training.default",
                                  "input, weight, bias, running_mean, running_var, momentum, eps", is(batch_norm)},

  {"aten.batch_norm.default",
   "input, weight=None, bias=None, running_mean=None, running_var=None, training, momentum, eps", is(batch_norm)},
  {"aten._native_batch_norm_legit.default",
   "input, weight, bias, running_mean, running_var, training, momentum, eps", is(batch_norm)},
  {"aten._native_batch_norm_legit.no_stats", "input, weight, bias, training, momentum, eps", is(batch_norm, 1)},

  // --- pooling and resizing
  {"aten.avg_pool1d.default",     "self, kernel_size, stride=[], padding=0, ceil_mode=False, count_include_pad=True", is(average_pool, 1)},
  {"aten.avg_pool2d.default",     "self, kernel_size, stride=[], padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None", is(average_pool, 2)},
  {"aten.avg_pool3d.default",     "self, kernel_size, stride=[], padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None", is(average_pool, 3)},
  {"aten.max_pool1d.default",     "self, kernel_size, stride=[], padding=0, dilation=1, ceil_mode=False", is(max_pool, 1)},
  {"aten.max_pool2d.default",     "self, kernel_size, stride=[], padding=0, dilation=1, ceil_mode=False", is(max_pool, 2)},
  {"aten.max_pool3d.default",     "self, kernel_size, stride=[], padding=0, dilation=1, ceil_mode=False", is(max_pool, 3)},
  {"aten.max_pool2d_with_indices.default", "self, kernel_size, stride=[], padding=0, dilation=1, ceil_mode=False", is(max_pool, 2)},
  {"aten.max_pool3d_with_indices.default", "self, kernel_size, stride=[], padding=0, dilation=1, ceil_mode=False", is(max_pool, 3)},
  {"aten.adaptive_avg_pool1d.default",  "self, output_size", is(adaptive_average_pool, 1)},
  {"aten.adaptive_avg_pool2d.default",  "self, output_size", is(adaptive_average_pool, 2)},
  {"aten.adaptive_avg_pool3d.default",  "self, output_size", is(adaptive_average_pool, 3)},
  {"aten._adaptive_avg_pool2d.default", "self, output_size", is(adaptive_average_pool, 2)},
  {"aten._adaptive_avg_pool3d.default", "self, output_size", is(adaptive_average_pool, 3)},
  {"aten.upsample_nearest2d.vec",  "input, output_size=None, scale_factors=None", is(upsample, 0)},
  {"aten.upsample_bilinear2d.vec", "input, output_size=None, align_corners, scale_factors=None", is(upsample, 1)},

  // --- products
  {"aten.linear.default",         "input, weight, bias=None", is(lower::linear)},
  {"aten.matmul.default",         "self, other", is(lower::matmul, 0)},
  {"aten.mm.default",             "self, mat2", is(lower::matmul, 1)},
  {"aten.bmm.default",            "self, mat2", is(lower::matmul, 1)},
  {"aten.mv.default",             "self, vec", is(lower::matmul, 2)},
  {"aten.dot.default",            "self, tensor", is(lower::matmul, 3)},
  {"aten.addmm.default",          "self, mat1, mat2, beta=1, alpha=1", is(addmm, 0)},
  {"aten.baddbmm.default",        "self, batch1, batch2, beta=1, alpha=1", is(addmm, 1)},
  {"aten.addmv.default",          "self, mat, vec, beta=1, alpha=1", is(addmm, 2)},
  {"aten.outer.default",          "self, vec2", is(outer)},
  {"aten.einsum.default",         "equation, tensors, path=None", is(einsum)},
  {"aten.tensordot.default",      "self, other, dims_self, dims_other", is(tensordot)},
  {"aten.conv1d.default",         "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1", is(convolution, 0)},
  {"aten.conv1d.padding",         "input, weight, bias=None, stride=1, padding=valid, dilation=1, groups=1", is(convolution, 2)},
  {"aten.conv2d.default",         "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1", is(convolution, 0)},
  {"aten.conv3d.default",         "input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1", is(convolution, 0)},
  {"aten.convolution.default",    "input, weight, bias, stride, padding, dilation, transposed, output_padding, groups",
                                  is(convolution, 1)},
  {"aten.scaled_dot_product_attention.default",
   "query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False", is(lower::attention)},
  {"aten._grouped_mm.default",    "self, mat2, offs=None, bias=None, out_dtype=None", is(grouped_mm, 1)},
  {"transformers.grouped_mm_fallback.default", "input, weight, offs", is(grouped_mm, 0)},
  {"aten.embedding.default",      "weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False", is(lower::embedding)},

  // --- indexing
  {"aten.index.Tensor",           "self, indices", is(index)},
  {"aten.index_put.default",      "self, indices, values, accumulate=False", is(index_put)},
  {"aten._unsafe_index.Tensor",   "self, indices", is(index)},
  {"aten._unsafe_index_put.default", "self, indices, values, accumulate=False", is(index_put)},
  {"aten.index_select.default",   "self, dim, index", is(index_select)},
  {"aten.gather.default",         "self, dim, index", is(lower::gather, 0)},
  {"aten.take_along_dim.default", "self, indices, dim=None", is(lower::gather, 1)},
  {"aten.take.default",           "self, index", is(take_flat)},
  {"aten.scatter.value",          "self, dim, index, value", is(lower::scatter, 0)},
  {"aten.scatter.src",            "self, dim, index, src", is(lower::scatter, 1)},
  {"aten.scatter_add.default",    "self, dim, index, src", is(lower::scatter, 2)},
  {"aten.scatter.reduce",         "self, dim, index, src, reduce", is(lower::scatter, 3)},
  {"aten.scatter_reduce.two",     "self, dim, index, src, reduce, include_self=True", is(lower::scatter, 4)},
  {"aten.index_add.default",      "self, dim, index, source, alpha=1", is(index_add, 1)},
  {"aten.index_copy.default",     "self, dim, index, source", is(index_add, 0)},
  {"aten.index_fill.int_Scalar",  "self, dim, index, value", is(index_fill)},
  {"aten.index_fill.int_Tensor",  "self, dim, index, value", is(index_fill)},
  {"aten.searchsorted.Tensor",    "sorted_sequence, self, out_int32=False, right=False, side=None, sorter=None", is(search_sorted, 0)},
  {"aten.bucketize.Tensor",       "self, boundaries, out_int32=False, right=False", is(search_sorted, 1)},
  {"aten.one_hot.default",        "self, num_classes=-1", is(lower::one_hot)},
};
// clang-format on

}  // namespace

std::span<const Row> operator_rows() {
  return rows;
}

}  // namespace tandem::torch
