// The two RMS norms of MLA's latents, a wave a token: both rows of a token are in flight at once, and nothing is shared
// between waves. For few tokens and other lengths rms_norm.hip has kernels of two parts.
#include "norm_rows.h"

namespace tandem::gpu {

namespace {

template <class T, int q_count, int kv_count, bool whole, bool streaming>
TANDEM_DEVICE void dual(const NormParams& p) {
  wait_for_previous();
  const i64 row = static_cast<i64>(block_x()) * (norm_wave_threads / wave_size) + wave_id();
  if (row >= p.rows)
    return;
  WaveRow<T, q_count, whole> q;
  WaveRow<T, kv_count, whole> kv;
  q.load(p.part[0], row);
  kv.load(p.part[1], row);
  q.load_weight(p.part[0]);
  kv.load_weight(p.part[1]);
  let_next_start();
  const float q_scale = scale_of(p.part[0], wave_sum(q.sum()));
  const float kv_scale = scale_of(p.part[1], wave_sum(kv.sum()));
  if (p.round_before_weight != 0) {
    q.template store<streaming, true>(p.part[0], row, q_scale, p.zero);
    kv.template store<streaming, true>(p.part[1], row, kv_scale, p.zero);
  } else {
    q.template store<streaming, false>(p.part[0], row, q_scale, p.zero);
    kv.template store<streaming, false>(p.part[1], row, kv_scale, p.zero);
  }
}

/// Vectors that a wave holds of rows of 1,536 and 512 elements of 2 bytes (DeepSeek-V3, Kimi-K2), of rows of up to 1,024
/// (MiniCPM3's 768), and of up to 2,048.
constexpr int q_count = 192 / wave_size;
constexpr int kv_count = 64 / wave_size;
constexpr int short_count = short_wave_row / wave_size;
constexpr int any_count = max_wave_row / wave_size;

}  // namespace

TANDEM_KERNEL_RESIDENT(dual_rms_norm_1536_512_bf16, 64, 7, NormParams) { dual<Bf16, q_count, kv_count, true, false>(p); }
TANDEM_KERNEL_RESIDENT(dual_rms_norm_1536_512_f16, 64, 7, NormParams) { dual<F16, q_count, kv_count, true, false>(p); }
TANDEM_KERNEL_RESIDENT(dual_rms_norm_1536_512_streaming_bf16, 64, 7, NormParams) { dual<Bf16, q_count, kv_count, true, true>(p); }
TANDEM_KERNEL_RESIDENT(dual_rms_norm_1536_512_streaming_f16, 64, 7, NormParams) { dual<F16, q_count, kv_count, true, true>(p); }

TANDEM_KERNEL_RESIDENT(dual_rms_norm_wave_1024_512_bf16, 64, 12, NormParams) { dual<Bf16, short_count, kv_count, false, false>(p); }
TANDEM_KERNEL_RESIDENT(dual_rms_norm_wave_1024_512_f16, 64, 12, NormParams) { dual<F16, short_count, kv_count, false, false>(p); }
TANDEM_KERNEL_RESIDENT(dual_rms_norm_wave_512_bf16, 64, 7, NormParams) { dual<Bf16, any_count, kv_count, false, false>(p); }
TANDEM_KERNEL_RESIDENT(dual_rms_norm_wave_512_f16, 64, 7, NormParams) { dual<F16, any_count, kv_count, false, false>(p); }
TANDEM_KERNEL_RESIDENT(dual_rms_norm_wave_bf16, 64, 6, NormParams) { dual<Bf16, any_count, any_count, false, false>(p); }
TANDEM_KERNEL_RESIDENT(dual_rms_norm_wave_f16, 64, 6, NormParams) { dual<F16, any_count, any_count, false, false>(p); }
TANDEM_KERNEL_RESIDENT(dual_rms_norm_wave_f32, 64, 6, NormParams) { dual<float, any_count, any_count, false, false>(p); }

}  // namespace tandem::gpu
