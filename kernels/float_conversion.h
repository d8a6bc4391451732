// Conversions between float, double and the small float formats. All round to nearest, ties to even, keep the sign of
// zero where the format has one, and keep NaN a NaN.
//
// f16, bf16 and f8e5m2 overflow to infinity. f8e4m3 and f8e4m3fnuz have no infinity: what rounds beyond their largest
// value, and an infinity itself, becomes NaN, as PyTorch's casts do (c10/util/Float8_e4m3fn.h, Float8_fnuz_cvt.h).
//
// A double goes to its target directly, never through float, so that it is rounded once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include <tandem/ir/dtype.h>
#include <tandem/ir/export.h>

namespace tandem {

// --- bf16 and f16 to and from float: inline and without branches, so that loops over rows are vectorised -------------

inline float bf16_to_f32(std::uint16_t code) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(code) << 16);
}

inline std::uint16_t f32_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  // A NaN keeps its upper bits; should none of its payload be among them, it gets the quiet bit lest it become
  // infinity.
  const std::uint32_t nan = (bits >> 16) | ((bits & 0x007f0000U) == 0 ? 0x40U : 0U);
  return static_cast<std::uint16_t>((bits & 0x7fffffffU) > 0x7f800000U ? nan : rounded);
}

inline float f16_to_f32(std::uint16_t code) {
  // The exponent is moved to float's bias. Subnormals are read as 1.m * 2^-14, of which the leading 1 is then taken
  // away: exact, and no step has a subnormal float, which some threads flush to zero.
  const std::uint32_t sign = (code & 0x8000U) << 16;
  const std::uint32_t magnitude = (code & 0x7fffU) << 13;
  const std::uint32_t exponent = magnitude & 0x0f800000U;
  constexpr std::uint32_t rebias = (127U - 15U) << 23;
  const float subnormal = std::bit_cast<float>(magnitude + rebias + (1U << 23)) - 0x1p-14F;
  const std::uint32_t normal = magnitude + rebias;
  const std::uint32_t special = magnitude | 0x7f800000U;
  const std::uint32_t finite = exponent == 0 ? std::bit_cast<std::uint32_t>(subnormal) : normal;
  return std::bit_cast<float>(sign | (exponent == 0x0f800000U ? special : finite));
}

inline std::uint16_t f32_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7fffffffU;
  // Adding 1/2 puts the last place of an f16 subnormal (2^-24) at the last place of the sum, so that the addition
  // rounds as wanted.
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - std::bit_cast<std::uint32_t>(0.5F);
  const std::uint32_t normal = (magnitude - ((127U - 15U) << 23) + 0xfffU + ((magnitude >> 13) & 1U)) >> 13;
  const std::uint32_t payload = (magnitude >> 13) & 0x3ffU;
  const std::uint32_t nan = 0x7c00U | (payload == 0 ? 0x200U : payload);
  std::uint32_t code = magnitude < 0x38800000U ? subnormal : normal;  // 2^-14
  code = magnitude >= 0x47800000U ? 0x7c00U : code;                   // 2^16
  code = magnitude > 0x7f800000U ? nan : code;
  return static_cast<std::uint16_t>(sign | code);
}

// --- double to the small formats: rounded once
// ------------------------------------------------------------------------

TANDEM_RUNTIME_API std::uint16_t f64_to_bf16(double value);
TANDEM_RUNTIME_API std::uint16_t f64_to_f16(double value);
TANDEM_RUNTIME_API std::uint8_t f64_to_f8e4m3(double value);
TANDEM_RUNTIME_API std::uint8_t f64_to_f8e4m3fnuz(double value);
TANDEM_RUNTIME_API std::uint8_t f64_to_f8e5m2(double value);

// --- float8 to float: exact
// -------------------------------------------------------------------------------------------

TANDEM_RUNTIME_API float f8e4m3_to_f32(std::uint8_t code);
TANDEM_RUNTIME_API float f8e4m3fnuz_to_f32(std::uint8_t code);
TANDEM_RUNTIME_API float f8e5m2_to_f32(std::uint8_t code);

// --- Rows
// -------------------------------------------------------------------------------------------------------------

/// Converts `count` contiguous elements of any dtype to float (f64, i64 and i32 are rounded).
TANDEM_RUNTIME_API void row_to_f32(DType from, const void* source, float* destination, std::size_t count);
/// Converts `count` floats to contiguous elements of a float dtype. An integer or bool dtype is an internal error.
TANDEM_RUNTIME_API void row_from_f32(DType to, const float* source, void* destination, std::size_t count);

}  // namespace tandem
