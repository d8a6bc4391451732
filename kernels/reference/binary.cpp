// Reference kernels of elementwise ops of two operands and of `where`: a line each, the function on doubles and on
// integers.
//
// Integers wrap around. Bools are the integers 0 and 1, and what is not 0 is stored as true: that makes `add` a logical
// or and `mul` a logical and.
#include <cmath>
#include <cstdint>
#include <limits>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>
#include <tandem/kernels/reference/wrapping.h>

namespace tandem::reference {

namespace {

/// a - b * floor(a / b), exactly: fmod does not round.
double remainder(double a, double b) {
  const double r = std::fmod(a, b);
  if (r == 0)
    return std::copysign(0.0, b);
  return (r < 0) != (b < 0) ? r + b : r;
}
/// a / b may round up to a whole number that it lies below, so the quotient is taken of a less its remainder.
double floor_div(double a, double b) {
  const double quotient = a / b;
  if (!std::isfinite(quotient) || std::isinf(b))
    return std::floor(quotient);
  const double r = std::fmod(a, b);
  const double truncated = std::nearbyint((a - r) / b);
  const double floored = r != 0 && (r < 0) != (b < 0) ? truncated - 1 : truncated;
  return floored == 0 ? std::copysign(0.0, quotient) : floored;
}

/// Of zeros that compare equal, +0 is the larger.
double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<double>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
double minimum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<double>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

std::int64_t integer_floor_div(std::int64_t a, std::int64_t b) {
  if (b == 0)
    return 0;
  if (b == -1)
    return wrapping_sub(0, a);  // the one quotient that may not fit
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}
std::int64_t integer_remainder(std::int64_t a, std::int64_t b) {
  if (b == 0 || b == -1)
    return 0;
  const std::int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
/// A negative exponent gives the fraction 1 / a^-b rounded towards zero; 0 to a negative exponent gives 0.
std::int64_t integer_pow(std::int64_t a, std::int64_t b) {
  if (b < 0)
    return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
  std::int64_t power = 1;
  for (std::int64_t base = a; b != 0; b >>= 1, base = wrapping_mul(base, base))
    if ((b & 1) != 0)
      power = wrapping_mul(power, base);
  return power;
}

/// y = real(a, b) for floats, integer(a, b) for integers and bools, broadcast.
template <class Real, class Integer>
KernelFn binary(Real real, Integer integer) {
  return [real, integer](const KernelCall& call) {
    Cursor a(broadcast_to(call.operands[0], call.results[0].dims()));
    Cursor b(broadcast_to(call.operands[1], call.results[0].dims()));
    for_each(call.results[0], [&](const TensorView& y, const Index&) {
      if (is_float((*a).dtype)) {
        write_real(y, static_cast<double>(real(read_real(*a), read_real(*b))));
      } else {
        write_integer(y, static_cast<std::int64_t>(integer(read_integer(*a), read_integer(*b))));
      }
      a.advance();
      b.advance();
    });
  };
}

/// For comparisons: one generic function serves doubles and integers.
template <class Test>
KernelFn compare(Test test) {
  return binary(test, test);
}

template <class Integer>
KernelFn bitwise(Integer integer) {
  return binary([](double, double) { return 0.0; }, integer);  // inference refuses floats
}

void where(const KernelCall& call) {
  const TensorView& y = call.results[0];
  Cursor condition(broadcast_to(call.operands[0], y.dims()));
  Cursor a(broadcast_to(call.operands[1], y.dims()));
  Cursor b(broadcast_to(call.operands[2], y.dims()));
  for_each(y, [&](const TensorView& e, const Index&) {
    copy(read_truth(*condition) ? *a : *b, e);
    condition.advance();
    a.advance();
    b.advance();
  });
}

}  // namespace

void add_binary_elementwise(KernelTable& table) {
  using Int = std::int64_t;
  table.add("add", binary([](double a, double b) { return a + b; }, wrapping_add));
  table.add("sub", binary([](double a, double b) { return a - b; }, wrapping_sub));
  table.add("mul", binary([](double a, double b) { return a * b; }, wrapping_mul));
  table.add("div", binary([](double a, double b) { return a / b; }, integer_floor_div));
  table.add("floor_div", binary(floor_div, integer_floor_div));
  table.add("remainder", binary(remainder, integer_remainder));
  table.add("pow", binary([](double a, double b) { return std::pow(a, b); }, integer_pow));
  table.add("atan2", binary([](double a, double b) { return std::atan2(a, b); }, integer_floor_div));
  table.add("maximum", binary(maximum, [](Int a, Int b) { return a > b ? a : b; }));
  table.add("minimum", binary(minimum, [](Int a, Int b) { return a < b ? a : b; }));
  table.add("logical_and", compare([](auto a, auto b) { return a != 0 && b != 0; }));
  table.add("logical_or", compare([](auto a, auto b) { return a != 0 || b != 0; }));
  table.add("logical_xor", compare([](auto a, auto b) { return (a != 0) != (b != 0); }));
  table.add("bitwise_and", bitwise([](Int a, Int b) { return a & b; }));
  table.add("bitwise_or", bitwise([](Int a, Int b) { return a | b; }));
  table.add("bitwise_xor", bitwise([](Int a, Int b) { return a ^ b; }));
  table.add("eq", compare([](auto a, auto b) { return a == b; }));
  table.add("ne", compare([](auto a, auto b) { return a != b; }));
  table.add("lt", compare([](auto a, auto b) { return a < b; }));
  table.add("le", compare([](auto a, auto b) { return a <= b; }));
  table.add("gt", compare([](auto a, auto b) { return a > b; }));
  table.add("ge", compare([](auto a, auto b) { return a >= b; }));
  table.add("where", where);
}

}  // namespace tandem::reference
