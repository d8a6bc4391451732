// RMS norm of rows, of one tensor or of two (MLA's latents) in one launch: grid (rows, parts).
#include "unaligned_rows.h"

namespace tandem::gpu {

namespace {

template <class T, bool own_weight>
TANDEM_DEVICE void by_blocks(const NormParams& p) {
  __shared__ float partial[max_norm_threads];
  wait_for_previous();
  norm_by_block<T, own_weight>(p.part[block_y()], p, partial);
}

template <class T>
TANDEM_DEVICE void by_elements(const StridedNormParams& p) {
  __shared__ float partial[max_norm_threads];
  begin_kernel();
  norm_by_elements<T, 8>(p, static_cast<int>(block_y()), partial);
}

template <class T>
TANDEM_DEVICE void unaligned_by_blocks(const NormParams& p) {
  __shared__ float partial[max_norm_threads];
  __shared__ u32x4 staged[max_norm_threads + staging_room];
  wait_for_previous();
  const NormPart& a = p.part[block_y()];
  const int thread = static_cast<int>(thread_x());
  if (thread >= a.threads)
    return;  // a whole wave: barriers do not count it
  norm_unaligned<T, 1>(a, p, block_x(), thread, a.threads, staged,
                       [&](float sum) { return block_sum(partial, sum, a.threads); });
}

template <class T>
TANDEM_DEVICE void unaligned_by_waves(const NormParams& p) {
  __shared__ u32x4 staged[norm_wave_threads / wave_size][max_wave_row + staging_room];
  wait_for_previous();
  const i64 row = static_cast<i64>(block_x()) * (norm_wave_threads / wave_size) + wave_id();
  if (row >= p.rows)
    return;
  norm_unaligned<T, max_wave_row / wave_size>(p.part[block_y()], p, row, static_cast<int>(lane_id()), wave_size,
                                              staged[wave_id()], [](float sum) {
                                                block_barrier();
                                                return wave_sum(sum);
                                              });
}

/// Short rows: a wave a row.
template <class T>
TANDEM_DEVICE void by_waves(const NormParams& p) {
  wait_for_previous();
  const i64 row = static_cast<i64>(block_x()) * (norm_wave_threads / wave_size) + wave_id();
  if (row >= p.rows)
    return;
  const NormPart& a = p.part[0];
  WaveRow<T, max_wave_row / wave_size, false> x;
  x.load(a, row);
  x.load_weight(a);
  let_next_start();
  const float scale = scale_of(a, wave_sum(x.sum()));
  if (p.round_before_weight != 0)
    x.template store<false, true>(a, row, scale, p.zero);
  else
    x.template store<false, false>(a, row, scale, p.zero);
}

}  // namespace

TANDEM_KERNEL(rms_norm_block_bf16, 1024, NormParams) { by_blocks<Bf16, true>(p); }
TANDEM_KERNEL(rms_norm_block_f16, 1024, NormParams) { by_blocks<F16, true>(p); }
TANDEM_KERNEL(rms_norm_block_f32, 1024, NormParams) { by_blocks<float, true>(p); }

// Weights that are f32 beside 2-byte elements, or that there are none of.
TANDEM_KERNEL(rms_norm_block_any_bf16, 1024, NormParams) { by_blocks<Bf16, false>(p); }
TANDEM_KERNEL(rms_norm_block_any_f16, 1024, NormParams) { by_blocks<F16, false>(p); }
TANDEM_KERNEL(rms_norm_block_any_f32, 1024, NormParams) { by_blocks<float, false>(p); }

TANDEM_KERNEL(rms_norm_strided_bf16, 1024, StridedNormParams) { by_elements<Bf16>(p); }
TANDEM_KERNEL(rms_norm_strided_f16, 1024, StridedNormParams) { by_elements<F16>(p); }
TANDEM_KERNEL(rms_norm_strided_f32, 1024, StridedNormParams) { by_elements<float>(p); }

// Elements side by side at any alignment.
TANDEM_KERNEL(rms_norm_unaligned_block_bf16, 1024, NormParams) { unaligned_by_blocks<Bf16>(p); }
TANDEM_KERNEL(rms_norm_unaligned_block_f16, 1024, NormParams) { unaligned_by_blocks<F16>(p); }
TANDEM_KERNEL(rms_norm_unaligned_block_f32, 1024, NormParams) { unaligned_by_blocks<float>(p); }
TANDEM_KERNEL_RESIDENT(rms_norm_unaligned_wave_bf16, 64, 8, NormParams) { unaligned_by_waves<Bf16>(p); }
TANDEM_KERNEL_RESIDENT(rms_norm_unaligned_wave_f16, 64, 8, NormParams) { unaligned_by_waves<F16>(p); }
TANDEM_KERNEL_RESIDENT(rms_norm_unaligned_wave_f32, 64, 8, NormParams) { unaligned_by_waves<float>(p); }

TANDEM_KERNEL_RESIDENT(rms_norm_wave_bf16, 64, 8, NormParams) { by_waves<Bf16>(p); }
TANDEM_KERNEL_RESIDENT(rms_norm_wave_f16, 64, 8, NormParams) { by_waves<F16>(p); }
TANDEM_KERNEL_RESIDENT(rms_norm_wave_f32, 64, 8, NormParams) { by_waves<float>(p); }

}  // namespace tandem::gpu
