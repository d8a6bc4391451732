// Norms over the last axis, of any float dtypes.
#pragma once

#include <tandem/kernels/hip/launch.h>

namespace tandem::hip {

struct RowNorm {
  TensorView x, y;
  const TensorView* weight = nullptr;  ///< Null: ones.
  const TensorView* bias = nullptr;    ///< Null: zeros.
  double epsilon = 0;
  bool rms = false;  ///< rms_norm, else layer_norm.
  bool round_before_weight = false;
};

void launch_row_norm(const RowNorm& norm, Launcher& launcher);

}  // namespace tandem::hip
