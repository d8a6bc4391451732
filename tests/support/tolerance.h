// How far a result may lie from the oracle's: a few units in the last place of its dtype.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include <tandem/ir/dtype.h>
#include <tandem/kernels/tensor.h>

namespace tandem::test {

/// |got - want| <= absolute + relative * |want|.
struct Tolerance {
  double relative = 0;
  double absolute = 0;
};

/// The distance between 1 and the next number of a float dtype; 0 for integers and bool.
inline double epsilon(DType dtype) {
  switch (dtype) {
    case DType::f64: return 0x1p-52;
    case DType::f32: return 0x1p-23;
    case DType::f16: return 0x1p-10;
    case DType::bf16: return 0x1p-7;
    case DType::f8e4m3:
    case DType::f8e4m3fnuz: return 0x1p-3;
    case DType::f8e5m2: return 0x1p-2;
    default: return 0;
  }
}

/// The smallest positive number of a float dtype (a subnormal); 0 for integers and bool.
inline double smallest(DType dtype) {
  switch (dtype) {
    case DType::f64: return 0x1p-1074;
    case DType::f32: return 0x1p-149;
    case DType::f16: return 0x1p-24;
    case DType::bf16: return 0x1p-133;
    case DType::f8e4m3: return 0x1p-9;
    case DType::f8e4m3fnuz: return 0x1p-10;
    case DType::f8e5m2: return 0x1p-16;
    default: return 0;
  }
}

/// For one rounding to `dtype` after arithmetic in f32 (f64 for f64) on values of about `scale`, where errors may
/// cancel: `steps` roundings of the arithmetic, and one of the result.
inline Tolerance tolerance(DType dtype, double steps = 4, double scale = 0) {
  if (!is_float(dtype))
    return {};
  const double arithmetic = dtype == DType::f64 ? epsilon(DType::f64) : epsilon(DType::f32);
  return {epsilon(dtype) + steps * arithmetic, 2 * smallest(dtype) + steps * arithmetic * scale};
}

/// NaN agrees with NaN, an infinity with itself.
inline bool agrees(double got, double want, Tolerance t) {
  if (std::isnan(want) || std::isnan(got))
    return std::isnan(want) && std::isnan(got);
  if (std::isinf(want) || std::isinf(got))
    return got == want;
  return std::fabs(got - want) <= t.absolute + t.relative * std::fabs(want);
}

/// "" when two tensors agree, else the first element that does not.
inline std::string difference(const TensorView& got, const TensorView& want, Tolerance t) {
  if (got.dtype != want.dtype)
    return "the dtypes differ";
  if (!std::equal(got.dims().begin(), got.dims().end(), want.dims().begin(), want.dims().end()))
    return "the shapes differ";
  for (std::int64_t i = 0; i < want.size(); ++i) {
    if (!is_float(want.dtype)) {
      const std::int64_t a = load_integer(got, i), b = load_integer(want, i);
      if (a != b)
        return "element " + std::to_string(i) + " is " + std::to_string(a) + ", expected " + std::to_string(b);
      continue;
    }
    const double a = load_element(got, i), b = load_element(want, i);
    if (!agrees(a, b, t))
      return "element " + std::to_string(i) + " is " + std::to_string(a) + ", expected " + std::to_string(b) +
             " (difference " + std::to_string(a - b) + ")";
  }
  return "";
}

}  // namespace tandem::test
