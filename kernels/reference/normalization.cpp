// Reference kernels of softmax and of norms over the last axis.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>

namespace tandem::reference {

namespace {

/// The elements of an optional vector operand, else `count` times `missing`.
std::vector<double> vector_or(const KernelCall& call, std::size_t operand, std::size_t count, double missing) {
  return operand < call.operands.size() ? read_reals(call.operands[operand]) : std::vector<double>(count, missing);
}

/// Replaces each row of x (a line along the last axis) by what `normalize(row)` makes of it.
template <class Normalize>
void for_each_row(const KernelCall& call, Normalize normalize) {
  const std::size_t length = static_cast<std::size_t>(call.operands[0].shape[call.operands[0].rank - 1U]);
  std::vector<double> x = read_reals(call.operands[0]);
  for (std::size_t row = 0; row < x.size(); row += length)
    normalize(std::span<double>(x).subspan(row, length));
  write_reals(call.results[0], x);
}

void rms_norm(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const double eps = call.attr("eps").real();
  const bool round_before_weight = call.attr("round_before_weight").boolean();
  const std::vector<double> weight = vector_or(call, 1, static_cast<std::size_t>(x.shape[x.rank - 1U]), 1.0);
  for_each_row(call, [&](std::span<double> row) {
    double squares = 0;
    for (double e : row)
      squares += e * e;
    const double rms = std::sqrt(squares / static_cast<double>(row.size()) + eps);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const double normed = row[i] / rms;
      row[i] = (round_before_weight ? round_to(x.dtype, normed) : normed) * weight[i];
    }
  });
}

void layer_norm(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const auto length = static_cast<std::size_t>(x.shape[x.rank - 1U]);
  const double eps = call.attr("eps").real();
  const std::vector<double> weight = vector_or(call, 1, length, 1.0);
  const std::vector<double> bias = vector_or(call, 2, length, 0.0);
  for_each_row(call, [&](std::span<double> row) {
    const auto count = static_cast<double>(row.size());
    double mean = 0;
    for (double e : row)
      mean += e / count;
    double variance = 0;
    for (double e : row)
      variance += (e - mean) * (e - mean) / count;
    const double deviation = std::sqrt(variance + eps);
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i] = (row[i] - mean) / deviation * weight[i] + bias[i];
  });
}

void softmax(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const std::size_t axis = call.axis("axis", x.rank);
  const std::int64_t length = x.shape[axis];
  for_each_line(x, axis, [&](Index at) {
    double largest = -std::numeric_limits<double>::infinity();
    for (at[axis] = 0; at[axis] < length; ++at[axis])
      largest = std::max(largest, read_real(element(x, at)));
    double sum = 0;
    for (at[axis] = 0; at[axis] < length; ++at[axis])
      sum += std::exp(read_real(element(x, at)) - largest);
    for (at[axis] = 0; at[axis] < length; ++at[axis])
      write_real(element(y, at), std::exp(read_real(element(x, at)) - largest) / sum);
  });
}

}  // namespace

void add_normalization(KernelTable& table) {
  table.add("softmax", softmax);
  table.add("rms_norm", rms_norm);
  table.add("layer_norm", layer_norm);
}

}  // namespace tandem::reference
