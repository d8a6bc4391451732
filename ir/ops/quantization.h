// What quantisation to 8-bit floats saturates at, in one place for inference, decompositions and kernels.
//
// The limits are vLLM's (vllm/model_executor/layers/quantization/input_quant_fp8.py and quant_utils.py,
// `get_fp8_min_max`): the largest finite value of the format, but 224 instead of 240 for the fnuz form, because 240
// costs accuracy in dynamically quantised models on ROCm.
#pragma once

#include <tandem/ir/dtype.h>

namespace tandem {

/// The magnitude that values are clamped to before they are rounded to a float8 dtype.
constexpr double quantization_limit(DType float8) {
  switch (float8) {
    case DType::f8e4m3fnuz: return 224.0;
    case DType::f8e5m2: return 57344.0;
    default: return 448.0;
  }
}

/// The least scale of dynamic quantisation (to be rounded to f32): a row of zeros is not divided by zero.
constexpr double quantization_min_scale(DType float8) {
  return 1.0 / (quantization_limit(float8) * 512.0);
}

}  // namespace tandem
