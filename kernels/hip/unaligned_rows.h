// Rows of elements side by side that begin and end anywhere: odd ranks, slices at odd places.
//
// A row's vectors of 16 bytes count from its first element, wherever that lies, so that its sum has the same terms in
// the same order as that of an aligned row. In memory such a vector lies across two aligned ones. A row therefore goes
// through shared memory twice: as it lies in memory, from where its vectors are read shifted into place, and as vectors
// of its result, from where those of memory are read. Elements in vectors that the row shares with what lies before and
// behind it move one by one, a lane each; nothing outside of the row is touched.
#pragma once

#include "norm_rows.h"

namespace tandem::gpu {

constexpr u32 vector_bytes = sizeof(u32x4);

/// Vectors of shared memory that a row takes beyond its own.
constexpr int staging_room = 3;

/// By value: of two elements of an array `?:` would choose the address, which keeps the array in memory.
TANDEM_DEVICE u32 choose(bool first, u32 a, u32 b) {
  return first ? a : b;
}

/// 16 bytes of `from[0]` and `from[1]`, from byte `shift` on: an even number below 16.
TANDEM_DEVICE u32x4 across(const u32x4* from, u32 shift) {
  const u32x4 low = from[0];
  const u32x4 high = from[1];
  const bool two = (shift & 8U) != 0;
  const bool one = (shift & 4U) != 0;
  const u32 half = (shift & 2U) * 8;
  const u32 a[6] = {choose(two, low.z, low.x),  choose(two, low.w, low.y),   choose(two, high.x, low.z),
                    choose(two, high.y, low.w), choose(two, high.z, high.x), choose(two, high.w, high.y)};
  u32 word[5];
#pragma unroll
  for (int i = 0; i < 5; ++i)
    word[i] = choose(one, a[i + 1], a[i]);
  return make_u32x4(shift_right(word[0], word[1], half), shift_right(word[1], word[2], half),
                    shift_right(word[2], word[3], half), shift_right(word[3], word[4], half));
}

/// How a row lies among the aligned vectors of memory, of which the first is the one in which it begins.
template <class T>
struct Placement {
  static constexpr int count = Packed<T>::count;

  u32 shift;       ///< Bytes of the first vector ahead of the row.
  int ahead;       ///< As many elements.
  int first, end;  ///< Vectors that are the row's alone.
  int head, tail;  ///< Elements before them, and where those behind them begin.

  TANDEM_DEVICE Placement(const T* row, int length)
      : shift(static_cast<u32>(reinterpret_cast<u64>(row)) % vector_bytes),
        ahead(static_cast<int>(shift / sizeof(T))),
        first(ahead == 0 ? 0 : 1),
        end((ahead + length) / count),
        head(ahead == 0 || end == 0 ? 0 : count - ahead),
        tail(end * count - ahead) {}
  /// The first vector's address.
  TANDEM_DEVICE const u32x4* vectors(const T* row) const {
    return reinterpret_cast<const u32x4*>(reinterpret_cast<const char*>(row) - shift);
  }
  TANDEM_DEVICE u32x4* vectors(T* row) const { return reinterpret_cast<u32x4*>(reinterpret_cast<char*>(row) - shift); }
  TANDEM_DEVICE bool is_whole(int v) const { return v >= first && v < end; }
};

/// Norms one row of one part with a group of threads, of which this is `thread`: each has up to `most` vectors, `group`
/// apart. `sum_up` adds what the threads hold; all threads have come to it before one returns.
template <class T, int most, class SumUp>
TANDEM_DEVICE void norm_unaligned(const NormPart& a, const NormParams& p, i64 row, int thread, int group, u32x4* staged,
                                  SumUp sum_up) {
  constexpr int count = Packed<T>::count;
  const T* from = static_cast<const T*>(a.x) + row * a.x_row;
  T* to = static_cast<T*>(a.y) + row * a.y_row;
  const T* weights = static_cast<const T*>(a.weight);
  T* elements = reinterpret_cast<T*>(staged);
  const int whole = a.length / count;
  const int last = (a.length - 1) / count;

  // The row as it lies in memory; of the weight, its vectors.
  const Placement<T> x(from, a.length);
  u32x4 vector[most], weight[most];
#pragma unroll
  for (int i = 0; i < most && i * group <= last; ++i) {
    const int v = i * group + thread;
    if (x.is_whole(v))
      vector[i] = load_once(x.vectors(from) + v);
  }
#pragma unroll
  for (int i = 0; i < most && i * group <= last; ++i) {
    const int v = i * group + thread;
    weight[i] = make_u32x4(0, 0, 0, 0);
    if (v < whole)
      weight[i] = load_constant(reinterpret_cast<const u32x4*>(weights) + v);
  }
  // What is left, an element a lane: the row's head by 8 lanes, its tail and the zeros behind by 16, the weight's by 8.
  const bool is_head = thread < 8;
  const bool is_tail = thread >= 8 && thread < 8 + 2 * count;
  const int at = is_head ? thread : x.tail + thread - 8;
  const int weight_at = whole * count + thread - 24;
  T edge = from_f32<T>(0.0f);
  if (is_head ? at < x.head : is_tail && at >= 0 && at < a.length)
    edge = from[at];
  if (thread >= 24 && weight_at < a.length)
    edge = weights[weight_at];
  let_next_start();
#pragma unroll
  for (int i = 0; i < most && i * group <= last; ++i) {
    const int v = i * group + thread;
    if (x.is_whole(v))
      staged[v] = vector[i];
  }
  if (is_head ? at < x.head : is_tail && at >= 0)
    elements[x.ahead + at] = edge;
  if (thread >= 24 && thread < 24 + count)
    elements[(last + staging_room) * count + thread - 24] = edge;
  block_barrier();

  // The row's vectors.
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < most && i * group <= last; ++i) {
    const int v = i * group + thread;
    vector[i] = make_u32x4(0, 0, 0, 0);
    if (v <= last)
      vector[i] = across(staged + v, x.shift);
    if (v == whole)
      weight[i] = staged[last + staging_room];
    sum += squares<T>(vector[i]);
  }
  const float scale = scale_of(a, sum_up(sum));
#pragma unroll
  for (int i = 0; i < most && i * group <= last; ++i) {
    const int v = i * group + thread;
    float factors[count];
    unpack<T>(weight[i], factors);
    if (v <= last)
      staged[v + 1] = normalize<T>(vector[i], factors, scale, p.round_before_weight != 0);
  }
  block_barrier();

  // The result's vectors, as they lie in memory.
  const Placement<T> y(to, a.length);
  const u32x4* shifted = staged + (y.shift == 0 ? 1 : 0);
#pragma unroll
  for (int i = 0; i < most && i * group <= last; ++i) {
    const int v = i * group + thread;
    if (y.is_whole(v))
      y.vectors(to)[v] = across(shifted + v, (vector_bytes - y.shift) % vector_bytes);
  }
  const int left = is_head ? thread : y.tail + thread - 8;
  if (is_head ? left < y.head : is_tail && left >= 0 && left < a.length)
    to[left] = elements[count + left];
}

}  // namespace tandem::gpu
