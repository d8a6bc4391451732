// sort and topk on the GPU. Kernels: sort.hip; in PyTorch's order of equal elements: torch_topk.hip.
#include <array>
#include <string_view>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/op_table.h>
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/sort_params.h>
#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

namespace {

using gpu::SortParams;

SortParams params_of(const KernelCall& call, std::size_t axis, bool descending) {
  const TensorView& x = call.operands[0];
  std::array heads{call.results[0], call.results[1], x};
  for (TensorView& head : heads)
    head.shape[axis] = 1;
  SortParams p{};
  p.lines = walk_of(heads);
  p.x = x.data;
  p.values = call.results[0].data;
  p.indices = call.results[1].data;
  p.length = x.shape[axis];
  p.count = call.results[0].shape[axis];
  p.x_step = x.strides[axis];
  p.values_step = call.results[0].strides[axis];
  p.indices_step = call.results[1].strides[axis];
  p.type = element_type(x.dtype);
  p.descending = descending ? 1 : 0;
  return p;
}

void launch_sort(const SortParams& p, Launcher& launcher) {
  constexpr std::int64_t max_lines_y = 32768;
  if (p.lines.size == 0 || p.length == 0 || p.count == 0)
    return;
  launcher.launch("sort",
                  Dim3{static_cast<std::uint32_t>(ceil_div(p.length, walk_threads)),
                       static_cast<std::uint32_t>(std::min(p.lines.size, max_lines_y)),
                       static_cast<std::uint32_t>(ceil_div(p.lines.size, max_lines_y))},
                  Dim3{walk_threads, 1, 1}, p);
}

void launch_torch_topk(SortParams p, bool sorted, Launcher& launcher) {
  if (p.lines.size == 0)
    return;
  p.sorted = sorted ? 1 : 0;
  if (p.length > gpu::torch_topk_shared_items) {
    const std::int64_t items = p.lines.size * (p.length + gpu::torch_topk_stack_items);
    p.items = static_cast<gpu::SortItem*>(launcher.workspace(static_cast<std::size_t>(items) * sizeof(gpu::SortItem)));
  }
  launcher.launch("torch_topk", Dim3{static_cast<std::uint32_t>(p.lines.size), 1, 1},
                  Dim3{static_cast<std::uint32_t>(launcher.device().wave_size), 1, 1}, p);
}

}  // namespace

void add_sorting(HipKernelTable& table) {
  table.add("sort", [](const KernelCall& call, Launcher& launcher) {
    launch_sort(params_of(call, call.axis("axis", call.operands[0].rank), call.attr("descending").boolean()), launcher);
  });
  table.add("topk", [](const KernelCall& call, Launcher& launcher) {
    const TensorView& x = call.operands[0];
    const std::size_t axis = call.axis("axis", x.rank);
    const std::int64_t k = call.dim("k");
    if (k < 0 || k > x.shape[axis])
      throw Error("run.index", "topk: 'k' is " + std::to_string(k) + ", out of range for axis " + std::to_string(axis) +
                                   ", which has " + std::to_string(x.shape[axis]) + " elements");
    const SortParams p = params_of(call, axis, call.attr("largest").boolean());
    const std::string_view order = call.attr("order").string().view();
    if (order == "stable" || k == 0)
      return launch_sort(p, launcher);
    launch_torch_topk(p, order == "torch", launcher);
  });
}

}  // namespace tandem::hip
