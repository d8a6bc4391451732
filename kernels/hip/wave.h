// What the lanes of a wave do together, and the threads of a block through their waves.
//
// Reductions are trees of one fixed shape, so that a sum depends on its terms and their places alone. On AMD they run
// on DPP (a lane reads its neighbours' register) and readlane, never through LDS.
#pragma once

#include "device.h"

namespace tandem::gpu {

TANDEM_DEVICE u32 lane_id() {
  return thread_x() % wave_size;
}
TANDEM_DEVICE u32 wave_id() {
  return thread_x() / wave_size;
}

namespace detail {

#if TANDEM_NVIDIA
TANDEM_DEVICE u32 exchange(u32 word, int distance) {
  return __shfl_xor_sync(0xffffffffU, word, distance);
}
#else
/// DPP controls: which lane of a row of 16 each lane reads.
constexpr int dpp_neighbour = 0xb1;     // quad_perm [1, 0, 3, 2]
constexpr int dpp_other_pair = 0x4e;    // quad_perm [2, 3, 0, 1]
constexpr int dpp_half_mirror = 0x141;  // lane i of 8 reads 7 - i
constexpr int dpp_mirror = 0x140;       // lane i of 16 reads 15 - i

template <int control>
TANDEM_DEVICE u32 dpp(u32 word) {
  return static_cast<u32>(__builtin_amdgcn_update_dpp(0, static_cast<int>(word), control, 0xf, 0xf, true));
}
TANDEM_DEVICE u32 read_lane(u32 word, int lane) {
  return static_cast<u32>(__builtin_amdgcn_readlane(static_cast<int>(word), lane));
}
#endif

/// `move` applied to each 32-bit word of a value.
template <class T, class Move>
TANDEM_DEVICE T by_words(T value, Move move) {
  static_assert(sizeof(T) % 4 == 0);
  struct Words {
    u32 word[sizeof(T) / 4];
  };
  Words words = bit_cast<Words>(value);
#pragma unroll
  for (u32& word : words.word)
    word = move(word);
  return bit_cast<T>(words);
}

}  // namespace detail

/// Combines the values of all lanes; every lane gets the result. All lanes of the wave must be here.
template <class T, class Combine>
TANDEM_DEVICE T wave_reduce(T value, Combine combine) {
#if TANDEM_NVIDIA
#pragma unroll
  for (int distance = 1; distance < wave_size; distance *= 2)
    value = combine(value, detail::by_words(value, [&](u32 w) { return detail::exchange(w, distance); }));
  return value;
#else
  using namespace detail;
  value = combine(value, by_words(value, [](u32 w) { return dpp<dpp_neighbour>(w); }));
  value = combine(value, by_words(value, [](u32 w) { return dpp<dpp_other_pair>(w); }));
  value = combine(value, by_words(value, [](u32 w) { return dpp<dpp_half_mirror>(w); }));
  value = combine(value, by_words(value, [](u32 w) { return dpp<dpp_mirror>(w); }));
  const auto row = [&](int lane) { return by_words(value, [=](u32 w) { return read_lane(w, lane); }); };
  if constexpr (wave_size == 32)
    return combine(row(0), row(16));
  else
    return combine(combine(row(0), row(16)), combine(row(32), row(48)));
#endif
}

TANDEM_DEVICE float wave_sum(float value) {
  return wave_reduce(value, [](float a, float b) { return a + b; });
}

}  // namespace tandem::gpu
