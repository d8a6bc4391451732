// Reference kernels of ops that fusions make. Each says anew what the op means, so that it can disagree with the op's
// decomposition: it does not call the kernels of core ops.
#include <algorithm>
#include <cmath>

#include <tandem/ir/ops/quantization.h>
#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>

namespace tandem::reference {

namespace {

using Row = std::vector<double>;

Row read_row(const TensorView& x, Index at) {
  const std::size_t last = x.rank - 1U;
  Row row(static_cast<std::size_t>(x.shape[last]));
  for (at[last] = 0; at[last] < x.shape[last]; ++at[last])
    row[static_cast<std::size_t>(at[last])] = read_real(element(x, at));
  return row;
}

void write_row(const TensorView& y, Index at, const Row& row) {
  const std::size_t last = y.rank - 1U;
  for (at[last] = 0; at[last] < y.shape[last]; ++at[last])
    write_real(element(y, at), row[static_cast<std::size_t>(at[last])]);
}

/// row / sqrt(mean(row^2) + eps) * weight, as it would stand in memory of that dtype.
Row normed(Row row, const TensorView& weight, DType dtype, double eps, bool round_before_weight) {
  double mean_square = 0;
  for (double e : row)
    mean_square += e * e / static_cast<double>(row.size());
  const double rms = std::sqrt(mean_square + eps);
  Index at{};
  for (double& e : row) {
    e = round_before_weight ? round_to(dtype, e / rms) : e / rms;
    e = round_to(dtype, e * read_real(element(weight, at)));
    ++at[0];
  }
  return row;
}

/// silu of the first half of a row times the second.
Row activated(const Row& row, DType dtype) {
  const std::size_t half = row.size() / 2;
  Row out(half);
  for (std::size_t i = 0; i < half; ++i)
    out[i] = round_to(dtype, round_to(dtype, row[i] / (1 + std::exp(-row[i]))) * row[half + i]);
  return out;
}

/// value / scale in f32, within the limits of `dtype`.
double quantized(double value, double scale, DType dtype) {
  const double quotient = round_to(DType::f32, value / scale);
  const double limit = quantization_limit(dtype);
  return std::isnan(quotient) ? quotient : std::clamp(quotient, -limit, limit);
}

double scale_of(std::span<const double> group, DType dtype) {
  double largest = 0;
  for (double e : group)
    largest = std::isnan(e) || std::isnan(largest) ? std::nan("") : std::max(largest, std::abs(e));
  const double scale = round_to(DType::f32, largest / quantization_limit(dtype));
  return std::isnan(scale) ? scale : std::max(scale, round_to(DType::f32, quantization_min_scale(dtype)));
}

/// Calls `visit` with the start of each row, a line along the last axis of `x`.
template <class Visit>
void for_each_row(const TensorView& x, Visit visit) {
  for_each_line(x, x.rank - 1U, visit);
}

// --- norms -----------------------------------------------------------------------------------------------------------

void norm(const KernelCall& call, std::size_t x, std::size_t weight, std::size_t y, std::string_view eps) {
  const TensorView& view = call.operands[x];
  const double epsilon = call.attr(eps).real();
  const bool round_before_weight = call.attr("round_before_weight").boolean();
  for_each_row(view, [&](const Index& at) {
    write_row(call.results[y], at,
              normed(read_row(view, at), call.operands[weight], view.dtype, epsilon, round_before_weight));
  });
}

void fused_mla_dual_rms_norm(const KernelCall& call) {
  norm(call, 0, 1, 0, "eps_q");
  norm(call, 2, 3, 1, "eps_kv");
}

void fused_add_rms_norm(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const double eps = call.attr("eps").real();
  const bool round_before_weight = call.attr("round_before_weight").boolean();
  for_each_row(x, [&](const Index& at) {
    Row sum = read_row(x, at);
    const Row residual = read_row(call.operands[1], at);
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] = round_to(x.dtype, sum[i] + residual[i]);
    write_row(call.results[1], at, sum);
    write_row(call.results[0], at, normed(std::move(sum), call.operands[2], x.dtype, eps, round_before_weight));
  });
}

/// Norm and rotation of heads, which lie along the last axis.
void norm_rope(const KernelCall& call, std::size_t tensor, std::string_view eps) {
  const TensorView& x = call.operands[tensor];
  const double epsilon = call.attr(eps).real();
  const bool interleaved = call.attr("interleaved").boolean();
  const bool round_before_weight = call.attr("round_before_weight").boolean();
  std::vector<std::int64_t> pairs(x.dims().begin(), x.dims().end());
  pairs.back() /= 2;
  const auto half = static_cast<std::size_t>(pairs.back());
  const TensorView cosines = broadcast_to(call.operands[4], pairs);
  const TensorView sines = broadcast_to(call.operands[5], pairs);
  for_each_row(x, [&](const Index& at) {
    const Row row = normed(read_row(x, at), call.operands[tensor + 2], x.dtype, epsilon, round_before_weight);
    const Row cosine = read_row(cosines, at);
    const Row sine = read_row(sines, at);
    Row out(row.size());
    for (std::size_t i = 0; i < half; ++i) {
      const std::size_t first = interleaved ? 2 * i : i;
      const std::size_t second = interleaved ? 2 * i + 1 : i + half;
      out[first] = row[first] * cosine[i] - row[second] * sine[i];
      out[second] = row[second] * cosine[i] + row[first] * sine[i];
    }
    write_row(call.results[tensor], at, out);
  });
}

void fused_qk_norm_rope(const KernelCall& call) {
  norm_rope(call, 0, "eps_q");
  norm_rope(call, 1, "eps_k");
}

// --- quantisation ----------------------------------------------------------------------------------------------------

void fused_rms_norm_static_quant(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const double scale = read_real(element(call.operands[2], {}));
  const DType dtype = call.results[0].dtype;
  const double eps = call.attr("eps").real();
  const bool round_before_weight = call.attr("round_before_weight").boolean();
  for_each_row(x, [&](const Index& at) {
    Row row = normed(read_row(x, at), call.operands[1], x.dtype, eps, round_before_weight);
    for (double& e : row)
      e = quantized(e, scale, dtype);
    write_row(call.results[0], at, row);
  });
}

void fused_rms_norm_dynamic_quant(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const DType dtype = call.results[0].dtype;
  const double eps = call.attr("eps").real();
  const bool round_before_weight = call.attr("round_before_weight").boolean();
  const auto group = static_cast<std::size_t>(call.attr("group").integer());
  for_each_row(call.results[1], [&](const Index& at) {
    Row row = normed(read_row(x, at), call.operands[1], x.dtype, eps, round_before_weight);
    const std::size_t length = group == 0 ? row.size() : group;
    Row scales;
    for (std::size_t start = 0; start < row.size() || scales.empty(); start += length) {
      const std::span<double> part = std::span(row).subspan(start, length);
      scales.push_back(round_to(DType::f32, scale_of(part, dtype)));
      for (double& e : part)
        e = quantized(e, scales.back(), dtype);
      if (length == 0)
        break;
    }
    write_row(call.results[1], at, scales);
    write_row(call.results[0], at, row);
  });
}

void fused_silu_and_mul(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  for_each_row(x, [&](const Index& at) { write_row(call.results[0], at, activated(read_row(x, at), x.dtype)); });
}

void fused_silu_and_mul_static_quant(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const double scale = read_real(element(call.operands[1], {}));
  const DType dtype = call.results[0].dtype;
  for_each_row(x, [&](const Index& at) {
    Row row = activated(read_row(x, at), x.dtype);
    for (double& e : row)
      e = quantized(e, scale, dtype);
    write_row(call.results[0], at, row);
  });
}

}  // namespace

void add_fused(KernelTable& table) {
  table.add("fused_mla_dual_rms_norm", fused_mla_dual_rms_norm);
  table.add("fused_add_rms_norm", fused_add_rms_norm);
  table.add("fused_qk_norm_rope", fused_qk_norm_rope);
  table.add("fused_rms_norm_static_quant", fused_rms_norm_static_quant);
  table.add("fused_rms_norm_dynamic_quant", fused_rms_norm_dynamic_quant);
  table.add("fused_silu_and_mul", fused_silu_and_mul);
  table.add("fused_silu_and_mul_static_quant", fused_silu_and_mul_static_quant);
}

}  // namespace tandem::reference
