// Fused ops on the GPU: norms with what precedes or follows them, SiLU-and-mul, and their quantised forms. Kernels:
// fused_norms.hip, elementwise.hip. What a fused kernel has no variant for is computed by the kernels of its parts,
// with the same roundings.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/op_table.h>
#include <tandem/ir/ops/quantization.h>
#include <tandem/kernels/hip/elementwise.h>
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/fused_norm_params.h>
#include <tandem/kernels/hip/norm_launch.h>
#include <tandem/kernels/hip/norm_params.h>
#include <tandem/kernels/hip/row_norm.h>
#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

namespace {

// --- fused_add_rms_norm
// --------------------------------------------------------------------------------------------------

bool launch_add_norm(const KernelCall& call, Launcher& launcher) {
  const std::array tensors{call.operands[0], call.operands[1], call.results[1], call.results[0]};
  const TensorView& x = tensors[0];
  const TensorView& weight = call.operands[2];
  if (!norm_takes(x.dtype, weight.dtype) || weight.strides[0] != 1 ||
      reinterpret_cast<std::uintptr_t>(weight.data) % vector_bytes != 0)
    return false;
  const std::vector<Loop> loops = merged_loops(tensors, x.rank - 1U);
  const std::int64_t rows = loops.empty() ? 1 : loops.back().count;
  if (loops.size() > 1 || rows > max_rows_a_launch)
    return false;
  std::array<std::int64_t, 4> row{};
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    row[i] = loops.empty() ? 0 : loops.back().steps[i];
    if (!has_vector_rows(tensors[i], row[i]))
      return false;
  }
  const std::int64_t length = x.shape[x.rank - 1U];
  if (rows == 0 || length == 0)
    return true;
  gpu::AddNormParams p{};
  p.x = tensors[0].data;
  p.residual = tensors[1].data;
  p.sum = tensors[2].data;
  p.y = tensors[3].data;
  p.weight = weight.data;
  p.x_row = row[0];
  p.residual_row = row[1];
  p.sum_row = row[2];
  p.y_row = row[3];
  p.rows = rows;
  p.length = static_cast<std::int32_t>(length);
  const std::int64_t wave = launcher.device().wave_size;
  const std::int64_t vectors = length * static_cast<std::int64_t>(byte_size(x.dtype)) / vector_bytes;
  p.threads = static_cast<std::int32_t>(ceil_div(std::min<std::int64_t>(vectors, gpu::max_norm_threads), wave) * wave);
  p.inverse_length = static_cast<float>(1.0 / static_cast<double>(length));
  p.epsilon = static_cast<float>(call.attr("eps").real());
  p.weight_is_f32 = weight.dtype == DType::f32 ? 1 : 0;
  p.round_before_weight = call.attr("round_before_weight").boolean() ? 1 : 0;
  launcher.launch("add_rms_norm" + norm_suffix(x.dtype), Dim3{static_cast<std::uint32_t>(rows), 1, 1},
                  Dim3{static_cast<std::uint32_t>(p.threads), 1, 1}, p);
  return true;
}

void fused_add_rms_norm(const KernelCall& call, Launcher& launcher) {
  if (launch_add_norm(call, launcher))
    return;
  const TensorView& sum = call.results[1];
  const ChainStep add{"add", {ChainOperand::input(0), ChainOperand::input(1)}, sum.dtype, false, 0};
  launch_chain(Chain{call.operands.first(2), {add}, {&sum, 1}}, launcher);
  launch_any_rms_norm(sum, &call.operands[2], call.results[0], call.attr("eps").real(),
                      call.attr("round_before_weight").boolean(), launcher);
}

// --- quantisation
// --------------------------------------------------------------------------------------------------------

void launch_norm_quant(const KernelCall& call, bool dynamic, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const std::size_t last = x.rank - 1U;
  const TensorView& scale = dynamic ? call.results[1] : call.operands[2];
  std::array heads{y, x, dynamic ? scale : y};
  for (TensorView& head : heads)
    head.shape[last] = 1;
  gpu::NormQuantParams p{};
  p.rows = walk_of(heads);
  p.length = x.shape[last];
  if (p.rows.size == 0)
    return;
  const std::int64_t group = dynamic ? call.attr("group").integer() : 0;
  p.group = group == 0 ? p.length : group;
  p.x = x.data;
  p.y = y.data;
  p.weight = call.operands[1].data;
  p.scale = scale.as<float>();
  p.x_step = x.strides[last];
  p.y_step = y.strides[last];
  p.weight_step = call.operands[1].strides[0];
  p.scale_step = dynamic ? scale.strides[last] : 0;
  p.epsilon = static_cast<float>(call.attr("eps").real());
  p.limit = static_cast<float>(quantization_limit(y.dtype));
  p.least_scale = static_cast<float>(quantization_min_scale(y.dtype));
  p.type = element_type(x.dtype);
  p.weight_type = element_type(call.operands[1].dtype);
  p.y_type = element_type(y.dtype);
  p.dynamic = dynamic ? 1 : 0;
  p.round_before_weight = call.attr("round_before_weight").boolean() ? 1 : 0;
  if (p.rows.size > (std::int64_t{1} << 23))
    throw Error("run.too-large", call.op.name + " of more than 2^23 rows");
  launcher.launch("norm_quant", Dim3{static_cast<std::uint32_t>(p.rows.size), 1, 1}, Dim3{walk_threads, 1, 1}, p);
}

