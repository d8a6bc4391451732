// Matrix products on the GPU without a vendor's library. Kernels: matmul.hip.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <tandem/ir/op_table.h>
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/matmul_params.h>
#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

namespace {

using gpu::MatmulParams;

constexpr std::int64_t max_grid_y = 32768;

std::string kernel(std::string_view name, DType dtype) {
  return std::string(name) + (dtype == DType::f64 ? "_f64" : "_f32");
}

/// The batch axes of a product, under y's.
TensorView batch_of(const TensorView& matrix, const TensorView& y) {
  TensorView leading = matrix;
  leading.rank = static_cast<std::uint8_t>(matrix.rank - 2U);
  return broadcast_to(leading, y.dims().first(y.rank - 2U));
}

/// Launches with the grid's limits kept: shares of rows, and of the batch.
void launch_matmul(MatmulParams p, DType dtype, Launcher& launcher) {
  const auto bytes = static_cast<std::int64_t>(byte_size(dtype));
  const std::int64_t rows = p.m;
  const std::int64_t rows_a_launch = max_grid_y * gpu::matmul_tile;
  for (std::int64_t first = 0; first < rows; first += rows_a_launch) {
    p.m = std::min(rows_a_launch, rows - first);
    const Dim3 grid{static_cast<std::uint32_t>(ceil_div(p.n, gpu::matmul_tile)),
                    static_cast<std::uint32_t>(ceil_div(p.m, gpu::matmul_tile)),
                    static_cast<std::uint32_t>(p.batch.size)};
    launcher.launch(kernel("matmul", dtype), grid, Dim3{256, 1, 1}, p);
    p.a = static_cast<const std::byte*>(p.a) + p.m * p.a_row * bytes;
    p.y = static_cast<std::byte*>(p.y) + p.m * p.y_row * bytes;
  }
}

/// Matrices too many for one grid: an outer axis at a time.
void launch_batches(const MatmulParams& p, DType dtype, Launcher& launcher) {
  constexpr std::int64_t max_batch = 32768;
  if (p.batch.size == 0 || p.m == 0 || p.n == 0)
    return;
  if (p.batch.size <= max_batch)
    return launch_matmul(p, dtype, launcher);
  const auto bytes = static_cast<std::int64_t>(byte_size(dtype));
  MatmulParams inner = p;
  const auto axis = inner.batch.axis[0];
  const bool share = inner.batch.size / axis.count >= 1 && inner.batch.axes == 1;
  const std::int64_t step = share ? max_batch : 1;
  for (std::int64_t i = 0; i < axis.count; i += step) {
    const std::int64_t count = std::min(step, axis.count - i);
    MatmulParams part = p;
    part.y = static_cast<std::byte*>(p.y) + i * axis.step[0] * bytes;
    part.a = static_cast<const std::byte*>(p.a) + i * axis.step[1] * bytes;
    part.b = static_cast<const std::byte*>(p.b) + i * axis.step[2] * bytes;
    if (share) {
      part.batch.axis[0].count = count;
      part.batch.size = count;
    } else {
      part.batch.size /= axis.count;
      part.batch.axes -= 1;
      std::ranges::copy(std::begin(p.batch.axis) + 1, std::end(p.batch.axis), std::begin(part.batch.axis));
    }
    launch_batches(part, dtype, launcher);
  }
}

void matmul(const KernelCall& call, Launcher& launcher) {
  const TensorView& a = call.operands[0];
  const TensorView& b = call.operands[1];
  const TensorView& y = call.results[0];
  const std::size_t row = y.rank - 2U;
  const std::size_t column = y.rank - 1U;
  TensorView y_batch = y;
  y_batch.rank = static_cast<std::uint8_t>(row);
  MatmulParams p{};
  p.batch = walk_of(std::array{y_batch, batch_of(a, y), batch_of(b, y)});
  p.a = a.data;
  p.b = b.data;
  p.y = y.data;
  p.m = y.shape[row];
  p.n = y.shape[column];
  p.k = a.shape[a.rank - 1U];
  p.a_row = a.strides[a.rank - 2U];
  p.a_column = a.strides[a.rank - 1U];
  p.b_row = b.strides[b.rank - 2U];
  p.b_column = b.strides[b.rank - 1U];
  p.y_row = y.strides[row];
  p.y_column = y.strides[column];
  p.type = element_type(y.dtype);
  launch_batches(p, y.dtype, launcher);
}

/// x[.., K] weight[N, K] transposed: rows where the leading axes merge into one, else a batch of them.
void linear(const KernelCall& call, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const TensorView& weight = call.operands[1];
  const TensorView& y = call.results[0];
  const std::size_t last = x.rank - 1U;
  const std::array tensors{y, x};
  std::vector<Loop> loops = merged_loops(tensors, last);
  MatmulParams p{};
  p.m = 1;
  if (!loops.empty()) {
    p.m = loops.back().count;
    p.y_row = loops.back().steps[0];
    p.a_row = loops.back().steps[1];
    loops.pop_back();
  }
  p.batch = walk_of<3>(loops);
  p.a = x.data;
  p.b = weight.data;
  p.y = y.data;
  p.n = weight.shape[0];
  p.k = weight.shape[1];
  p.a_column = x.strides[last];
  p.b_row = weight.strides[1];
  p.b_column = weight.strides[0];
  p.y_column = y.strides[last];
  p.type = element_type(y.dtype);
  if (call.operands.size() > 2) {
    p.bias = call.operands[2].data;
    p.bias_step = call.operands[2].strides[0];
  }
  launch_batches(p, y.dtype, launcher);
}

void expert_linear(const KernelCall& call, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const TensorView& weight = call.operands[1];
  const TensorView& experts = call.operands[2];
  const TensorView& y = call.results[0];
  MatmulParams p{};
  p.a = x.data;
  p.b = weight.data;
  p.y = y.data;
  p.expert = experts.as<const std::int64_t>();
  p.expert_index_step = experts.strides[0];
  p.expert_step = weight.strides[0];
  p.experts = weight.shape[0];
  p.fault = launcher.fault();
  p.m = y.shape[0];
  p.n = y.shape[1];
  p.k = x.shape[1];
  p.a_row = x.strides[0];
  p.a_column = x.strides[1];
  p.b_row = weight.strides[2];
  p.b_column = weight.strides[1];
  p.y_row = y.strides[0];
  p.y_column = y.strides[1];
  p.type = element_type(y.dtype);
  if (p.m == 0 || p.n == 0)
    return;
  const std::int64_t columns_a_block = 256 / launcher.device().wave_size;
  launcher.launch(kernel("expert_linear", y.dtype),
                  Dim3{static_cast<std::uint32_t>(ceil_div(p.n, columns_a_block)),
                       static_cast<std::uint32_t>(std::min(p.m, max_grid_y)),
                       static_cast<std::uint32_t>(ceil_div(p.m, max_grid_y))},
                  Dim3{256, 1, 1}, p);
}

void conv1d(const KernelCall& call, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const TensorView& weight = call.operands[1];
  const TensorView& y = call.results[0];
  gpu::Conv1dParams p{};
  p.x = x.data;
  p.weight = weight.data;
  p.y = y.data;
  if (call.operands.size() > 2) {
    p.bias = call.operands[2].data;
    p.bias_step = call.operands[2].strides[0];
  }
  p.batch = y.shape[0];
  p.filters = y.shape[1];
  p.positions = y.shape[2];
  std::copy_n(x.strides.begin(), 3, p.x_stride);
  std::copy_n(weight.strides.begin(), 3, p.weight_stride);
  std::copy_n(y.strides.begin(), 3, p.y_stride);
  p.length = x.shape[2];
  p.channels = weight.shape[1];
  p.width = weight.shape[2];
  p.filters_a_group = weight.shape[0] / call.attr("groups").integer();
  p.stride = call.attr("stride").integer();
  p.padding = call.attr("padding").integer();
  p.dilation = call.attr("dilation").integer();
  p.type = element_type(y.dtype);
  launch_items(launcher, kernel("conv1d", y.dtype), y.size(), p);
}

}  // namespace

void add_matrix_products(HipKernelTable& table) {
  table.add("linear", linear);
  table.add("matmul", matmul);
  table.add("batch_matmul", matmul);
  table.add("expert_linear", expert_linear);
  table.add("conv1d", conv1d);
}

}  // namespace tandem::hip
