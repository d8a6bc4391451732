// Device code of RMS norms. Three ways to take a row, the first two with one and the same sum:
//
//   wave     a wave takes a row; all its 16-byte loads are in flight at once; no shared memory, no barrier
//   block    a block takes a row; each thread has one vector of 16 bytes (or a few)
//   strided  a block takes a row, element by element: any stride, any alignment, any length
//
// The first two take aligned rows here; unaligned_rows.h has them for rows that begin and end anywhere.
//
// The sum of squares of a row is, in every way: vectors (of 16 bytes, or single elements) first, each in a fixed order;
// then each lane its vectors lane, lane + wave_size, ... in order; then the tree of `wave_sum`. How many rows there are
// decides which way is taken, never what comes out: results do not depend on the batch.
#pragma once

#include "convert.h"
#include "norm_params.h"
#include "wave.h"

namespace tandem::gpu {

/// Vectors of 16 bytes in a row.
template <class T>
TANDEM_DEVICE int vectors(const NormPart& a) {
  return a.length / Packed<T>::count;
}

template <int count>
TANDEM_DEVICE float sum_of_squares(const float (&e)[count]) {
  float even = e[0] * e[0];
  float odd = e[1] * e[1];
#pragma unroll
  for (int i = 2; i < count; i += 2) {
    even = fused_multiply_add(e[i], e[i], even);
    odd = fused_multiply_add(e[i + 1], e[i + 1], odd);
  }
  return even + odd;
}

template <class T>
TANDEM_DEVICE float squares(u32x4 vector) {
  float e[Packed<T>::count];
  unpack<T>(vector, e);
  return sum_of_squares(e);
}

/// What elements are multiplied by, from their sum of squares.
TANDEM_DEVICE float scale_of(const NormPart& a, float sum) {
  return reciprocal_sqrt(fused_multiply_add(sum, a.inverse_length, a.epsilon));
}

/// A vector of the weight, which is there and has x's type where `own`.
template <class T, bool own>
TANDEM_DEVICE void load_weight(const NormPart& a, int vector, float (&w)[Packed<T>::count]) {
  constexpr int count = Packed<T>::count;
  if (!own && a.weight == nullptr) {
#pragma unroll
    for (int i = 0; i < count; ++i)
      w[i] = 1.0f;
  } else if (!own && count == 8 && a.weight_is_f32) {
    const u32x4* from = static_cast<const u32x4*>(a.weight) + 2 * vector;
    const u32x4 first = load_constant(from);
    const u32x4 second = load_constant(from + 1);
    const u32 words[8] = {first.x, first.y, first.z, first.w, second.x, second.y, second.z, second.w};
#pragma unroll
    for (int i = 0; i < count; ++i)
      w[i] = bit_cast<float>(words[i]);
  } else {
    unpack<T>(load_constant(static_cast<const u32x4*>(a.weight) + vector), w);
  }
}

template <class T>
TANDEM_DEVICE u32x4 normalize(u32x4 x, const float (&w)[Packed<T>::count], float scale, bool round_before_weight) {
  float e[Packed<T>::count];
  unpack<T>(x, e);
#pragma unroll
  for (int i = 0; i < Packed<T>::count; ++i)
    e[i] *= scale;
  if (round_before_weight)
    round_to<T>(e);
#pragma unroll
  for (int i = 0; i < Packed<T>::count; ++i)
    e[i] *= w[i];
  return pack<T>(e);
}

// --- a wave a row --------------------------------------------------------------------------------------------------

/// A row in the registers of a wave, and its weight, which has x's type: vector lane + i * wave_size is x[i]. `whole`:
/// the row fills all of them.
template <class T, int count, bool whole>
struct WaveRow {
  u32x4 x[count];
  u32x4 w[count];

  TANDEM_DEVICE bool has(const NormPart& a, int i) const {
    return whole || i * wave_size + static_cast<int>(lane_id()) < vectors<T>(a);
  }
  TANDEM_DEVICE void load(const NormPart& a, i64 row) {
    const u32x4* from = reinterpret_cast<const u32x4*>(static_cast<const T*>(a.x) + row * a.x_row) + lane_id();
#pragma unroll
    for (int i = 0; i < count; ++i)
      x[i] = has(a, i) ? load_once(from + i * wave_size) : make_u32x4(0, 0, 0, 0);
  }
  /// Before the reduction, so that its wait is the row's.
  TANDEM_DEVICE void load_weight(const NormPart& a) {
    const u32x4* from = static_cast<const u32x4*>(a.weight) + lane_id();
#pragma unroll
    for (int i = 0; i < count; ++i)
      w[i] = has(a, i) ? load_constant(from + i * wave_size) : make_u32x4(0, 0, 0, 0);
  }
  TANDEM_DEVICE float sum() const {
    float total = squares<T>(x[0]);
#pragma unroll
    for (int i = 1; i < count; ++i)
      total += squares<T>(x[i]);
    return total;
  }
  /// `streaming`: what is stored is more than the caches keep.
  template <bool streaming, bool round_before_weight>
  TANDEM_DEVICE void store(const NormPart& a, i64 row, float scale, u32 zero) {
    u32x4* to = reinterpret_cast<u32x4*>(static_cast<T*>(a.y) + row * a.y_row) + lane_id();
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if (!has(a, i))
        continue;
      keep_packed(x[i], zero);
      float weight[Packed<T>::count];
      unpack<T>(w[i], weight);
      const u32x4 y = normalize<T>(x[i], weight, scale, round_before_weight);
      if constexpr (streaming)
        store_streaming(to + i * wave_size, y);
      else
        to[i * wave_size] = y;
    }
  }
};

