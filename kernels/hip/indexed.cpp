// Ops on the GPU that read or write where an index tensor says. Kernels: indexed.hip.
//
// An index that points outside sets the fault word, and its elements are left alone.
#include <array>
#include <string>
#include <vector>

#include <tandem/ir/op_table.h>
#include <tandem/kernels/hip/elementwise.h>
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/move.h>
#include <tandem/kernels/hip/move_params.h>
#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

namespace {

using gpu::IndexedParams;

/// How each axis of the walked tensor moves in the indexed one and in the index.
struct Axes {
  std::vector<std::int64_t> far, index, place;
};

/// Row-major strides of a shape.
std::vector<std::int64_t> places_of(const TensorView& view) {
  std::vector<std::int64_t> steps(view.rank);
  std::int64_t step = 1;
  for (std::size_t i = view.rank; i-- > 0; step *= view.shape[i])
    steps[i] = step;
  return steps;
}

IndexedParams params_of(const TensorView& near, const TensorView& far, const TensorView& index, const Axes& axes,
                        Launcher& launcher) {
  IndexedParams p{};
  p.near = near.data;
  p.far = far.data;
  p.index = index.data;
  p.fault = launcher.fault();
  p.element_bytes = static_cast<std::int32_t>(byte_size(near.dtype));
  p.index_type = element_type(index.dtype);
  p.type = element_type(near.dtype);
  p.walk.size = near.size();
  p.walk.axes = near.rank;
  for (std::size_t i = 0; i < near.rank; ++i) {
    p.walk.axis[i].count = near.shape[i];
    p.walk.axis[i].step[0] = near.strides[i];
    p.walk.axis[i].step[1] = axes.far[i];
    p.walk.axis[i].step[2] = axes.index[i];
    p.place_step[i] = axes.place[i];
  }
  return p;
}

/// One index of the axis `axis` of `far`.
void add_part(IndexedParams& p, const TensorView& far, std::size_t axis, std::int64_t index_step) {
  auto& part = p.part[p.parts++];
  part.length = far.shape[axis];
  part.step = far.strides[axis];
  part.index_step = index_step;
  part.place_step = places_of(far)[axis];
}

/// gather, scatter: near[.., i, ..] with far[.., index[.., i, ..], ..]. All have one rank.
IndexedParams along_axis(const TensorView& near, const TensorView& far, const TensorView& index, std::size_t axis,
                         Launcher& launcher) {
  Axes axes;
  const std::vector<std::int64_t> places = places_of(far);
  for (std::size_t i = 0; i < near.rank; ++i) {
    axes.far.push_back(i == axis ? 0 : far.strides[i]);
    axes.place.push_back(i == axis ? 0 : places[i]);
    axes.index.push_back(index.strides[i]);
  }
  IndexedParams p = params_of(near, far, index, axes, launcher);
  add_part(p, far, axis, 0);
  return p;
}

/// gather_nd, scatter_nd: near[i.., rest..] with far[indices[i.., 0], .., indices[i.., K - 1], rest..].
IndexedParams at_coordinates(const TensorView& near, const TensorView& far, const TensorView& indices,
                             Launcher& launcher) {
  Axes axes;
  const std::size_t leading = indices.rank - 1U;
  const auto k = static_cast<std::size_t>(indices.shape[leading]);
  const std::vector<std::int64_t> places = places_of(far);
  for (std::size_t i = 0; i < near.rank; ++i) {
    const bool rest = i >= leading;
    axes.far.push_back(rest ? far.strides[k + i - leading] : 0);
    axes.place.push_back(rest ? places[k + i - leading] : 0);
    axes.index.push_back(rest ? 0 : indices.strides[i]);
  }
  IndexedParams p = params_of(near, far, indices, axes, launcher);
  for (std::size_t i = 0; i < k; ++i)
    add_part(p, far, i, indices.strides[leading]);
  return p;
}

/// take, embedding: the slices of far along `axis`, which the axes of the index replace.
void take(const TensorView& x, const TensorView& index, const TensorView& y, std::size_t axis, Launcher& launcher) {
  Axes axes;
  for (std::size_t i = 0; i < y.rank; ++i) {
    const bool indexed = i >= axis && i < axis + index.rank;
    const std::size_t of_x = i < axis ? i : i + 1 - index.rank;
    axes.far.push_back(indexed ? 0 : x.strides[of_x]);
    axes.index.push_back(indexed ? index.strides[i - axis] : 0);
    axes.place.push_back(0);
  }
  IndexedParams p = params_of(y, x, index, axes, launcher);
  add_part(p, x, axis, 0);
  launch_items(launcher, "gather", p.walk.size, p);
}

/// x with updates written or added; `p` says where.
void scatter(const KernelCall& call, IndexedParams p, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  constexpr std::size_t word = 8;
  void* workspace = launcher.workspace(static_cast<std::size_t>(y.size()) * word);
  if (call.attr("mode").string().view() == "set") {
    launch_copy(x, y, launcher);
    p.winners = static_cast<std::uint64_t*>(workspace);
    launch_fill(make_view(workspace, DType::i64, y.dims()), 0, launcher);
    launch_items(launcher, "scatter_claim", p.walk.size, p);
    launch_items(launcher, "scatter_set", p.walk.size, p);
    return;
  }
  const TensorView sums = make_view(workspace, is_float(y.dtype) ? DType::f64 : DType::i64, y.dims());
  launch_cast(x, sums, launcher);
  p.sums = workspace;
  launch_items(launcher, "scatter_add", p.walk.size, p);
  launch_cast(sums, y, launcher);
}

}  // namespace

void add_indexing(HipKernelTable& table) {
  table.add("embedding", [](const KernelCall& call, Launcher& launcher) {
    take(call.operands[0], call.operands[1], call.results[0], 0, launcher);
  });
  table.add("take", [](const KernelCall& call, Launcher& launcher) {
    take(call.operands[0], call.operands[1], call.results[0], call.axis("axis", call.operands[0].rank), launcher);
  });
  table.add("gather", [](const KernelCall& call, Launcher& launcher) {
    const std::size_t axis = call.axis("axis", call.operands[0].rank);
    const IndexedParams p = along_axis(call.results[0], call.operands[0], call.operands[1], axis, launcher);
    launch_items(launcher, "gather", p.walk.size, p);
  });
  table.add("gather_nd", [](const KernelCall& call, Launcher& launcher) {
    const IndexedParams p = at_coordinates(call.results[0], call.operands[0], call.operands[1], launcher);
    launch_items(launcher, "gather", p.walk.size, p);
  });
  table.add("scatter", [](const KernelCall& call, Launcher& launcher) {
    const std::size_t axis = call.axis("axis", call.operands[0].rank);
    scatter(call, along_axis(call.operands[2], call.results[0], call.operands[1], axis, launcher), launcher);
  });
  table.add("scatter_nd", [](const KernelCall& call, Launcher& launcher) {
    scatter(call, at_coordinates(call.operands[2], call.results[0], call.operands[1], launcher), launcher);
  });
}

}  // namespace tandem::hip
