// Strided copies.
#include <tandem/kernels/cpu/strided_copy.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <tandem/kernels/cpu/loop_nest.h>
#include <tandem/kernels/cpu/parallel.h>

namespace tandem::cpu {
namespace {

constexpr std::int64_t copied_at_once = 1 << 14;

template <class Bits>
void copy_row(const Row& from, const Row& to) {
  const auto* source = reinterpret_cast<const Bits*>(from.data);
  auto* target = reinterpret_cast<Bits*>(to.data);
  for (std::int64_t i = 0; i < to.count; ++i)
    target[i * to.stride] = source[i * from.stride];
}

void copy_chunk(const Row& from, const Row& to) {
  const std::size_t size = byte_size(to.dtype);
  if (to.stride == 1 && from.stride == 1) {
    std::memcpy(to.data, from.data, static_cast<std::size_t>(to.count) * size);
    return;
  }
  switch (size) {
    case 1: return copy_row<std::uint8_t>(from, to);
    case 2: return copy_row<std::uint16_t>(from, to);
    case 4: return copy_row<std::uint32_t>(from, to);
    default: return copy_row<std::uint64_t>(from, to);
  }
}

}  // namespace

void copy_strided(const TensorView& from, const TensorView& to) {
  const std::array<TensorView, 2> tensors{to, from};
  const LoopNest nest(tensors);
  const std::int64_t length = nest.row_length(), chunks = (length + copied_at_once - 1) / copied_at_once;
  parallel_for(nest.rows() * chunks, std::min(length, copied_at_once), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t begin = i % chunks * copied_at_once, count = std::min(copied_at_once, length - begin);
      copy_chunk(nest.row(1, i / chunks, begin, count), nest.row(0, i / chunks, begin, count));
    }
  });
}

void copy_strided_here(const TensorView& from, const TensorView& to) {
  const std::array<TensorView, 2> tensors{to, from};
  const LoopNest nest(tensors);
  for (std::int64_t r = 0; r < nest.rows(); ++r)
    copy_chunk(nest.row(1, r, 0, nest.row_length()), nest.row(0, r, 0, nest.row_length()));
}

}  // namespace tandem::cpu
