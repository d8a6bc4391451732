// Norms joined with what precedes or follows them: residual add, quantisation to 8-bit floats, rotation.
#include "device_math.h"
#include "element.h"
#include "fused_norm_params.h"
#include "index.h"
#include "norm_rows.h"

namespace tandem::gpu {

namespace {

// --- sum = x + residual, y = rms_norm(sum): a block a row, as rms_norm.hip's -----------------------------------------------

template <class T>
TANDEM_DEVICE u32x4 add(u32x4 a, u32x4 b) {
  float x[Packed<T>::count];
  float y[Packed<T>::count];
  unpack<T>(a, x);
  unpack<T>(b, y);
#pragma unroll
  for (int i = 0; i < Packed<T>::count; ++i)
    x[i] += y[i];
  return pack<T>(x);
}

template <class T>
TANDEM_DEVICE void add_norm(const AddNormParams& p) {
  __shared__ float partial[max_norm_threads];
  begin_kernel();
  const i64 row = block_x();
  const int thread = static_cast<int>(thread_x());
  const int vectors = p.length / Packed<T>::count;
  const u32x4* x = reinterpret_cast<const u32x4*>(static_cast<const T*>(p.x) + row * p.x_row);
  const u32x4* residual = reinterpret_cast<const u32x4*>(static_cast<const T*>(p.residual) + row * p.residual_row);
  u32x4* sum = reinterpret_cast<u32x4*>(static_cast<T*>(p.sum) + row * p.sum_row);
  u32x4* y = reinterpret_cast<u32x4*>(static_cast<T*>(p.y) + row * p.y_row);
  NormPart a{};
  a.weight = p.weight;
  a.weight_is_f32 = p.weight_is_f32;
  a.inverse_length = p.inverse_length;
  a.epsilon = p.epsilon;
  // The first vector stays in registers; others are read again from what this thread wrote.
  u32x4 first = make_u32x4(0, 0, 0, 0);
  float total = 0;
  for (int at = thread; at < vectors; at += p.threads) {
    const u32x4 s = add<T>(x[at], residual[at]);
    sum[at] = s;
    total += squares<T>(s);
    if (at == thread)
      first = s;
  }
  const float scale = scale_of(a, block_sum(partial, total, p.threads));
  for (int at = thread; at < vectors; at += p.threads) {
    float w[Packed<T>::count];
    load_weight<T, false>(a, at, w);
    y[at] = normalize<T>(at == thread ? first : sum[at], w, scale, p.round_before_weight != 0);
  }
}

// --- y = rms_norm(x) / scale ---------------------------------------------------------------------------------------------

constexpr int threads = 256;

TANDEM_DEVICE float larger_magnitude(float a, float b) {
  return a != a || a > b ? a : b;
}

TANDEM_DEVICE float quantized(float value, float scale, float limit) {
  const float quotient = value / scale;
  return quotient > limit ? limit : quotient < -limit ? -limit : quotient;
}

TANDEM_DEVICE void quantize_rows(const NormQuantParams& p) {
  __shared__ float partial[threads];
  __shared__ float largest_of[threads / wave_size];
  begin_kernel();
  i64 at[3] = {};
  locate(p.rows, static_cast<i64>(block_x()), at);
  const auto x = [&](i64 i) { return load_f32(p.x, p.type, at[1] + i * p.x_step); };
  float sum = 0;
  for (i64 i = thread_x(); i < p.length; i += threads) {
    const float e = x(i);
    sum = fused_multiply_add(e, e, sum);
  }
  sum = block_sum(partial, sum, threads);
  const float scale = reciprocal_sqrt(sum / static_cast<float>(p.length) + p.epsilon);
  const auto normed = [&](i64 i) {
    float n = x(i) * scale;
    if (p.round_before_weight != 0)
      n = round_f32(n, p.type);
    return round_f32(n * load_f32(p.weight, p.weight_type, i * p.weight_step), p.type);
  };
  const auto store = [&](i64 i, float n, float by) {
    store_f32(p.y, p.y_type, at[0] + i * p.y_step, quantized(n, by, p.limit));
  };
  if (p.dynamic == 0) {
    const float by = *p.scale;
    for (i64 i = thread_x(); i < p.length; i += threads)
      store(i, normed(i), by);
    return;
  }
  const auto scale_from = [&](float largest) {
    const float by = largest / p.limit;
    return by < p.least_scale ? p.least_scale : by;  // NaN stays
  };
  if (p.group == p.length) {  // one scale, by the whole block
    float largest = 0;
    for (i64 i = thread_x(); i < p.length; i += threads)
      largest = larger_magnitude(absolute(normed(i)), largest);
    largest = wave_reduce(largest, [](float a, float b) { return larger_magnitude(a, b); });
    if (lane_id() == 0)
      largest_of[wave_id()] = largest;
    block_barrier();
    for (int i = 0; i < threads / wave_size; ++i)
      largest = larger_magnitude(largest_of[i], largest);
    const float by = scale_from(largest);
    for (i64 i = thread_x(); i < p.length; i += threads)
      store(i, normed(i), by);
    if (thread_x() == 0)
      p.scale[at[2]] = by;
    return;
  }
  const i64 groups = p.length / p.group;
  for (i64 g = wave_id(); g < groups; g += threads / wave_size) {
    float largest = 0;
    for (i64 i = lane_id(); i < p.group; i += wave_size)
      largest = larger_magnitude(absolute(normed(g * p.group + i)), largest);
    largest = wave_reduce(largest, [](float a, float b) { return larger_magnitude(a, b); });
    const float by = scale_from(largest);
    for (i64 i = lane_id(); i < p.group; i += wave_size)
      store(g * p.group + i, normed(g * p.group + i), by);
    if (lane_id() == 0)
      p.scale[at[2] + g * p.scale_step] = by;
  }
}

// --- y = rope(rms_norm(x)): a wave a head ----------------------------------------------------------------------------------

TANDEM_DEVICE void rotate_heads(const NormRopeParams& p) {
  begin_kernel();
  constexpr int waves = threads / wave_size;
  for (i64 head = static_cast<i64>(block_x()) * waves + wave_id(); head < p.heads.size; head += grid_blocks() * waves) {
    i64 at[4] = {};
    locate(p.heads, head, at);
    float sum = 0;
    for (i64 i = lane_id(); i < p.half; i += wave_size) {
      const float a = load_f32(p.x, p.type, at[1] + i * p.x_pair);
      const float b = load_f32(p.x, p.type, at[1] + i * p.x_pair + p.x_second);
      sum = fused_multiply_add(b, b, fused_multiply_add(a, a, sum));
    }
    sum = wave_sum(sum);
    const float scale = reciprocal_sqrt(sum / static_cast<float>(2 * p.half) + static_cast<float>(p.epsilon));
    const auto normed = [&](i64 x_at, i64 weight_at) {
      float n = load_f32(p.x, p.type, x_at) * scale;
      if (p.round_before_weight != 0)
        n = round_f32(n, p.type);
      return round_f32(n * load_f32(p.weight, p.weight_type, weight_at), p.type);
    };
    for (i64 i = lane_id(); i < p.half; i += wave_size) {
      const float a = normed(at[1] + i * p.x_pair, i * p.weight_pair);
      const float b = normed(at[1] + i * p.x_pair + p.x_second, i * p.weight_pair + p.weight_second);
      const float c = load_f32(p.cosine, p.cosine_type, at[2] + i * p.cosine_step);
      const float s = load_f32(p.sine, p.sine_type, at[3] + i * p.sine_step);
      store_f32(p.y, p.type, at[0] + i * p.y_pair, fused_multiply_add(a, c, -(b * s)));
      store_f32(p.y, p.type, at[0] + i * p.y_pair + p.y_second, fused_multiply_add(b, c, a * s));
    }
  }
}

}  // namespace

TANDEM_KERNEL(add_rms_norm_bf16, 1024, AddNormParams) { add_norm<Bf16>(p); }
TANDEM_KERNEL(add_rms_norm_f16, 1024, AddNormParams) { add_norm<F16>(p); }
TANDEM_KERNEL(add_rms_norm_f32, 1024, AddNormParams) { add_norm<float>(p); }
TANDEM_KERNEL(norm_quant, 256, NormQuantParams) { quantize_rows(p); }
TANDEM_KERNEL(norm_rope, 256, NormRopeParams) { rotate_heads(p); }

}  // namespace tandem::gpu