// --- a block a row -------------------------------------------------------------------------------------------------

/// Adds up what the threads of a block hold, in the order of the file's head. Once a kernel: `partial` has one use.
TANDEM_DEVICE float block_sum(float* partial, float value, int threads) {
  partial[thread_x()] = value;
  block_barrier();
  constexpr int at_once = 8;  // loads in flight; 0 where there is no such wave
  float total = 0;
  for (int first = 0; first < threads; first += at_once * wave_size) {
    float term[at_once];
#pragma unroll
    for (int i = 0; i < at_once; ++i) {
      const int at = first + i * wave_size;
      term[i] = at < threads ? partial[at + static_cast<int>(lane_id())] : 0.0f;
    }
#pragma unroll
    for (int i = 0; i < at_once; ++i)
      total += term[i];
  }
  return wave_sum(total);
}

/// Row `block_x()` of one part.
template <class T, bool own_weight>
TANDEM_DEVICE void norm_by_block(const NormPart& a, const NormParams& p, float* partial) {
  const int thread = static_cast<int>(thread_x());
  if (thread >= a.threads)
    return;  // a whole wave: barriers do not count it
  const i64 row = block_x();
  const u32x4* from = reinterpret_cast<const u32x4*>(static_cast<const T*>(a.x) + row * a.x_row);
  u32x4* to = reinterpret_cast<u32x4*>(static_cast<T*>(a.y) + row * a.y_row);
  // The first vector, and its weight, stay in registers. Of rows of more vectors than threads the rest is read twice.
  const bool has_first = thread < vectors<T>(a);
  u32x4 first = make_u32x4(0, 0, 0, 0);
  float first_weight[Packed<T>::count];
  if (has_first) {
    first = load_once(from + thread);
    load_weight<T, own_weight>(a, thread, first_weight);
  }
  let_next_start();
  float sum = squares<T>(first);
  for (int at = thread + a.threads; at < vectors<T>(a); at += a.threads)
    sum += squares<T>(from[at]);
  const float scale = scale_of(a, block_sum(partial, sum, a.threads));
  if (has_first)
    to[thread] = normalize<T>(first, first_weight, scale, p.round_before_weight != 0);
  for (int at = thread + a.threads; at < vectors<T>(a); at += a.threads) {
    float w[Packed<T>::count];
    load_weight<T, own_weight>(a, at, w);
    to[at] = normalize<T>(from[at], w, scale, p.round_before_weight != 0);
  }
}

// --- element by element --------------------------------------------------------------------------------------------

template <class T, int kept>
TANDEM_DEVICE void norm_by_elements(const StridedNormParams& p, int which, float* partial) {
  const NormPart& a = p.norm.part[which];
  const int thread = static_cast<int>(thread_x());
  if (thread >= a.threads)
    return;
  const i64 row = block_x();
  const T* from = static_cast<const T*>(a.x) + row * a.x_row;
  T* to = static_cast<T*>(a.y) + row * a.y_row;
  const i64 x_step = p.x_step[which];
  const int rest = thread + kept * a.threads;
  float x[kept];
#pragma unroll
  for (int i = 0; i < kept; ++i) {
    const int at = thread + i * a.threads;
    x[i] = at < a.length ? to_f32(from[at * x_step]) : 0.0f;
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kept; ++i)
    sum = fused_multiply_add(x[i], x[i], sum);
  for (int at = rest; at < a.length; at += a.threads) {
    const float e = to_f32(from[at * x_step]);
    sum = fused_multiply_add(e, e, sum);
  }
  const float scale = scale_of(a, block_sum(partial, sum, a.threads));
  const auto store = [&](int at, float value) {
    value *= scale;
    if (p.norm.round_before_weight)
      value = to_f32(from_f32<T>(value));
    if (a.weight != nullptr) {
      const i64 w = at * p.weight_step[which];
      value *= a.weight_is_f32 ? static_cast<const float*>(a.weight)[w] : to_f32(static_cast<const T*>(a.weight)[w]);
    }
    to[at * p.y_step[which]] = from_f32<T>(value);
  };
#pragma unroll
  for (int i = 0; i < kept; ++i)
    if (thread + i * a.threads < a.length)
      store(thread + i * a.threads, x[i]);
  for (int at = rest; at < a.length; at += a.threads)
    store(at, to_f32(from[at * x_step]));
}

}  // namespace tandem::gpu
