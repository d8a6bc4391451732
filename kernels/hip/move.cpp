// Ops on the GPU that move elements or make them from nothing. Kernels: move.hip.
#include <tandem/kernels/hip/move.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/op_table.h>
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/move_params.h>
#include <tandem/kernels/hip/walk_of.h>
#include <tandem/kernels/tensor.h>

namespace tandem::hip {

namespace {

/// `length` elements of an axis from `start` on.
TensorView window(TensorView view, std::size_t axis, std::int64_t start, std::int64_t length, std::int64_t step = 1) {
  view = advanced(view, start * view.strides[axis]);
  view.shape[axis] = length;
  view.strides[axis] *= step;
  return view;
}

/// Loops in units of `bytes` bytes when all runs along the last one are contiguous, whole and aligned in both tensors.
bool widen(std::vector<Loop>& loops, const TensorView& a, const TensorView& b, std::int64_t element,
           std::int64_t bytes) {
  const std::int64_t per = bytes / element;
  if (loops.empty() || loops.back().count % per != 0 || loops.back().steps[0] != 1 || loops.back().steps[1] != 1)
    return false;
  for (const TensorView* view : {&a, &b})
    if (reinterpret_cast<std::uintptr_t>(view->data) % static_cast<std::uintptr_t>(bytes) != 0)
      return false;
  for (std::size_t i = 0; i + 1 < loops.size(); ++i)
    if (loops[i].steps[0] % per != 0 || loops[i].steps[1] % per != 0)
      return false;
  for (std::size_t i = 0; i + 1 < loops.size(); ++i)
    for (std::int64_t& step : loops[i].steps)
      step /= per;
  loops.back().count /= per;
  return true;
}

/// {to, from} under one shape: a contiguous one is read under the other's. Empty when neither is.
std::optional<std::array<TensorView, 2>> one_shape(TensorView from, TensorView to) {
  if (std::ranges::equal(from.dims(), to.dims()))
    return std::array{to, from};
  const auto reread = [](const TensorView& contiguous, const TensorView& shape) {
    return make_view(contiguous.data, contiguous.dtype, shape.dims());
  };
  if (from.is_contiguous())
    return std::array{to, reread(from, to)};
  if (to.is_contiguous())
    return std::array{reread(to, from), from};
  return std::nullopt;
}

void launch_copy_of_one_shape(const TensorView& to, const TensorView& from, Launcher& launcher) {
  const std::array views{to, from};
  std::vector<Loop> loops = merged_loops(views, to.rank);
  const auto bytes = static_cast<std::int64_t>(byte_size(to.dtype));
  std::int64_t word = bytes;
  for (const std::int64_t wide : {16, 8, 4})
    if (wide > bytes && word == bytes && widen(loops, to, from, bytes, wide))
      word = wide;
  const gpu::CopyParams p{walk_of<2>(loops), from.data, to.data};
  launch_items(launcher, "copy_" + std::to_string(word), p.walk.size, p);
}

void concat(const KernelCall& call, Launcher& launcher) {
  const TensorView& y = call.results[0];
  const std::size_t axis = call.axis("axis", y.rank);
  std::int64_t start = 0;
  for (const TensorView& part : call.operands) {
    launch_copy(part, window(y, axis, start, part.shape[axis]), launcher);
    start += part.shape[axis];
  }
}

void split(const KernelCall& call, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const std::size_t axis = call.axis("axis", x.rank);
  std::int64_t start = 0;
  for (const TensorView& part : call.results) {
    launch_copy(window(x, axis, start, part.shape[axis]), part, launcher);
    start += part.shape[axis];
  }
}

void slice(const KernelCall& call, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const std::size_t axis = call.axis("axis", x.rank);
  const TensorView& y = call.results[0];
  launch_copy(window(x, axis, call.dim("start"), y.shape[axis], call.attr("step").integer()), y, launcher);
}

void transpose(const KernelCall& call, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  TensorView permuted = x;
  const std::vector<std::int64_t> perm = call.dims("perm");
  for (std::size_t i = 0; i < perm.size(); ++i) {
    permuted.shape[i] = x.shape[static_cast<std::size_t>(perm[i])];
    permuted.strides[i] = x.strides[static_cast<std::size_t>(perm[i])];
  }
  launch_copy(permuted, call.results[0], launcher);
}

void pad(const KernelCall& call, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  launch_fill(y, element_bits(y.dtype, call.attr("value").real()), launcher);
  const std::vector<std::int64_t> low = call.dims("low");
  TensorView inner = y;
  for (std::size_t i = 0; i < low.size(); ++i) {
    if (low[i] < 0 || low[i] > y.shape[i] - x.shape[i])
      throw Error("run.index", "pad: 'low' or 'high' is negative for axis " + std::to_string(i));
    inner = window(inner, i, low[i], x.shape[i]);
  }
  launch_copy(x, inner, launcher);
}

void full(const KernelCall& call, Launcher& launcher) {
  const TensorView& y = call.results[0];
  launch_fill(y, element_bits(y.dtype, call.attr("value").real()), launcher);
}

void launch_iota(const TensorView& y, std::int64_t start, std::int64_t step, Launcher& launcher) {
  gpu::IotaParams p{};
  p.to = y.data;
  p.to_step = y.rank == 0 ? 0 : y.strides[0];
  p.length = y.rank == 0 ? 1 : y.shape[0];
  p.start = static_cast<std::uint64_t>(start);
  p.step = static_cast<std::uint64_t>(step);
  p.type = element_type(y.dtype);
  launch_items(launcher, "iota", p.length, p);
}

void one_hot(const KernelCall& call, Launcher& launcher) {
  const TensorView& x = call.operands[0];
  const TensorView& y = call.results[0];
  TensorView repeated = y;
  TensorView counter = y;
  for (std::size_t i = 0; i < y.rank; ++i) {
    repeated.strides[i] = i < x.rank ? x.strides[i] : 0;
    counter.strides[i] = i < x.rank ? 0 : 1;
  }
  const gpu::OneHotParams p{walk_of(std::array{y, repeated, counter}), y.data, x.data, element_type(y.dtype),
                            element_type(x.dtype)};
  launch_items(launcher, "one_hot", p.walk.size, p);
}

}  // namespace

void launch_copy(const TensorView& from, const TensorView& to, Launcher& launcher) {
  if (const auto views = one_shape(from, to))
    return launch_copy_of_one_shape((*views)[0], (*views)[1], launcher);
  // Neither can be read under the other's shape: by way of a contiguous copy.
  void* between = launcher.workspace(static_cast<std::size_t>(from.size()) * byte_size(from.dtype));
  const TensorView same = make_view(between, from.dtype, from.dims());
  launch_copy_of_one_shape(same, from, launcher);
  launch_copy_of_one_shape(to, make_view(between, from.dtype, to.dims()), launcher);
}

void launch_fill(const TensorView& to, std::uint64_t bits, Launcher& launcher) {
  const gpu::FillParams p{walk_of(std::array{to}), to.data, bits, static_cast<std::int32_t>(byte_size(to.dtype))};
  launch_items(launcher, "fill", p.walk.size, p);
}

std::uint64_t element_bits(DType dtype, double value) {
  std::uint64_t bits = 0;
  const Tensor element = Tensor::zeros(dtype, {});
  store_element(element.view, 0, value);
  std::memcpy(&bits, element.view.data, byte_size(dtype));
  return bits;
}

void add_movement(HipKernelTable& table) {
  const auto copy = [](const KernelCall& call, Launcher& launcher) {
    launch_copy(call.operands[0], call.results[0], launcher);
  };
  table.add("identity", copy);
  table.add("reshape", copy);
  table.add("expand", [](const KernelCall& call, Launcher& launcher) {
    launch_copy(broadcast_to(call.operands[0], call.results[0].dims()), call.results[0], launcher);
  });
  table.add("split", split);
  table.add("slice", slice);
  table.add("transpose", transpose);
  table.add("concat", concat);
  table.add("pad", pad);
  table.add("full", full);
  table.add("iota", [](const KernelCall& call, Launcher& launcher) {
    launch_iota(call.results[0], call.dim("start"), call.attr("step").integer(), launcher);
  });
  table.add("dim_value", [](const KernelCall& call, Launcher& launcher) {
    launch_iota(call.results[0], call.dim("value"), 0, launcher);
  });
  table.add("one_hot", one_hot);
}

}  // namespace tandem::hip
