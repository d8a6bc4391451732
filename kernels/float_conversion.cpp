// The conversions that are not inline: double to the small formats, float8 to float, and whole rows.
#include <tandem/kernels/float_conversion.h>

#include <array>

#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

/// What of a format its range does not use for numbers.
enum class Special : std::uint8_t {
  ieee,  ///< The largest exponent is for infinity and NaN.
  fn,    ///< No infinity; NaN has all bits set but the sign (OCP e4m3fn).
  fnuz,  ///< No infinity and no -0, whose code is NaN.
};

/// A binary float format whose codes grow with the magnitude below the sign bit.
template <int exponent_bits, int mantissa_bits, int bias, Special special>
struct Format {
  static constexpr std::uint32_t sign = 1U << (exponent_bits + mantissa_bits);
  static constexpr std::uint32_t infinity = ((1U << exponent_bits) - 1) << mantissa_bits;  // ieee only
  static constexpr std::uint32_t payload = (1U << mantissa_bits) - 1;

  /// The code of a finite magnitude, rounded to nearest even as if the exponent had no limit.
  static std::uint64_t round(std::uint64_t magnitude) {
    const int exponent = static_cast<int>(magnitude >> 52) + (bias - 1023);
    // A double's subnormals lie far below half of every format's smallest number, and so may what follows.
    const int shift = 52 - mantissa_bits + (exponent < 1 ? 1 - exponent : 0);
    if (shift > 53)
      return 0;
    const std::uint64_t mantissa = (magnitude & 0xfffffffffffffU) | (std::uint64_t{1} << 52);
    const std::uint64_t kept = mantissa >> shift;
    const std::uint64_t lost = mantissa & ((std::uint64_t{1} << shift) - 1);
    const std::uint64_t half = std::uint64_t{1} << (shift - 1);
    const std::uint64_t up = lost > half || (lost == half && (kept & 1U) != 0) ? 1 : 0;
    // The leading 1 of a normal number adds one to the exponent field, as does a mantissa that is rounded up to 2.
    const std::uint64_t field = exponent < 1 ? 0 : static_cast<std::uint64_t>(exponent - 1);
    return (field << mantissa_bits) + kept + up;
  }

  static std::uint32_t encode(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t magnitude = bits & 0x7fffffffffffffffU;
    const std::uint32_t negative = (bits >> 63) != 0 ? sign : 0;
    const bool is_nan = magnitude > 0x7ff0000000000000U;
    const bool is_infinite = magnitude == 0x7ff0000000000000U;
    const std::uint64_t code = is_nan || is_infinite ? ~std::uint64_t{0} : round(magnitude);
    if constexpr (special == Special::ieee) {
      if (is_nan) {
        // The upper bits of the payload; the quiet bit where there are none, lest it become infinity.
        const auto kept = static_cast<std::uint32_t>(magnitude >> (52 - mantissa_bits)) & payload;
        return negative | infinity | (kept == 0 ? (payload + 1) >> 1 : kept);
      }
      return negative | (code > infinity ? infinity : static_cast<std::uint32_t>(code));
    } else if constexpr (special == Special::fn) {
      constexpr std::uint32_t nan = sign - 1;
      return negative | (code > nan ? nan : static_cast<std::uint32_t>(code));
    } else {
      if (code >= sign)
        return sign;
      return code == 0 ? 0 : negative | static_cast<std::uint32_t>(code);
    }
  }

  /// Exact, for the formats of 8 bits.
  static constexpr float decode(std::uint32_t code) {
    const std::uint32_t magnitude = code & (sign - 1);
    const std::uint32_t exponent = magnitude >> mantissa_bits;
    const std::uint32_t mantissa = magnitude & payload;
    const std::uint32_t negative = (code & sign) != 0 ? 0x80000000U : 0;
    if (special == Special::fnuz && code == sign)
      return std::bit_cast<float>(0x7fc00000U);
    if (special == Special::fn && magnitude == sign - 1)
      return std::bit_cast<float>(negative | 0x7fc00000U);
    if (special == Special::ieee && magnitude >= infinity)
      return std::bit_cast<float>(negative | 0x7f800000U | (mantissa << (23 - mantissa_bits)));
    const float unit = power_of_two((exponent == 0 ? 1 : static_cast<int>(exponent)) - bias - mantissa_bits);
    const std::uint32_t significand = exponent == 0 ? mantissa : mantissa | (payload + 1);
    const float absolute = static_cast<float>(significand) * unit;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(absolute) | negative);
  }

  static constexpr float power_of_two(int exponent) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
  }

  static constexpr std::array<float, 256> table() {
    std::array<float, 256> values{};
    for (std::uint32_t code = 0; code < 256; ++code)
      values[code] = decode(code);
    return values;
  }
};

