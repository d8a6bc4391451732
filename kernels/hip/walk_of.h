// Making what kernels walk by (walk.h) from tensors.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <tandem/kernels/hip/element_type.h>
#include <tandem/kernels/hip/launch.h>
#include <tandem/kernels/hip/loops.h>
#include <tandem/kernels/hip/walk.h>

namespace tandem::hip {

inline gpu::ElementType element_type(DType dtype) {
  return static_cast<gpu::ElementType>(dtype);
}

/// The walk that merged loops say.
template <int tensors>
gpu::Walk<tensors> walk_of(const std::vector<Loop>& loops) {
  gpu::Walk<tensors> walk{};
  walk.axes = static_cast<std::int32_t>(loops.size());
  walk.size = 1;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    walk.axis[i].count = loops[i].count;
    for (std::size_t t = 0; t < static_cast<std::size_t>(tensors) && t < loops[i].steps.size(); ++t)
      walk.axis[i].step[t] = loops[i].steps[t];
    walk.size *= loops[i].count;
  }
  return walk;
}

/// Over all axes of tensors of one shape.
template <std::size_t tensors>
gpu::Walk<static_cast<int>(tensors)> walk_of(const std::array<TensorView, tensors>& views) {
  return walk_of<static_cast<int>(tensors)>(merged_loops(views, views[0].rank));
}

inline constexpr std::uint32_t walk_threads = 256;

/// Blocks of `walk_threads` threads for `items`, each thread taking every so-many-th when they are very many.
inline Dim3 walk_grid(std::int64_t items) {
  constexpr std::int64_t most = std::int64_t{1} << 22;
  return {static_cast<std::uint32_t>(std::min(ceil_div(items, walk_threads), most)), 1, 1};
}

/// As many blocks of `walk_threads` threads, or fewer, each of which then takes several turns.
inline Dim3 block_grid(std::int64_t blocks) {
  return walk_grid(blocks * walk_threads);
}

/// Launches `kernel` with a thread for each of `items`; nothing where there are none.
template <class Params>
void launch_items(Launcher& launcher, std::string_view kernel, std::int64_t items, const Params& params) {
  if (items > 0)
    launcher.launch(kernel, walk_grid(items), Dim3{walk_threads, 1, 1}, params);
}

}  // namespace tandem::hip
