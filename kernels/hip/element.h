// Elements of a type known at run time: read as double or 64-bit integer, rounded once when stored.
#pragma once

#include "convert.h"
#include "element_type.h"

namespace tandem::gpu {

TANDEM_DEVICE constexpr bool is_float(ElementType t) {
  return t <= ElementType::f8e5m2;
}
TANDEM_DEVICE constexpr int size_of(ElementType t) {
  return t == ElementType::f64 || t == ElementType::i64                             ? 8
         : t == ElementType::f32 || t == ElementType::i32                           ? 4
         : t == ElementType::f16 || t == ElementType::bf16 || t == ElementType::i16 ? 2
                                                                                    : 1;
}

// --- small float formats -------------------------------------------------------------------------------------------

/// What of a format its range does not use for numbers.
enum class Special {
  ieee,  ///< The largest exponent is for infinity and NaN.
  fn,    ///< No infinity; NaN has all bits set but the sign (OCP e4m3fn).
  fnuz,  ///< No infinity and no -0, whose code is NaN.
};

template <int exponent_bits, int mantissa_bits, int bias, Special special>
struct Format {
  static constexpr u32 sign = 1U << (exponent_bits + mantissa_bits);
  static constexpr u32 infinity = ((1U << exponent_bits) - 1) << mantissa_bits;
  static constexpr u32 payload = (1U << mantissa_bits) - 1;

  /// Rounded to nearest even. Beyond the range: infinity, or NaN where there is none (as PyTorch's casts do).
  TANDEM_DEVICE static u32 encode(double value) {
    const u64 bits = bit_cast<u64>(value);
    const u64 magnitude = bits & 0x7fffffffffffffffULL;
    const u32 negative = (bits >> 63) != 0 ? sign : 0;
    if (magnitude > 0x7ff0000000000000ULL) {
      if constexpr (special == Special::ieee)
        return negative | infinity | ((payload + 1) >> 1);
      else
        return special == Special::fn ? negative | (sign - 1) : sign;
    }
    u64 code = ~0ULL;
    if (magnitude != 0x7ff0000000000000ULL) {
      const int exponent = static_cast<int>(magnitude >> 52) + (bias - 1023);
      const int shift = 52 - mantissa_bits + (exponent < 1 ? 1 - exponent : 0);
      const u64 mantissa = (magnitude & 0xfffffffffffffULL) | (1ULL << 52);
      code = 0;
      if (shift <= 53) {
        const u64 kept = mantissa >> shift;
        const u64 lost = mantissa & ((1ULL << shift) - 1);
        const u64 half = 1ULL << (shift - 1);
        const u64 field = exponent < 1 ? 0 : static_cast<u64>(exponent - 1);
        code = (field << mantissa_bits) + kept + (lost > half || (lost == half && (kept & 1) != 0) ? 1 : 0);
      }
    }
    if constexpr (special == Special::ieee)
      return negative | (code > infinity ? infinity : static_cast<u32>(code));
    else if constexpr (special == Special::fn)
      return negative | (code > sign - 1 ? sign - 1 : static_cast<u32>(code));
    else
      return code >= sign ? sign : code == 0 ? 0 : negative | static_cast<u32>(code);
  }

