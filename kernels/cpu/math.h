// Functions on single floats in a form that compilers turn into vector code.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace tandem::cpu {

/// e to the x, within 1.5 ulp; 0 below -104, infinity above 88.73, NaN for NaN. No branches. (Range reduction and
/// polynomial of Cephes' expf, S. L. Moshier.)
inline float exp_f32(float x) {
  const float clamped = x < -104.0F ? -104.0F : x > 89.0F ? 89.0F : x;  // NaN passes
  const float shifted = clamped * 1.44269504088896341F + 12582912.0F;   // 1.5 * 2^23: rounds to a whole number
  const float n = shifted - 12582912.0F;
  const float r = (clamped - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  // 2^n in two steps, so that results below the normal range are rounded once and those above become infinite.
  const auto power = static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(shifted) - 0x4b400000U);
  const std::int32_t half = power >> 1;
  const auto first = std::bit_cast<float>(static_cast<std::uint32_t>(half + 127) << 23);
  const auto second = std::bit_cast<float>(static_cast<std::uint32_t>(power - half + 127) << 23);
  const float result = p * first * second;
  return x != x ? x : result;
}

inline float exponential(float x) {
  return exp_f32(x);
}
inline double exponential(double x) {
  return std::exp(x);
}

}  // namespace tandem::cpu