using Bf16 = Format<8, 7, 127, Special::ieee>;
using F16 = Format<5, 10, 15, Special::ieee>;
using F8E4M3 = Format<4, 3, 7, Special::fn>;
using F8E4M3Fnuz = Format<4, 3, 8, Special::fnuz>;
using F8E5M2 = Format<5, 2, 15, Special::ieee>;

constexpr std::array<float, 256> f8e4m3_values = F8E4M3::table();
constexpr std::array<float, 256> f8e4m3fnuz_values = F8E4M3Fnuz::table();
constexpr std::array<float, 256> f8e5m2_values = F8E5M2::table();

template <class From, class To, class Function>
void convert(const void* source, void* destination, std::size_t count, const Function& function) {
  const auto* from = static_cast<const From*>(source);
  auto* to = static_cast<To*>(destination);
  for (std::size_t i = 0; i < count; ++i)
    to[i] = function(from[i]);
}

}  // namespace

std::uint16_t f64_to_bf16(double value) {
  return static_cast<std::uint16_t>(Bf16::encode(value));
}
std::uint16_t f64_to_f16(double value) {
  return static_cast<std::uint16_t>(F16::encode(value));
}
std::uint8_t f64_to_f8e4m3(double value) {
  return static_cast<std::uint8_t>(F8E4M3::encode(value));
}
std::uint8_t f64_to_f8e4m3fnuz(double value) {
  return static_cast<std::uint8_t>(F8E4M3Fnuz::encode(value));
}
std::uint8_t f64_to_f8e5m2(double value) {
  return static_cast<std::uint8_t>(F8E5M2::encode(value));
}

float f8e4m3_to_f32(std::uint8_t code) {
  return f8e4m3_values[code];
}
float f8e4m3fnuz_to_f32(std::uint8_t code) {
  return f8e4m3fnuz_values[code];
}
float f8e5m2_to_f32(std::uint8_t code) {
  return f8e5m2_values[code];
}

void row_to_f32(DType from, const void* source, float* destination, std::size_t count) {
  const auto cast = [](auto value) { return static_cast<float>(value); };
  switch (from) {
    case DType::f64: return convert<double, float>(source, destination, count, cast);
    case DType::f32: return convert<float, float>(source, destination, count, cast);
    case DType::f16: return convert<std::uint16_t, float>(source, destination, count, f16_to_f32);
    case DType::bf16: return convert<std::uint16_t, float>(source, destination, count, bf16_to_f32);
    case DType::f8e4m3: return convert<std::uint8_t, float>(source, destination, count, f8e4m3_to_f32);
    case DType::f8e4m3fnuz: return convert<std::uint8_t, float>(source, destination, count, f8e4m3fnuz_to_f32);
    case DType::f8e5m2: return convert<std::uint8_t, float>(source, destination, count, f8e5m2_to_f32);
    case DType::i64: return convert<std::int64_t, float>(source, destination, count, cast);
    case DType::i32: return convert<std::int32_t, float>(source, destination, count, cast);
    case DType::i16: return convert<std::int16_t, float>(source, destination, count, cast);
    case DType::i8: return convert<std::int8_t, float>(source, destination, count, cast);
    case DType::u8: return convert<std::uint8_t, float>(source, destination, count, cast);
    case DType::boolean:
      return convert<std::uint8_t, float>(source, destination, count, [](auto v) { return v != 0 ? 1.0F : 0.0F; });
  }
  internal_error("row_to_f32 was given no dtype");
}

void row_from_f32(DType to, const float* source, void* destination, std::size_t count) {
  const auto same = [](float value) { return value; };
  switch (to) {
    case DType::f64: return convert<float, double>(source, destination, count, same);
    case DType::f32: return convert<float, float>(source, destination, count, same);
    case DType::f16: return convert<float, std::uint16_t>(source, destination, count, f32_to_f16);
    case DType::bf16: return convert<float, std::uint16_t>(source, destination, count, f32_to_bf16);
    // A float is a double exactly.
    case DType::f8e4m3: return convert<float, std::uint8_t>(source, destination, count, f64_to_f8e4m3);
    case DType::f8e4m3fnuz: return convert<float, std::uint8_t>(source, destination, count, f64_to_f8e4m3fnuz);
    case DType::f8e5m2: return convert<float, std::uint8_t>(source, destination, count, f64_to_f8e5m2);
    default: internal_error("row_from_f32 writes float dtypes only");
  }
}

}  // namespace tandem
