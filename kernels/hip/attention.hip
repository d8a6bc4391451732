// Attention: a block computes one row, up to 1,024 columns of it, over all keys, 64 at a time. Scores of 64 keys are made
// by waves (a key a wave), then the running maximum and sum are brought up to date and the values added (Milakov and
// Gimelshein, Online normalizer calculation for softmax, 2018). No score is ever written to memory.
#include "attention_params.h"
#include "device_math.h"
#include "element.h"
#include "index.h"
#include "wave.h"

namespace tandem::gpu {

namespace {

constexpr int threads = attention_threads;
constexpr int keys_a_turn = attention_keys;
constexpr int waves = threads / wave_size;

template <class Real>
TANDEM_DEVICE Real load(const void* data, ElementType type, i64 at) {
  if constexpr (sizeof(Real) == 8)
    return load_real(data, type, at);
  else
    return load_f32(data, type, at);
}

template <class Real>
TANDEM_DEVICE void attention(const AttentionParams& p) {
  __shared__ Real scores[keys_a_turn];
  begin_kernel();
  i64 at[5] = {};
  locate(p.batch, static_cast<i64>(block_x()) / p.rows, at);
  const i64 row = static_cast<i64>(block_x()) % p.rows;
  const i64 q_at = at[1] + row * p.q_row;
  const i64 last_key = p.causal != 0 ? row + p.keys - p.rows : p.keys - 1;
  const i64 first_column = static_cast<i64>(block_y()) * threads * attention_columns + thread_x();
  const Real lowest = -static_cast<Real>(infinity);
  Real largest = lowest;
  Real sum = 0;
  Real total[attention_columns] = {};
  for (i64 first = 0; first < p.keys; first += keys_a_turn) {
    for (int i = static_cast<int>(wave_id()); i < keys_a_turn; i += waves) {
      const i64 key = first + i;
      Real score = 0;
      if (key <= last_key && key < p.keys)
        for (i64 d = lane_id(); d < p.depth; d += wave_size)
          score = fused_multiply_add(load<Real>(p.q, p.type, q_at + d * p.q_step),
                                     load<Real>(p.k, p.type, at[2] + key * p.k_row + d * p.k_step), score);
      score = wave_reduce(score, [](Real a, Real b) { return a + b; }) * static_cast<Real>(p.scale);
      if (key > last_key || key >= p.keys) {
        score = lowest;
      } else if (p.mask != nullptr) {
        const i64 mask_at = at[4] + row * p.mask_row + key * p.mask_step;
        if (p.mask_type == ElementType::boolean)
          score = static_cast<const u8*>(p.mask)[mask_at] != 0 ? score : lowest;
        else
          score += load<Real>(p.mask, p.mask_type, mask_at);
      }
      if (lane_id() == 0)
        scores[i] = score;
    }
    block_barrier();
    Real turn_largest = largest;
    for (int i = 0; i < keys_a_turn; ++i)
      turn_largest = scores[i] > turn_largest || scores[i] != scores[i] ? scores[i] : turn_largest;
    // What was added so far is brought to the new maximum. As long as all scores are minus infinity nothing was.
    const Real shrink = largest == turn_largest ? Real(1) : exponential(largest - turn_largest);
    largest = turn_largest;
    if (largest != lowest) {
      sum *= shrink;
#pragma unroll
      for (int c = 0; c < attention_columns; ++c)
        total[c] *= shrink;
      const int count = p.keys - first < keys_a_turn ? static_cast<int>(p.keys - first) : keys_a_turn;
      for (int i = 0; i < count; ++i) {
        const Real weight = exponential(scores[i] - largest);
        sum += weight;
#pragma unroll
        for (int c = 0; c < attention_columns; ++c)
          if (first_column + c * threads < p.columns)
            total[c] = fused_multiply_add(
                weight, load<Real>(p.v, p.type, at[3] + (first + i) * p.v_row + (first_column + c * threads) * p.v_step),
                total[c]);
      }
    }
    block_barrier();
  }
  // Over no keys, or keys none of which is kept, the sum is 0.
#pragma unroll
  for (int c = 0; c < attention_columns; ++c) {
    const i64 column = first_column + c * threads;
    if (column >= p.columns)
      continue;
    const Real y = largest == lowest ? Real(0) : total[c] / sum;
    if constexpr (sizeof(Real) == 8)
      store_real(p.y, p.type, at[0] + row * p.y_row + column * p.y_step, y);
    else
      store_f32(p.y, p.type, at[0] + row * p.y_row + column * p.y_step, y);
  }
}

}  // namespace

/// Grid: (rows of all batches, shares of 1,024 columns).
TANDEM_KERNEL(attention_f32, 256, AttentionParams) { attention<float>(p); }
TANDEM_KERNEL(attention_f64, 256, AttentionParams) { attention<double>(p); }

}  // namespace tandem::gpu