  /// Of the formats of 8 bits, whose units are normal floats.
  TANDEM_DEVICE static float decode(u32 code) {
    const u32 magnitude = code & (sign - 1);
    const u32 exponent = magnitude >> mantissa_bits;
    const u32 mantissa = magnitude & payload;
    const u32 negative = (code & sign) != 0 ? 0x80000000U : 0;
    if (special == Special::fnuz && code == sign)
      return bit_cast<float>(0x7fc00000U);
    if (special == Special::fn && magnitude == sign - 1)
      return bit_cast<float>(negative | 0x7fc00000U);
    if (special == Special::ieee && magnitude >= infinity)
      return bit_cast<float>(negative | 0x7f800000U | (mantissa << (23 - mantissa_bits)));
    const u32 unit_exponent = (exponent == 0 ? 1 : exponent) + 127 - bias - mantissa_bits;
    const u32 significand = exponent == 0 ? mantissa : mantissa | (payload + 1);
    const float absolute = static_cast<float>(significand) * bit_cast<float>(unit_exponent << 23);
    return bit_cast<float>(bit_cast<u32>(absolute) | negative);
  }
};

using FormatF16 = Format<5, 10, 15, Special::ieee>;
using FormatBf16 = Format<8, 7, 127, Special::ieee>;
using FormatE4m3 = Format<4, 3, 7, Special::fn>;
using FormatE4m3fnuz = Format<4, 3, 8, Special::fnuz>;
using FormatE5m2 = Format<5, 2, 15, Special::ieee>;

// --- reading -------------------------------------------------------------------------------------------------------

/// An element of f32 or narrower, or a bool, small integer; wider ones are rounded.
TANDEM_DEVICE float load_f32(const void* data, ElementType type, i64 at) {
  switch (type) {
    case ElementType::f64: return static_cast<float>(static_cast<const double*>(data)[at]);
    case ElementType::f32: return static_cast<const float*>(data)[at];
    case ElementType::f16: return to_f32(static_cast<const F16*>(data)[at]);
    case ElementType::bf16: return to_f32(static_cast<const Bf16*>(data)[at]);
    case ElementType::f8e4m3: return FormatE4m3::decode(static_cast<const u8*>(data)[at]);
    case ElementType::f8e4m3fnuz: return FormatE4m3fnuz::decode(static_cast<const u8*>(data)[at]);
    case ElementType::f8e5m2: return FormatE5m2::decode(static_cast<const u8*>(data)[at]);
    case ElementType::i64: return static_cast<float>(static_cast<const i64*>(data)[at]);
    case ElementType::i32: return static_cast<float>(static_cast<const i32*>(data)[at]);
    case ElementType::i16: return static_cast<float>(static_cast<const short*>(data)[at]);
    case ElementType::i8: return static_cast<float>(static_cast<const signed char*>(data)[at]);
    default: return static_cast<float>(static_cast<const u8*>(data)[at]);
  }
}

/// Of a float tensor.
TANDEM_DEVICE double load_real(const void* data, ElementType type, i64 at) {
  return type == ElementType::f64 ? static_cast<const double*>(data)[at] : load_f32(data, type, at);
}

/// Of an integer or bool tensor.
TANDEM_DEVICE i64 load_integer(const void* data, ElementType type, i64 at) {
  switch (type) {
    case ElementType::i64: return static_cast<const i64*>(data)[at];
    case ElementType::i32: return static_cast<const i32*>(data)[at];
    case ElementType::i16: return static_cast<const short*>(data)[at];
    case ElementType::i8: return static_cast<const signed char*>(data)[at];
    default: return static_cast<const u8*>(data)[at];
  }
}

// --- writing -------------------------------------------------------------------------------------------------------

/// Into a float dtype.
TANDEM_DEVICE void store_real(void* data, ElementType type, i64 at, double value) {
  switch (type) {
    case ElementType::f64: static_cast<double*>(data)[at] = value; break;
    case ElementType::f32: static_cast<float*>(data)[at] = static_cast<float>(value); break;
    case ElementType::f16: static_cast<u16*>(data)[at] = static_cast<u16>(FormatF16::encode(value)); break;
    case ElementType::bf16: static_cast<u16*>(data)[at] = static_cast<u16>(FormatBf16::encode(value)); break;
    case ElementType::f8e4m3: static_cast<u8*>(data)[at] = static_cast<u8>(FormatE4m3::encode(value)); break;
    case ElementType::f8e4m3fnuz: static_cast<u8*>(data)[at] = static_cast<u8>(FormatE4m3fnuz::encode(value)); break;
    default: static_cast<u8*>(data)[at] = static_cast<u8>(FormatE5m2::encode(value)); break;
  }
}
TANDEM_DEVICE void store_f32(void* data, ElementType type, i64 at, float value) {
  switch (type) {
    case ElementType::f64: static_cast<double*>(data)[at] = value; break;
    case ElementType::f32: static_cast<float*>(data)[at] = value; break;
    case ElementType::f16: static_cast<F16*>(data)[at] = from_f32<F16>(value); break;
    case ElementType::bf16: static_cast<Bf16*>(data)[at] = from_f32<Bf16>(value); break;
    case ElementType::f8e4m3: static_cast<u8*>(data)[at] = static_cast<u8>(FormatE4m3::encode(value)); break;
    case ElementType::f8e4m3fnuz: static_cast<u8*>(data)[at] = static_cast<u8>(FormatE4m3fnuz::encode(value)); break;
    default: static_cast<u8*>(data)[at] = static_cast<u8>(FormatE5m2::encode(value)); break;
  }
}

/// Into an integer dtype, of which the low bits are kept, or a bool.
TANDEM_DEVICE void store_integer(void* data, ElementType type, i64 at, i64 value) {
  switch (type) {
    case ElementType::i64: static_cast<i64*>(data)[at] = value; break;
    case ElementType::i32: static_cast<i32*>(data)[at] = static_cast<i32>(value); break;
    case ElementType::i16: static_cast<u16*>(data)[at] = static_cast<u16>(value); break;
    case ElementType::boolean: static_cast<u8*>(data)[at] = value != 0 ? 1 : 0; break;
    default: static_cast<u8*>(data)[at] = static_cast<u8>(value); break;
  }
}

/// `value` towards zero in a range of integers; NaN is 0.
TANDEM_DEVICE i64 saturate(double value, ElementType type) {
  double low = -9223372036854775808.0;
  double high = 9223372036854775808.0;
  switch (type) {
    case ElementType::i32: low = -2147483648.0, high = 2147483647.0; break;
    case ElementType::i16: low = -32768.0, high = 32767.0; break;
    case ElementType::i8: low = -128.0, high = 127.0; break;
    case ElementType::u8: low = 0.0, high = 255.0; break;
    default: break;
  }
  if (value != value)
    return 0;
  if (value <= low)
    return static_cast<i64>(low);
  if (value >= high)
    return type == ElementType::i64 ? 0x7fffffffffffffffLL : static_cast<i64>(high);
  return static_cast<i64>(value);
}

/// The low bits of an integer as its dtype reads them back.
TANDEM_DEVICE i64 wrap(i64 value, ElementType type) {
  switch (type) {
    case ElementType::i32: return static_cast<i32>(value);
    case ElementType::i16: return static_cast<short>(value);
    case ElementType::i8: return static_cast<signed char>(value);
    case ElementType::u8: return static_cast<u8>(value);
    case ElementType::boolean: return value != 0 ? 1 : 0;
    default: return value;
  }
}

/// A double rounded to a float dtype and back.
TANDEM_DEVICE double round_real(double value, ElementType type) {
  switch (type) {
    case ElementType::f64: return value;
    case ElementType::f32: return static_cast<float>(value);
    case ElementType::f16: return to_f32(F16{static_cast<u16>(FormatF16::encode(value))});
    case ElementType::bf16: return to_f32(Bf16{static_cast<u16>(FormatBf16::encode(value))});
    case ElementType::f8e4m3: return FormatE4m3::decode(FormatE4m3::encode(value));
    case ElementType::f8e4m3fnuz: return FormatE4m3fnuz::decode(FormatE4m3fnuz::encode(value));
    default: return FormatE5m2::decode(FormatE5m2::encode(value));
  }
}
TANDEM_DEVICE float round_f32(float value, ElementType type) {
  switch (type) {
    case ElementType::f16: return to_f32(from_f32<F16>(value));
    case ElementType::bf16: return to_f32(from_f32<Bf16>(value));
    case ElementType::f8e4m3: return FormatE4m3::decode(FormatE4m3::encode(value));
    case ElementType::f8e4m3fnuz: return FormatE4m3fnuz::decode(FormatE4m3fnuz::encode(value));
    case ElementType::f8e5m2: return FormatE5m2::decode(FormatE5m2::encode(value));
    default: return value;
  }
}

/// A 64-bit integer as the double that rounds as it does: below 2^53 itself, else the last bit says what was lost.
TANDEM_DEVICE double to_odd_f64(i64 value) {
  const u64 magnitude = value < 0 ? 0 - static_cast<u64>(value) : static_cast<u64>(value);
  u64 kept = magnitude;
  double unit = 1;
  bool lost = false;
  while (kept >> 53 != 0) {
    lost = lost || (kept & 1) != 0;
    kept >>= 1;
    unit *= 2;
  }
  const double rounded = static_cast<double>(static_cast<i64>(kept | (lost ? 1 : 0))) * unit;
  return value < 0 ? -rounded : rounded;
}

}  // namespace tandem::gpu