// --- SiLU and mul
// --------------------------------------------------------------------------------------------------------

/// The two halves of x along the last axis.
std::array<TensorView, 2> halves(const TensorView& x) {
  std::array<TensorView, 2> parts{x, x};
  const std::size_t last = x.rank - 1U;
  for (TensorView& part : parts)
    part.shape[last] /= 2;
  parts[1] = advanced(parts[1], parts[1].shape[last] * x.strides[last]);
  return parts;
}

void silu_and_mul(const KernelCall& call, Launcher& launcher) {
  const std::array parts = halves(call.operands[0]);
  const DType dtype = parts[0].dtype;
  Chain chain{parts, {}, call.results.first(1)};
  chain.steps.push_back({"silu", {ChainOperand::input(0)}, dtype});
  chain.steps.push_back({"mul", {ChainOperand::step(0), ChainOperand::input(1)}, dtype, false, 0});
  launch_chain(chain, launcher);
}

void silu_and_mul_static_quant(const KernelCall& call, Launcher& launcher) {
  const std::array parts = halves(call.operands[0]);
  const DType dtype = parts[0].dtype;
  const DType out = call.results[0].dtype;
  const double limit = quantization_limit(out);
  TensorView scale = call.operands[1];
  scale.rank = 0;
  const std::array inputs{parts[0], parts[1], scale};
  Chain chain{inputs, {}, call.results.first(1)};
  chain.steps.push_back({"silu", {ChainOperand::input(0)}, dtype});
  chain.steps.push_back({"mul", {ChainOperand::step(0), ChainOperand::input(1)}, dtype});
  chain.steps.push_back({"div", {ChainOperand::step(1), ChainOperand::input(2)}, DType::f32});
  chain.steps.push_back({"minimum", {ChainOperand::step(2), ChainOperand::immediate(limit)}, DType::f32});
  chain.steps.push_back({"maximum", {ChainOperand::step(3), ChainOperand::immediate(-limit)}, DType::f32});
  chain.steps.push_back({"cast", {ChainOperand::step(4)}, out, false, 0});
  launch_chain(chain, launcher);
}

// --- fused_qk_norm_rope
// --------------------------------------------------------------------------------------------------

void launch_norm_rope(const KernelCall& call, std::size_t tensor, std::string_view epsilon, Launcher& launcher) {
  const TensorView& x = call.operands[tensor];
  const TensorView& weight = call.operands[tensor + 2];
  const TensorView& y = call.results[tensor];
  const std::size_t last = x.rank - 1U;
  const bool interleaved = call.attr("interleaved").boolean();
  gpu::NormRopeParams p{};
  p.half = x.shape[last] / 2;
  std::vector<std::int64_t> pairs(x.dims().begin(), x.dims().end());
  pairs[last] = p.half;
  std::array heads{y, x, broadcast_to(call.operands[4], pairs), broadcast_to(call.operands[5], pairs)};
  p.cosine_step = heads[2].strides[last];
  p.sine_step = heads[3].strides[last];
  for (TensorView& head : heads)
    head.shape[last] = 1;
  p.heads = walk_of(heads);
  if (p.heads.size == 0 || p.half == 0)
    return;
  p.x = x.data;
  p.weight = weight.data;
  p.cosine = heads[2].data;
  p.sine = heads[3].data;
  p.y = y.data;
  const auto pair = [&](std::int64_t stride) { return interleaved ? 2 * stride : stride; };
  const auto second = [&](std::int64_t stride) { return interleaved ? stride : p.half * stride; };
  p.x_pair = pair(x.strides[last]);
  p.x_second = second(x.strides[last]);
  p.y_pair = pair(y.strides[last]);
  p.y_second = second(y.strides[last]);
  p.weight_pair = pair(weight.strides[0]);
  p.weight_second = second(weight.strides[0]);
  p.epsilon = call.attr(epsilon).real();
  p.type = element_type(x.dtype);
  p.weight_type = element_type(weight.dtype);
  p.cosine_type = element_type(heads[2].dtype);
  p.sine_type = element_type(heads[3].dtype);
  p.round_before_weight = call.attr("round_before_weight").boolean() ? 1 : 0;
  launcher.launch("norm_rope",
                  block_grid(ceil_div(p.heads.size, walk_threads / static_cast<unsigned>(launcher.device().wave_size))),
                  Dim3{walk_threads, 1, 1}, p);
}

}  // namespace

void add_fused_norms(HipKernelTable& table) {
  table.add("fused_add_rms_norm", fused_add_rms_norm);
  table.add("fused_silu_and_mul", silu_and_mul);
  table.add("fused_silu_and_mul_static_quant", silu_and_mul_static_quant);
  table.add("fused_rms_norm_static_quant",
            [](const KernelCall& call, Launcher& launcher) { launch_norm_quant(call, false, launcher); });
  table.add("fused_rms_norm_dynamic_quant",
            [](const KernelCall& call, Launcher& launcher) { launch_norm_quant(call, true, launcher); });
  table.add("fused_qk_norm_rope", [](const KernelCall& call, Launcher& launcher) {
    launch_norm_rope(call, 0, "eps_q", launcher);
    launch_norm_rope(call, 1, "eps_k", launcher);
  });
}

}  // namespace tandem::hip
