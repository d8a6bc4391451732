// How operators of PyTorch become core ops: the functions that the rows of the table (table.cpp) name.
//
// A lowering takes its arguments from the call and gives its results back to it. Those that serve many operators carry
// what differs: an op of the IR, or an expression.
#pragma once

#include <string_view>

#include <tandem/ir/io/torch/call.h>

namespace tandem::torch {

struct Lowering {
  using Function = void (*)(Call&, const Lowering&);
  using Expression = Value (*)(Emitter&, Value);

  Function run = nullptr;
  OpId op{};
  Expression expression = nullptr;
  double number = 0.0;
};

namespace lower {

#define TANDEM_LOWERING(name) void name(Call& call, const Lowering& row)
// elementwise.cpp
TANDEM_LOWERING(unary);        // the op, in the operand's dtype
TANDEM_LOWERING(unary_float);  // the op, on floats; integers become f32
TANDEM_LOWERING(composed);     // the expression, on f32 or f64
TANDEM_LOWERING(rounding);     // the op; integers stay
TANDEM_LOWERING(test);         // the op, which gives bool
TANDEM_LOWERING(binary);       // the op, on the promoted dtype
TANDEM_LOWERING(multiply);
TANDEM_LOWERING(sign);
TANDEM_LOWERING(binary_float);
TANDEM_LOWERING(compare);
TANDEM_LOWERING(logical);
TANDEM_LOWERING(bitwise);
TANDEM_LOWERING(add_scaled);  // self op alpha * other
TANDEM_LOWERING(rsub);
TANDEM_LOWERING(absolute);
TANDEM_LOWERING(negate);
TANDEM_LOWERING(divide);
TANDEM_LOWERING(fmod);
TANDEM_LOWERING(ignoring_nan);  // fmax, fmin
TANDEM_LOWERING(hypot);
TANDEM_LOWERING(floor_divide);
TANDEM_LOWERING(shift);
TANDEM_LOWERING(power);
TANDEM_LOWERING(clamp);
TANDEM_LOWERING(clamp_one);  // clamp_min, clamp_max
TANDEM_LOWERING(where);
TANDEM_LOWERING(masked_fill);
TANDEM_LOWERING(addcmul);
TANDEM_LOWERING(lerp);
TANDEM_LOWERING(gelu);
TANDEM_LOWERING(softplus);
TANDEM_LOWERING(leaky_relu);
TANDEM_LOWERING(elu);
TANDEM_LOWERING(hardtanh);
TANDEM_LOWERING(glu);
TANDEM_LOWERING(nan_to_num);
TANDEM_LOWERING(fill);
TANDEM_LOWERING(zero);
TANDEM_LOWERING(copy);
// casts.cpp
TANDEM_LOWERING(to_dtype);
TANDEM_LOWERING(to_other);
TANDEM_LOWERING(to_copy);
TANDEM_LOWERING(clone);
TANDEM_LOWERING(alias);
TANDEM_LOWERING(contiguous);
TANDEM_LOWERING(dropout);
TANDEM_LOWERING(native_dropout);
TANDEM_LOWERING(view_as_complex);
TANDEM_LOWERING(view_as_real);
TANDEM_LOWERING(complex_part);  // number: 0 real, 1 imaginary
TANDEM_LOWERING(polar);
TANDEM_LOWERING(make_complex);
TANDEM_LOWERING(conjugate);
// views.cpp
TANDEM_LOWERING(view);
TANDEM_LOWERING(reshape);
TANDEM_LOWERING(permute);
TANDEM_LOWERING(transpose);
TANDEM_LOWERING(swap);
TANDEM_LOWERING(reverse_axes);
TANDEM_LOWERING(movedim);
TANDEM_LOWERING(expand);
TANDEM_LOWERING(slice);
TANDEM_LOWERING(select);
TANDEM_LOWERING(narrow);
TANDEM_LOWERING(split);
TANDEM_LOWERING(unbind);
TANDEM_LOWERING(diagonal);
TANDEM_LOWERING(as_strided);
TANDEM_LOWERING(unfold);
TANDEM_LOWERING(slice_scatter);
TANDEM_LOWERING(select_scatter);
TANDEM_LOWERING(diagonal_scatter);
// windows.cpp
TANDEM_LOWERING(pad_by_index);  // number: 0 reflect, 1 replicate
TANDEM_LOWERING(average_pool);  // number: how many axes
TANDEM_LOWERING(max_pool);
TANDEM_LOWERING(adaptive_average_pool);
TANDEM_LOWERING(upsample);  // number: 0 nearest, 1 bilinear
// assembly.cpp
TANDEM_LOWERING(cat);
TANDEM_LOWERING(stack);
TANDEM_LOWERING(hstack);
TANDEM_LOWERING(repeat);
TANDEM_LOWERING(repeat_interleave);
TANDEM_LOWERING(pad);
TANDEM_LOWERING(flip);
TANDEM_LOWERING(roll);
TANDEM_LOWERING(meshgrid);
TANDEM_LOWERING(arange);
TANDEM_LOWERING(full);
TANDEM_LOWERING(filled);  // with the number of the row
TANDEM_LOWERING(eye);
TANDEM_LOWERING(linspace);
TANDEM_LOWERING(scalar_tensor);
TANDEM_LOWERING(triangle);  // the op compares columns with rows
// reductions.cpp
TANDEM_LOWERING(sum);
TANDEM_LOWERING(mean);
TANDEM_LOWERING(extremum);
TANDEM_LOWERING(extremum_at);
TANDEM_LOWERING(arg_extremum);
TANDEM_LOWERING(test_over);
TANDEM_LOWERING(count_nonzero);
TANDEM_LOWERING(cumsum);
TANDEM_LOWERING(variance);  // number: 1 standard deviation
TANDEM_LOWERING(var_mean);
TANDEM_LOWERING(vector_norm);
TANDEM_LOWERING(logsumexp);
TANDEM_LOWERING(softmax);
TANDEM_LOWERING(log_softmax);
TANDEM_LOWERING(topk);
TANDEM_LOWERING(sort);
TANDEM_LOWERING(argsort);
TANDEM_LOWERING(aminmax);
TANDEM_LOWERING(diff);
TANDEM_LOWERING(histc);
TANDEM_LOWERING(rms_norm);
TANDEM_LOWERING(layer_norm);
TANDEM_LOWERING(group_norm);
TANDEM_LOWERING(batch_norm);
// products.cpp
TANDEM_LOWERING(linear);
TANDEM_LOWERING(matmul);
TANDEM_LOWERING(addmm);
TANDEM_LOWERING(outer);
TANDEM_LOWERING(einsum);
TANDEM_LOWERING(tensordot);
TANDEM_LOWERING(convolution);
TANDEM_LOWERING(attention);
TANDEM_LOWERING(grouped_mm);
TANDEM_LOWERING(embedding);
// indexing.cpp
TANDEM_LOWERING(index);
TANDEM_LOWERING(index_put);
TANDEM_LOWERING(index_select);
TANDEM_LOWERING(gather);
TANDEM_LOWERING(take_flat);
TANDEM_LOWERING(scatter);
TANDEM_LOWERING(index_add);
TANDEM_LOWERING(index_fill);
TANDEM_LOWERING(search_sorted);
TANDEM_LOWERING(one_hot);
#undef TANDEM_LOWERING

// --- shared among the files
/// `b` times `a`, both pairs.
Value multiply_complex(Emitter& emit, Value a, Value b);
/// A float value: integers and bools become f32.
Value as_float(Emitter& emit, Value v);
/// The float in which f16, bf16 and f8 are computed.
inline DType compute_dtype(DType dtype) {
  return dtype == DType::f64 ? DType::f64 : DType::f32;
}
/// The shape with the axis of pairs if `complex`.
inline Dims with_pair(Dims shape, bool complex) {
  if (complex)
    shape.push_back(2);
  return shape;
}
/// `base` with `src` written at index[..] along an axis, as torch.scatter does: index may be smaller than base.
Value scatter_along(Emitter& emit, Value base, std::size_t axis, Value index, Value src, std::string_view mode);
/// Elements at offset + sum(stride * i) of the flattened tensor, as a constant.
Value strided_index(Call& call, const Dims& sizes, const Dims& strides, Dim offset);
/// Pads the last axes by what their own elements give: reflect, replicate or circular.
Value pad_by_index(Call& call, Value v, const Dims& widths, std::string_view mode);
/// A convolution over any number of axes, as a matrix product over its windows; x[N, C, ..], weight[O, C / groups, ..].
Value convolve(Call& call, Value x, Value weight, const std::vector<std::int64_t>& stride,
               const std::vector<std::int64_t>& padding, const std::vector<std::int64_t>& dilation,
               std::int64_t groups);
/// Whether PyTorch would lay out the new sizes over the old strides without a copy
/// (aten/src/ATen/TensorUtils.cpp, computeStride). False where symbolic sizes leave it open.
bool can_view(const Dims& sizes, const Dims& strides, const Dims& new_sizes);

}  // namespace lower

}  // namespace tandem::torch
