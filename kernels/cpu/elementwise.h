// Elementwise kernels from functions on single elements: operands are read in chunks of rows, computed in float, double
// or int64 by dtype, and rounded once on the way out.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <tandem/kernels/cpu/loop_nest.h>
#include <tandem/kernels/cpu/parallel.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/kernel.h>

namespace tandem::cpu {

/// Elements computed at a time: the buffers of three operands stay in the first-level cache.
inline constexpr std::int64_t chunk_elements = 1024;

/// Calls `body(row of tensor 0, row of tensor 1, ...)` through `body(nest, row, begin, count)` for chunks of all rows,
/// on several threads where that pays.
template <class Body>
void for_each_chunk(const LoopNest& nest, const Body& body) {
  const std::int64_t length = nest.row_length();
  const std::int64_t chunks = (length + chunk_elements - 1) / chunk_elements;
  parallel_for(nest.rows() * chunks, std::min(length, chunk_elements), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t begin = i % chunks * chunk_elements;
      body(i / chunks, begin, std::min(chunk_elements, length - begin));
    }
  });
}

/// y = f(x...) for N operands that are read as T; results are computed as R.
template <class T, class R, std::size_t N, class F>
void map_elements(const KernelCall& call, const F& f) {
  std::array<TensorView, N + 1> tensors;
  tensors[0] = call.results[0];
  for (std::size_t i = 0; i < N; ++i)
    tensors[i + 1] = call.operands[i];
  const LoopNest nest(tensors);
  for_each_chunk(nest, [&](std::int64_t r, std::int64_t begin, std::int64_t count) {
    std::array<std::array<T, chunk_elements>, N> buffers;  // NOLINT: filled by row_as
    std::array<const T*, N> x;
    for (std::size_t i = 0; i < N; ++i)
      x[i] = row_as(nest.row(i + 1, r, begin, count), buffers[i].data());
    std::array<R, chunk_elements> y;  // NOLINT
    R* const to = y.data();
    const T* const a = x[0];
    [[maybe_unused]] const T* const b = x[N - 1];
    for (std::int64_t j = 0; j < count; ++j) {
      if constexpr (N == 1)
        to[j] = static_cast<R>(f(a[j]));
      else
        to[j] = static_cast<R>(f(a[j], b[j]));
    }
    store_row(nest.row(0, r, begin, count), y.data());
  });
}

/// Which of the three types an element of a dtype is computed in.
enum class Lane { f32, f64, i64 };
inline Lane lane_of(DType dtype) {
  return dtype == DType::f64 ? Lane::f64 : is_float(dtype) ? Lane::f32 : Lane::i64;
}

}  // namespace tandem::cpu
