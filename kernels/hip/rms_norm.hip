// RMS norm of rows, of one tensor or of two (MLA's latents) in one launch: grid (rows, parts).
#include "norm_rows.h"

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

template <class T, int rows>
TANDEM_DEVICE void rows_by_elements(const NormParams& p) {
  __shared__ float partial[rows][element_row_threads];
  wait_for_previous();
  norm_rows_by_elements<T, rows>(p.part[block_y()], p, partial);
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

// Contiguous rows at any alignment, of any length up to 2,048: one a block, or four.
TANDEM_KERNEL(rms_norm_elements_bf16, 256, NormParams) { rows_by_elements<Bf16, 1>(p); }
TANDEM_KERNEL(rms_norm_elements_f16, 256, NormParams) { rows_by_elements<F16, 1>(p); }
TANDEM_KERNEL(rms_norm_elements_4_bf16, 256, NormParams) { rows_by_elements<Bf16, element_rows>(p); }
TANDEM_KERNEL(rms_norm_elements_4_f16, 256, NormParams) { rows_by_elements<F16, element_rows>(p); }

TANDEM_KERNEL_RESIDENT(rms_norm_wave_bf16, 64, 8, NormParams) { by_waves<Bf16>(p); }
TANDEM_KERNEL_RESIDENT(rms_norm_wave_f16, 64, 8, NormParams) { by_waves<F16>(p); }
TANDEM_KERNEL_RESIDENT(rms_norm_wave_f32, 64, 8, NormParams) { by_waves<float>(p); }

}  // namespace tandem::gpu
