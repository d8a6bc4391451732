// Reference kernels of matrix products: sums in float64, rounded once.
#include <utility>
#include <vector>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>

namespace tandem::reference {

namespace {

std::size_t length(const TensorView& view, std::size_t axis) {
  return static_cast<std::size_t>(view.shape[axis]);
}

/// Row `i` of a matrix of `k` columns times row `j` of another.
double dot(const std::vector<double>& a, std::size_t i, const std::vector<double>& b, std::size_t j, std::size_t k) {
  double sum = 0;
  for (std::size_t at = 0; at < k; ++at)
    sum += a[i * k + at] * b[j * k + at];
  return sum;
}

void linear(const KernelCall& call) {
  const std::vector<double> x = read_reals(call.operands[0]);
  const std::vector<double> weight = read_reals(call.operands[1]);
  const std::size_t n = length(call.operands[1], 0);
  const std::size_t k = length(call.operands[1], 1);
  const std::vector<double> bias =
      call.operands.size() > 2 ? read_reals(call.operands[2]) : std::vector<double>(n, 0.0);
  std::size_t i = 0;
  for_each(call.results[0], [&](const TensorView& y, const Index&) {
    write_real(y, dot(x, i / n, weight, i % n, k) + bias[i % n]);
    ++i;
  });
}

/// matmul, and batch_matmul, whose leading axis need not be broadcast.
void matmul(const KernelCall& call) {
  const TensorView& a = call.operands[0];
  const TensorView& b = call.operands[1];
  const TensorView& y = call.results[0];
  const std::size_t row = y.rank - 2U;
  const std::size_t column = y.rank - 1U;
  const std::size_t m = length(y, row);
  const std::size_t n = length(y, column);
  const std::size_t k = length(a, a.rank - 1U);
  // Both operands with y's leading axes; b transposed, so that its columns become rows.
  std::vector<std::int64_t> shape(y.dims().begin(), y.dims().end());
  shape[column] = a.shape[a.rank - 1U];
  const std::vector<double> rows = read_reals(broadcast_to(a, shape));
  shape[row] = y.shape[column];
  TensorView b_transposed = b;
  std::swap(b_transposed.shape[b.rank - 2U], b_transposed.shape[b.rank - 1U]);
  std::swap(b_transposed.strides[b.rank - 2U], b_transposed.strides[b.rank - 1U]);
  const std::vector<double> columns = read_reals(broadcast_to(b_transposed, shape));
  std::size_t i = 0;
  for_each(y, [&](const TensorView& e, const Index&) {
    const std::size_t batch = i / (m * n);
    write_real(e, dot(rows, i / n, columns, batch * n + i % n, k));
    ++i;
  });
}

void expert_linear(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& weight = call.operands[1];
  const TensorView& y = call.results[0];
  const std::size_t k = length(weight, 2);
  const std::vector<std::int64_t> experts = read_integers(call.operands[2]);
  for (std::int64_t r = 0; r < y.shape[0]; ++r) {
    const std::int64_t expert = checked_index(call, 1, 0, experts[static_cast<std::size_t>(r)]);
    const std::vector<double> row = read_reals(window(x, 0, r, 1));
    const std::vector<double> matrix = read_reals(window(weight, 0, expert, 1));
    for_each(window(y, 0, r, 1), [&](const TensorView& e, const Index& at) {
      write_real(e, dot(row, 0, matrix, static_cast<std::size_t>(at[1]), k));
    });
  }
}

void conv1d(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& weight = call.operands[1];
  const std::int64_t stride = call.attr("stride").integer();
  const std::int64_t padding = call.attr("padding").integer();
  const std::int64_t dilation = call.attr("dilation").integer();
  const std::int64_t channels = weight.shape[1];
  const std::int64_t filters_a_group = weight.shape[0] / call.attr("groups").integer();
  for_each(call.results[0], [&](const TensorView& y, const Index& at) {
    const std::int64_t batch = at[0];
    const std::int64_t filter = at[1];
    const std::int64_t first_channel = filter / filters_a_group * channels;
    double sum = call.operands.size() > 2 ? read_real(element(call.operands[2], {filter})) : 0.0;
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t i = 0; i < weight.shape[2]; ++i) {
        const std::int64_t position = at[2] * stride + i * dilation - padding;
        if (position < 0 || position >= x.shape[2])
          continue;
        sum += read_real(element(x, {batch, first_channel + c, position})) * read_real(element(weight, {filter, c, i}));
      }
    }
    write_real(y, sum);
  });
}

}  // namespace

void add_matmul(KernelTable& table) {
  table.add("linear", linear);
  table.add("matmul", matmul);
  table.add("batch_matmul", matmul);
  table.add("expert_linear", expert_linear);
  table.add("conv1d", conv1d);
}

}  // namespace tandem::reference
