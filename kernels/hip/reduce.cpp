// Reductions, scans and softmax on the GPU. Kernels: reduce.hip, lines.hip.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/op_table.h>
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/reduce_params.h>
#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

namespace {

using gpu::LineParams;
using gpu::ReduceBy;
using gpu::ReduceParams;
using gpu::Reduction;

/// The axes of x that stay, with y's strides, and those that go.
struct ReduceAxes {
  std::array<TensorView, 2> kept;  // y, x
  std::array<TensorView, 1> reduced;
};

void push_axis(TensorView& view, std::int64_t count, std::int64_t stride) {
  view.shape[view.rank] = count;
  view.strides[view.rank] = stride;
  ++view.rank;
}

ReduceAxes axes_of(const TensorView& x, const TensorView& y, const std::vector<bool>& is_reduced, bool keepdims) {
  ReduceAxes axes;
  for (TensorView& view : axes.kept)
    view.dtype = x.dtype;
  std::size_t axis_of_y = 0;
  for (std::size_t i = 0; i < x.rank; ++i) {
    if (is_reduced[i]) {
      push_axis(axes.reduced[0], x.shape[i], x.strides[i]);
      axis_of_y += keepdims ? 1 : 0;
    } else {
      push_axis(axes.kept[0], x.shape[i], y.strides[axis_of_y++]);
      push_axis(axes.kept[1], x.shape[i], x.strides[i]);
    }
  }
  return axes;
}

/// A thread for short reductions and for those along an outer axis, whose neighbours then read side by side; a wave for
/// rows; a block where there are too few results to fill the GPU with waves.
ReduceBy team_for(const ReduceParams& p, const GpuInfo& device) {
  const bool along_rows = p.reduced.axes > 0 && p.reduced.axis[p.reduced.axes - 1].step[0] == 1;
  const std::int64_t fills = std::int64_t{16} * device.multiprocessors;
  if (p.reduced.size <= 16 || (!along_rows && p.kept.size >= fills * device.wave_size))
    return ReduceBy::thread;
  return p.kept.size >= fills || p.reduced.size <= 1024 ? ReduceBy::wave : ReduceBy::block;
}

void launch_reduction(const KernelCall& call, Reduction reduction, const std::vector<bool>& is_reduced,
                      Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const ReduceAxes axes = axes_of(x, y, is_reduced, call.attr("keepdims").boolean());
  ReduceParams p{};
  p.kept = walk_of(axes.kept);
  p.reduced = walk_of(axes.reduced);
  p.x = x.data;
  p.y = y.data;
  p.x_type = element_type(x.dtype);
  p.y_type = element_type(y.dtype);
  p.reduction = reduction;
  p.by = team_for(p, launcher.device());
  if (p.kept.size == 0)
    return;
  const bool arg = reduction == Reduction::argmax || reduction == Reduction::argmin;
  if (arg && p.reduced.size == 0)
    throw Error("run.index", call.op.name + ": there are no elements along the axis");
  const bool real = arg ? is_float(x.dtype) : is_float(y.dtype);
  constexpr std::int64_t threads = walk_threads;
  const std::int64_t team = p.by == ReduceBy::thread ? 1
                            : p.by == ReduceBy::wave ? launcher.device().wave_size
                                                     : threads;
  launcher.launch(std::string(arg ? "arg_" : "") + (real ? "reduce_real" : "reduce_integer"),
                  block_grid(ceil_div(p.kept.size, threads / team)), Dim3{walk_threads, 1, 1}, p);
}

HipKernelFn reduction(Reduction which) {
  return [which](const KernelCall& call, Launcher& launcher) {
    const std::size_t rank = call.operands[0].rank;
    std::vector<bool> is_reduced(rank, false);
    for (const std::int64_t axis : call.dims("axes"))
      is_reduced[static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis)] = true;
    launch_reduction(call, which, is_reduced, launcher);
  };
}

HipKernelFn arg_reduction(Reduction which) {
  return [which](const KernelCall& call, Launcher& launcher) {
    std::vector<bool> is_reduced(call.operands[0].rank, false);
    is_reduced[call.axis("axis", call.operands[0].rank)] = true;
    launch_reduction(call, which, is_reduced, launcher);
  };
}

LineParams lines_of(const KernelCall& call) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  const std::size_t axis = call.axis("axis", x.rank);
  std::array heads{y, x};
  for (TensorView& head : heads)
    head.shape[axis] = 1;
  return LineParams{
      walk_of(heads),       x.data, y.data, x.shape[axis], x.strides[axis], y.strides[axis], element_type(x.dtype),
      element_type(y.dtype)};
}

void softmax(const KernelCall& call, Launcher& launcher) {
  const LineParams p = lines_of(call);
  if (p.lines.size == 0 || p.length == 0)
    return;
  const std::int64_t lines_a_block = 256 / launcher.device().wave_size;
  launcher.launch(call.operands[0].dtype == DType::f64 ? "softmax_f64" : "softmax_f32",
                  block_grid(ceil_div(p.lines.size, lines_a_block)), Dim3{walk_threads, 1, 1}, p);
}

void cumsum(const KernelCall& call, Launcher& launcher) {
  const LineParams p = lines_of(call);
  launch_items(launcher, "cumsum", p.length == 0 ? 0 : p.lines.size, p);
}

}  // namespace

void add_reductions(HipKernelTable& table) {
  table.add("sum", reduction(Reduction::sum));
  table.add("mean", reduction(Reduction::mean));
  table.add("prod", reduction(Reduction::prod));
  table.add("reduce_max", reduction(Reduction::max));
  table.add("reduce_min", reduction(Reduction::min));
  table.add("any", reduction(Reduction::any));
  table.add("all", reduction(Reduction::all));
  table.add("argmax", arg_reduction(Reduction::argmax));
  table.add("argmin", arg_reduction(Reduction::argmin));
  table.add("cumsum", cumsum);
  table.add("softmax", softmax);
}

}  // namespace tandem::hip
