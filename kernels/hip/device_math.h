// Mathematical functions on doubles and floats, the same on AMD and NVIDIA, which therefore check each other.
//
// Doubles: errors of one or two units in the last place, which vanish when a result is rounded to f32 or narrower.
// Floats: exp2 and exp of the hardware, to a few units in the last place.
#pragma once

#include "device.h"

namespace tandem::gpu {

// --- bits of doubles -----------------------------------------------------------------------------------------------

constexpr double infinity = __builtin_huge_val();

TANDEM_DEVICE bool is_nan(double x) {
  return x != x;
}
TANDEM_DEVICE double absolute(double x) {
  return bit_cast<double>(bit_cast<u64>(x) & 0x7fffffffffffffffULL);
}
TANDEM_DEVICE float absolute(float x) {
  return bit_cast<float>(bit_cast<u32>(x) & 0x7fffffffU);
}
TANDEM_DEVICE bool sign_bit(double x) {
  return (bit_cast<u64>(x) >> 63) != 0;
}
TANDEM_DEVICE bool sign_bit(float x) {
  return (bit_cast<u32>(x) >> 31) != 0;
}
TANDEM_DEVICE double copy_sign(double x, double sign) {
  return bit_cast<double>((bit_cast<u64>(x) & 0x7fffffffffffffffULL) | (bit_cast<u64>(sign) & 0x8000000000000000ULL));
}
TANDEM_DEVICE float copy_sign(float x, float sign) {
  return bit_cast<float>((bit_cast<u32>(x) & 0x7fffffffU) | (bit_cast<u32>(sign) & 0x80000000U));
}

/// 2^n for -1022 <= n <= 1023.
TANDEM_DEVICE double power_of_two(int n) {
  return bit_cast<double>(static_cast<u64>(n + 1023) << 52);
}

#if TANDEM_NVIDIA
TANDEM_DEVICE double round_to_even(double x) {
  return rint(x);
}
TANDEM_DEVICE float round_to_even(float x) {
  return rintf(x);
}
TANDEM_DEVICE double round_down(double x) {
  return floor(x);
}
TANDEM_DEVICE float round_down(float x) {
  return floorf(x);
}
TANDEM_DEVICE double round_up(double x) {
  return ceil(x);
}
TANDEM_DEVICE float round_up(float x) {
  return ceilf(x);
}
TANDEM_DEVICE double truncate(double x) {
  return trunc(x);
}
TANDEM_DEVICE float truncate(float x) {
  return truncf(x);
}
TANDEM_DEVICE double square_root(double x) {
  return sqrt(x);
}
TANDEM_DEVICE float square_root(float x) {
  return sqrtf(x);
}
#else
TANDEM_DEVICE double round_to_even(double x) {
  return __builtin_rint(x);
}
TANDEM_DEVICE float round_to_even(float x) {
  return __builtin_rintf(x);
}
TANDEM_DEVICE double round_down(double x) {
  return __builtin_floor(x);
}
TANDEM_DEVICE float round_down(float x) {
  return __builtin_floorf(x);
}
TANDEM_DEVICE double round_up(double x) {
  return __builtin_ceil(x);
}
TANDEM_DEVICE float round_up(float x) {
  return __builtin_ceilf(x);
}
TANDEM_DEVICE double truncate(double x) {
  return __builtin_trunc(x);
}
TANDEM_DEVICE float truncate(float x) {
  return __builtin_truncf(x);
}
TANDEM_DEVICE double square_root(double x) {
  return __builtin_sqrt(x);
}
TANDEM_DEVICE float square_root(float x) {
  return __builtin_sqrtf(x);
}
#endif

// --- floats --------------------------------------------------------------------------------------------------------

/// 2^x by the hardware, for results that are normal.
TANDEM_DEVICE float hardware_exp2(float x) {
#if TANDEM_NVIDIA
  float y;
  asm("ex2.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return __builtin_amdgcn_exp2f(x);
#endif
}

TANDEM_DEVICE float exponential(float x) {
  constexpr float log2_e = 1.44269504f;
  constexpr float log2_e_rest = 1.92596299e-8f;
  if (x < -104.0f)
    return 0.0f;
  if (x > 89.0f)
    return bit_cast<float>(0x7f800000U);
  const float high = x * log2_e;
  const float low = fused_multiply_add(x, log2_e, -high) + x * log2_e_rest;
  // Results that are subnormal or near overflow are made normal by a power of two, which is taken back at the end.
  const float shift = high < -125.0f ? 64.0f : high > 125.0f ? -64.0f : 0.0f;
  const float power = hardware_exp2(high + shift);
  const float corrected = fused_multiply_add(power, low * 0.693147181f, power);
  return corrected * (shift > 0 ? 0x1p-64f : shift < 0 ? 0x1p64f : 1.0f);
}

/// (exp(2x) - 1) / (exp(2x) + 1), by a series where that loses digits.
TANDEM_DEVICE float hyperbolic_tangent(float x) {
  const float a = absolute(x);
  if (a < 0.25f) {
    const float s = x * x;
    float y = 0.0218694885f - s * 0.00886323552f;  // the Taylor series: -1382/155925, 62/2835, -17/315, 2/15, -1/3
    y = fused_multiply_add(y, s, -0.0539682540f);
    y = fused_multiply_add(y, s, 0.133333333f);
    y = fused_multiply_add(y, s, -0.333333333f);
    return fused_multiply_add(x * s, y, x);
  }
  const float t = exponential(-2.0f * a);
  return copy_sign((1.0f - t) / (1.0f + t), x);
}

// --- doubles -------------------------------------------------------------------------------------------------------

constexpr double ln2_high = 6.93147180369123816490e-01;  // the upper 32 bits: products with small integers are exact
constexpr double ln2_low = 1.90821492927058770002e-10;

/// exp(r) - 1 for |r| <= ln(2) / 2.
TANDEM_DEVICE double small_expm1(double r) {
  double y = 1.0 / 6227020800.0;
  y = fused_multiply_add(y, r, 1.0 / 479001600.0);
  y = fused_multiply_add(y, r, 1.0 / 39916800.0);
  y = fused_multiply_add(y, r, 1.0 / 3628800.0);
  y = fused_multiply_add(y, r, 1.0 / 362880.0);
  y = fused_multiply_add(y, r, 1.0 / 40320.0);
  y = fused_multiply_add(y, r, 1.0 / 5040.0);
  y = fused_multiply_add(y, r, 1.0 / 720.0);
  y = fused_multiply_add(y, r, 1.0 / 120.0);
  y = fused_multiply_add(y, r, 1.0 / 24.0);
  y = fused_multiply_add(y, r, 1.0 / 6.0);
  y = fused_multiply_add(y, r, 0.5);
  return fused_multiply_add(y * r, r, r);
}

/// exp(x + low), |low| far below |x|.
TANDEM_DEVICE double exponential(double x, double low = 0) {
  if (is_nan(x))
    return x;
  if (x > 709.8)
    return infinity;
  if (x < -745.2)
    return 0;
  const double n = round_to_even(x * 1.44269504088896340736);
  const double r = fused_multiply_add(-n, ln2_low, fused_multiply_add(-n, ln2_high, x)) + low;
  const int k = static_cast<int>(n);
  const int first = k / 2;
  return (1.0 + small_expm1(r)) * power_of_two(first) * power_of_two(k - first);
}

/// exp(x) - 1 without loss near 0.
TANDEM_DEVICE double expm1(double x) {
  return absolute(x) < 0.34 ? small_expm1(x) : exponential(x) - 1.0;
}

/// log(x) for finite x > 0, as high + low.
TANDEM_DEVICE void logarithm(double x, double& high, double& low) {
  int exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    exponent = -54;
  }
  u64 bits = bit_cast<u64>(x);
  exponent += static_cast<int>(bits >> 52) - 1023;
  double m = bit_cast<double>((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);
  if (m > 1.41421356237309504880) {
    m *= 0.5;
    exponent += 1;
  }
  // log(m) = 2 atanh(f), f = (m - 1) / (m + 1); |f| < 0.172. m - 1 is exact, and what m + 1 loses is made good.
  const double top = m - 1.0;
  const double bottom = m + 1.0;
  const double bottom_low = m - (bottom - 1.0);
  const double f = top / bottom;
  const double f_low = (fused_multiply_add(-f, bottom, top) - f * bottom_low) / bottom;
  const double s = f * f;
  double y = 1.0 / 25.0;
  y = fused_multiply_add(y, s, 1.0 / 23.0);
  y = fused_multiply_add(y, s, 1.0 / 21.0);
  y = fused_multiply_add(y, s, 1.0 / 19.0);
  y = fused_multiply_add(y, s, 1.0 / 17.0);
  y = fused_multiply_add(y, s, 1.0 / 15.0);
  y = fused_multiply_add(y, s, 1.0 / 13.0);
  y = fused_multiply_add(y, s, 1.0 / 11.0);
  y = fused_multiply_add(y, s, 1.0 / 9.0);
  y = fused_multiply_add(y, s, 1.0 / 7.0);
  y = fused_multiply_add(y, s, 1.0 / 5.0);
  y = fused_multiply_add(y, s, 1.0 / 3.0);
  const double n = exponent;
  const double lead = n * ln2_high;
  const double twice = 2.0 * f;
  high = lead + twice;
  const double rest = exponent == 0 ? 0.0 : twice - (high - lead);  // |lead| > |twice|
  low = (rest + 2.0 * f_low) + fused_multiply_add(twice * s, y, n * ln2_low);
}

TANDEM_DEVICE double logarithm(double x) {
  if (is_nan(x) || x < 0)
    return x < 0 ? bit_cast<double>(0x7ff8000000000000ULL) : x;
  if (x == 0)
    return -infinity;
  if (x == infinity)
    return x;
  double high, low;
  logarithm(x, high, low);
  return high + low;
}

/// log(1 + x) for x >= 0.
TANDEM_DEVICE double log1p(double x) {
  const double u = 1.0 + x;
  if (u == 1.0 || u == infinity)
    return u == 1.0 ? x : u;
  return logarithm(u) + (x - (u - 1.0)) / u;
}

/// x less a multiple n of pi / 2, and n modulo 4. Exact enough for |x| < 2^40.
TANDEM_DEVICE double reduce_angle(double x, int& quadrant) {
  const double n = round_to_even(x * 0.63661977236758134308);
  double r = fused_multiply_add(-n, 1.57079632679489655800e+00, x);
  r = fused_multiply_add(-n, 6.12323399573676603587e-17, r);
  r = fused_multiply_add(-n, -1.49738490485916983250e-33, r);
  quadrant = static_cast<int>(static_cast<i64>(n) & 3);
  return r;
}

TANDEM_DEVICE double sine_of(double r) {
  const double s = r * r;
  double y = 1.0 / 355687428096000.0;
  y = fused_multiply_add(y, s, -1.0 / 1307674368000.0);
  y = fused_multiply_add(y, s, 1.0 / 6227020800.0);
  y = fused_multiply_add(y, s, -1.0 / 39916800.0);
  y = fused_multiply_add(y, s, 1.0 / 362880.0);
  y = fused_multiply_add(y, s, -1.0 / 5040.0);
  y = fused_multiply_add(y, s, 1.0 / 120.0);
  y = fused_multiply_add(y, s, -1.0 / 6.0);
  return fused_multiply_add(y * s, r, r);
}
TANDEM_DEVICE double cosine_of(double r) {
  const double s = r * r;
  double y = 1.0 / 20922789888000.0;
  y = fused_multiply_add(y, s, -1.0 / 87178291200.0);
  y = fused_multiply_add(y, s, 1.0 / 479001600.0);
  y = fused_multiply_add(y, s, -1.0 / 3628800.0);
  y = fused_multiply_add(y, s, 1.0 / 40320.0);
  y = fused_multiply_add(y, s, -1.0 / 720.0);
  y = fused_multiply_add(y, s, 1.0 / 24.0);
  y = fused_multiply_add(y, s, -0.5);
  return fused_multiply_add(y, s, 1.0);
}

/// sin(x + quarters * pi / 2)
TANDEM_DEVICE double sine(double x, int quarters = 0) {
  if (absolute(x) == infinity)
    return x - x;
  int quadrant;
  const double r = reduce_angle(x, quadrant);
  quadrant += quarters;
  const double y = (quadrant & 1) != 0 ? cosine_of(r) : sine_of(r);
  return (quadrant & 2) != 0 ? -y : y;
}

TANDEM_DEVICE double hyperbolic_tangent(double x) {
  const double a = absolute(x);
  if (a > 22.0)
    return copy_sign(1.0, x);
  const double t = expm1(-2.0 * a);
  return copy_sign(-t / (t + 2.0), x);
}

/// erfc(x) for x >= 0: t exp(-x^2 + P(t)), t = 2 / (2 + x), P by Chebyshev's polynomials in 2t - 1. (The form is
/// Numerical Recipes'; the coefficients are computed, to 40 digits.)
TANDEM_DEVICE double upper_erfc(double x) {
  constexpr double c[] = {
      -1.3026537197817094342,     0.6419697923564902603,      0.019476473204185836312,    -0.0095615147868086316419,
      -0.0009465953444820368663,  0.00036683949785276145187,  0.000042523324806907771645, -0.000020278578112534243154,
      -1.6242900046470255135e-6,  1.3036558355805232018e-6,   1.5626441722066143178e-8,   -8.5238095914926542525e-8,
      6.5290544390988514964e-9,   5.0593434955514689418e-9,   -9.9136415649303308674e-10, -2.2736512229318358557e-10,
      9.646791102015526802e-11,   2.3940380830391147447e-12,  -6.8860275264975533984e-12, 8.9448792730907257167e-13,
      3.1309213993429580783e-13,  -1.1270822361367252365e-13, 3.8109052551892320678e-16,  7.1060976136092369431e-15,
      -1.5230282014571041472e-15, -9.4574945712912544535e-17, 1.2102371892242730222e-16,  -2.8166630877467739639e-17};
  constexpr int count = sizeof(c) / sizeof(c[0]);
  if (x > 28.0)
    return 0;
  const double t = 2.0 / (2.0 + x);
  const double u = 4.0 * t - 2.0;
  double d = 0;
  double before = 0;
#pragma unroll
  for (int i = count - 1; i > 0; --i) {
    const double next = fused_multiply_add(u, d, c[i] - before);
    before = d;
    d = next;
  }
  const double square = x * x;
  const double square_low = fused_multiply_add(x, x, -square);
  const double exponent = 0.5 * fused_multiply_add(u, d, c[0]) - before;
  const double sum = exponent - square;
  const double low = x > 1.2 ? exponent - (sum + square) : -square - (sum - exponent);  // what the sum lost
  return t * exponential(sum, low - square_low);
}
TANDEM_DEVICE double erfc(double x) {
  if (is_nan(x))
    return x;
  return sign_bit(x) ? 2.0 - upper_erfc(-x) : upper_erfc(x);
}
TANDEM_DEVICE double erf(double x) {
  const double a = absolute(x);
  if (a < 0.5) {
    // 2 / sqrt(pi) * sum of (-1)^n x^(2n + 1) / (n! (2n + 1))
    const double s = x * x;
    double y = 1.0 / (479001600.0 * 25.0);
    y = fused_multiply_add(y, s, -1.0 / (39916800.0 * 23.0));
    y = fused_multiply_add(y, s, 1.0 / (3628800.0 * 21.0));
    y = fused_multiply_add(y, s, -1.0 / (362880.0 * 19.0));
    y = fused_multiply_add(y, s, 1.0 / (40320.0 * 17.0));
    y = fused_multiply_add(y, s, -1.0 / (5040.0 * 15.0));
    y = fused_multiply_add(y, s, 1.0 / (720.0 * 13.0));
    y = fused_multiply_add(y, s, -1.0 / (120.0 * 11.0));
    y = fused_multiply_add(y, s, 1.0 / (24.0 * 9.0));
    y = fused_multiply_add(y, s, -1.0 / (6.0 * 7.0));
    y = fused_multiply_add(y, s, 1.0 / 10.0);
    y = fused_multiply_add(y, s, -1.0 / 3.0);
    return 1.12837916709551257390 * fused_multiply_add(y * s, x, x);
  }
  if (is_nan(x))
    return x;
  return copy_sign(1.0 - upper_erfc(a), x);
}

TANDEM_DEVICE double arc_tangent(double x) {
  const double a = absolute(x);
  if (is_nan(x))
    return x;
  // atan(a) = pi/2 - atan(1/a); halved twice by atan(a) = 2 atan(a / (1 + sqrt(1 + a^2))): then a < 0.2.
  double z = a > 1.0 ? 1.0 / a : a;
  z = z / (1.0 + square_root(fused_multiply_add(z, z, 1.0)));
  z = z / (1.0 + square_root(fused_multiply_add(z, z, 1.0)));
  const double s = z * z;
  double y = -1.0 / 23.0;
  y = fused_multiply_add(y, s, 1.0 / 21.0);
  y = fused_multiply_add(y, s, -1.0 / 19.0);
  y = fused_multiply_add(y, s, 1.0 / 17.0);
  y = fused_multiply_add(y, s, -1.0 / 15.0);
  y = fused_multiply_add(y, s, 1.0 / 13.0);
  y = fused_multiply_add(y, s, -1.0 / 11.0);
  y = fused_multiply_add(y, s, 1.0 / 9.0);
  y = fused_multiply_add(y, s, -1.0 / 7.0);
  y = fused_multiply_add(y, s, 1.0 / 5.0);
  y = fused_multiply_add(y, s, -1.0 / 3.0);
  const double angle = 4.0 * fused_multiply_add(y * s, z, z);
  return copy_sign(a > 1.0 ? 1.57079632679489661923 - angle : angle, x);
}

/// The angle of the point (x, y).
TANDEM_DEVICE double arc_tangent_of(double y, double x) {
  constexpr double pi = 3.14159265358979323846;
  if (is_nan(x) || is_nan(y))
    return x + y;
  double angle;
  if (y == 0)
    angle = 0;
  else if (absolute(y) == infinity)
    angle = absolute(x) == infinity ? pi / 4 : pi / 2;
  else if (absolute(x) == infinity)
    angle = 0;
  else
    angle = x == 0 ? pi / 2 : arc_tangent(absolute(y) / absolute(x));
  if (sign_bit(x))
    angle = pi - angle;
  return copy_sign(angle, y);
}

/// a to the b, with the special cases of IEEE 754's pow.
TANDEM_DEVICE double power(double a, double b) {
  if (b == 0 || a == 1.0)
    return 1.0;
  if (is_nan(a) || is_nan(b))
    return a + b;
  const double magnitude = absolute(a);
  const bool whole = absolute(b) >= 0x1p53 || truncate(b) == b;
  const bool odd = absolute(b) < 0x1p53 && whole && (static_cast<i64>(b) & 1) != 0;
  const bool negative = sign_bit(a) && odd;
  double y;
  if (magnitude == 0 || magnitude == infinity || absolute(b) == infinity) {
    const bool grows = absolute(b) == infinity ? (magnitude > 1.0) == (b > 0) : (magnitude == infinity) == (b > 0);
    y = magnitude == 1.0 ? 1.0 : grows ? infinity : 0.0;
  } else {
    if (a < 0 && !whole)
      return bit_cast<double>(0x7ff8000000000000ULL);
    double high, low;
    logarithm(magnitude, high, low);
    // high + low exactly, then times b.
    const double sum = high + low;
    low -= sum - high;
    const double product = b * sum;
    y = exponential(product, fused_multiply_add(b, sum, -product) + b * low);
    if (absolute(product) > 1.0e300)
      y = product > 0 ? infinity : 0.0;
  }
  return negative ? -y : y;
}

/// What is left of a when b is taken away as often as it fits: exact, with the sign of a.
TANDEM_DEVICE double float_remainder(double a, double b) {
  double r = absolute(a);
  const double d = absolute(b);
  if (is_nan(a) || is_nan(b) || r == infinity || d == 0)
    return bit_cast<double>(0x7ff8000000000000ULL);
  if (d == infinity)
    return a;
  while (r >= d) {
    // The largest d * 2^n that is not above r: r less it is exact.
    const int gap = static_cast<int>(bit_cast<u64>(r) >> 52) - static_cast<int>(bit_cast<u64>(d) >> 52);
    double t = d;
    if (gap > 0) {
      const int by = gap > 1000 ? 1000 : gap;
      t = d * power_of_two(by);
      if (t > r)
        t = d * power_of_two(by - 1);
    }
    r -= t;
  }
  return copy_sign(r, a);
}

// --- both
// --------------------------------------------------------------------------------------------------------------

/// 1 / (1 + exp(-x)), without overflow.
template <class Real>
TANDEM_DEVICE Real sigmoid(Real x) {
  const Real e = exponential(x < 0 ? x : -x);
  return (x < 0 ? e : Real(1)) / (Real(1) + e);
}

}  // namespace tandem::gpu
