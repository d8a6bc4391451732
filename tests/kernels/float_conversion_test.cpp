// The small float formats: every code, every tie, every boundary.
#include <tandem/kernels/float_conversion.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

const double infinity = std::numeric_limits<double>::infinity();
const double quiet_nan = std::numeric_limits<double>::quiet_NaN();

/// One format, seen through its conversions.
struct Format {
  std::string name;
  std::uint32_t codes;
  std::function<double(std::uint32_t)> decode;
  std::function<std::uint32_t(double)> encode;
  double largest, smallest;
  bool has_infinity, has_negative_zero;
};

std::vector<Format> formats() {
  const auto u8 = [](std::uint32_t code) { return static_cast<std::uint8_t>(code); };
  const auto u16 = [](std::uint32_t code) { return static_cast<std::uint16_t>(code); };
  return {
      {"f16", 65536, [=](std::uint32_t c) -> double { return f16_to_f32(u16(c)); }, f64_to_f16, 65504, 0x1p-24, true,
       true},
      {"bf16", 65536, [=](std::uint32_t c) -> double { return bf16_to_f32(u16(c)); }, f64_to_bf16, 0x1.fep127, 0x1p-133,
       true, true},
      {"f8e4m3", 256, [=](std::uint32_t c) -> double { return f8e4m3_to_f32(u8(c)); }, f64_to_f8e4m3, 448, 0x1p-9,
       false, true},
      {"f8e4m3fnuz", 256, [=](std::uint32_t c) -> double { return f8e4m3fnuz_to_f32(u8(c)); }, f64_to_f8e4m3fnuz, 240,
       0x1p-10, false, false},
      {"f8e5m2", 256, [=](std::uint32_t c) -> double { return f8e5m2_to_f32(u8(c)); }, f64_to_f8e5m2, 57344, 0x1p-16,
       true, true},
  };
}

bool is_nan_code(const Format& format, std::uint32_t code) {
  return std::isnan(format.decode(code));
}

float bits_to_float(std::uint32_t bits) {
  return std::bit_cast<float>(bits);
}

}  // namespace

TEST_CASE("every code comes back from double", "[float_conversion]") {
  for (const Format& format : formats()) {
    std::uint32_t nans = 0;
    for (std::uint32_t code = 0; code < format.codes; ++code) {
      const double value = format.decode(code);
      if (std::isnan(value)) {
        ++nans;
        if (!is_nan_code(format, format.encode(value)))
          FAIL(format.name << ": NaN lost at " << code);
      } else if (format.encode(value) != code) {
        FAIL(format.name << ": code " << code << " is " << value << ", which is " << format.encode(value));
      }
    }
    const std::uint32_t expected = format.name == "f16"      ? 2046
                                   : format.name == "bf16"   ? 254
                                   : format.name == "f8e4m3" ? 2
                                   : format.name == "f8e5m2" ? 6
                                                             : 1;
    INFO(format.name);
    CHECK(nans == expected);
  }
}

TEST_CASE("every f16 and bf16 code comes back from float, bit for bit", "[float_conversion]") {
  for (std::uint32_t code = 0; code < 65536; ++code) {
    const auto c = static_cast<std::uint16_t>(code);
    if (f32_to_f16(f16_to_f32(c)) != c)
      FAIL("f16 " << code);
    if (f32_to_bf16(bf16_to_f32(c)) != c)
      FAIL("bf16 " << code);
  }
}

TEST_CASE("landmarks of the formats", "[float_conversion]") {
  CHECK(f16_to_f32(0x3c00) == 1.0F);
  CHECK(f16_to_f32(0x7bff) == 65504.0F);
  CHECK(f16_to_f32(0x0001) == 0x1p-24F);
  CHECK(f16_to_f32(0x03ff) == 0x1.ff8p-15F);
  CHECK(f16_to_f32(0x0400) == 0x1p-14F);
  CHECK(f16_to_f32(0xfc00) == -std::numeric_limits<float>::infinity());
  CHECK(bf16_to_f32(0x3f80) == 1.0F);
  CHECK(bf16_to_f32(0x7f7f) == 0x1.fep127F);
  CHECK(f8e4m3_to_f32(0x38) == 1.0F);
  CHECK(f8e4m3_to_f32(0x7e) == 448.0F);
  CHECK(f8e4m3_to_f32(0x01) == 0x1p-9F);
  CHECK(f8e4m3_to_f32(0x07) == 0x1.cp-7F);
  CHECK(std::isnan(f8e4m3_to_f32(0x7f)));
  CHECK(std::isnan(f8e4m3_to_f32(0xff)));
  CHECK(f8e4m3fnuz_to_f32(0x40) == 1.0F);
  CHECK(f8e4m3fnuz_to_f32(0x7f) == 240.0F);
  CHECK(f8e4m3fnuz_to_f32(0x01) == 0x1p-10F);
  CHECK(std::isnan(f8e4m3fnuz_to_f32(0x80)));
  CHECK(f8e5m2_to_f32(0x3c) == 1.0F);
  CHECK(f8e5m2_to_f32(0x7b) == 57344.0F);
  CHECK(f8e5m2_to_f32(0x01) == 0x1p-16F);
  CHECK(f8e5m2_to_f32(0x7c) == std::numeric_limits<float>::infinity());
}

TEST_CASE("between neighbours the nearest is taken, on a tie the even one", "[float_conversion]") {
  for (const Format& format : formats()) {
    for (std::uint32_t code = 0; code + 1 < format.codes / 2; ++code) {
      const double low = format.decode(code), high = format.decode(code + 1);
      if (!std::isfinite(low) || !std::isfinite(high))
        break;
      const double middle = (low + high) / 2;  // exact
      const std::uint32_t even = code % 2 == 0 ? code : code + 1;
      const std::uint32_t sign = format.codes / 2;
      const bool is_right = format.encode(middle) == even && format.encode(std::nextafter(middle, 0)) == code &&
                            format.encode(std::nextafter(middle, infinity)) == code + 1 &&
                            format.encode(-middle) == (even == 0 && !format.has_negative_zero ? 0 : even | sign);
      if (!is_right)
        FAIL(format.name << " between codes " << code << " and " << code + 1);
    }
  }
}

TEST_CASE("beyond the largest value", "[float_conversion]") {
  for (const Format& format : formats()) {
    INFO(format.name);
    const std::uint32_t top = format.encode(format.largest);
    const double step = format.largest - format.decode(top - 1);
    // Half a step beyond is a tie with the code above, which is infinity or NaN. It is even but in f8e4m3.
    const double tie = format.largest + step / 2;
    const auto is_over = [&](double value) {
      const double rounded = format.decode(format.encode(value));
      return format.has_infinity ? rounded == std::copysign(infinity, value) : std::isnan(rounded);
    };
    CHECK(format.decode(format.encode(std::nextafter(tie, 0))) == format.largest);
    CHECK(is_over(tie) == (format.name != "f8e4m3"));
    for (const double value : {std::nextafter(tie, infinity), 1e300, infinity, -infinity, -1e300}) {
      INFO(value);
      CHECK(is_over(value));
    }
  }
}

TEST_CASE("around zero", "[float_conversion]") {
  for (const Format& format : formats()) {
    INFO(format.name);
    CHECK(format.decode(1) == format.smallest);
    CHECK(format.encode(0.0) == 0);
    CHECK(format.encode(format.smallest / 2) == 0);
    CHECK(format.encode(std::nextafter(format.smallest / 2, 1)) == 1);
    CHECK(format.encode(std::numeric_limits<double>::denorm_min()) == 0);
    CHECK(std::signbit(format.decode(format.encode(-0.0))) == format.has_negative_zero);
    CHECK(std::signbit(format.decode(format.encode(-1e-300))) == format.has_negative_zero);
    CHECK(format.decode(format.encode(-1e-300)) == 0);
  }
}

TEST_CASE("NaN stays NaN whatever its payload", "[float_conversion]") {
  for (const std::uint64_t payload : {0x1ULL, 0x8000000000000ULL, 0xfffffffffffffULL, 0x20000000ULL})
    for (const std::uint64_t sign : {0ULL, 1ULL << 63})
      for (const Format& format : formats())
        CHECK(is_nan_code(format, format.encode(std::bit_cast<double>(sign | 0x7ff0000000000000ULL | payload))));
  for (const std::uint32_t bits : {0x7f800001U, 0xff800001U, 0x7fffffffU, 0x7fc00000U, 0x7f802000U}) {
    CHECK(std::isnan(f16_to_f32(f32_to_f16(bits_to_float(bits)))));
    CHECK(std::isnan(bf16_to_f32(f32_to_bf16(bits_to_float(bits)))));
  }
}

TEST_CASE("a double is rounded once, not through float", "[float_conversion]") {
  // Just above the tie of two neighbours; as a float it would be the tie, and go to the even one below.
  const double above_bf16 = 1 + 0x1p-8 + 0x1p-40;
  CHECK(f64_to_bf16(above_bf16) == 0x3f81);
  CHECK(f32_to_bf16(static_cast<float>(above_bf16)) == 0x3f80);
  const double above_f16 = 1 + 0x1p-11 + 0x1p-40;
  CHECK(f64_to_f16(above_f16) == 0x3c01);
  CHECK(f32_to_f16(static_cast<float>(above_f16)) == 0x3c00);
  CHECK(f64_to_f8e4m3(1 + 0x1p-4 + 0x1p-40) == 0x39);
  CHECK(f64_to_f8e4m3fnuz(1 + 0x1p-4 + 0x1p-40) == 0x41);
  CHECK(f64_to_f8e5m2(1 + 0x1p-3 + 0x1p-40) == 0x3d);
}

TEST_CASE("the inline conversions from float agree with those from double", "[float_conversion][property]") {
  // Each exponent with mantissas at and around the ties of both formats, and random ones.
  std::mt19937 random(1);
  std::vector<std::uint32_t> mantissas = {0,     1,      0x7fffff, 0x7fff, 0x8000, 0x8001,
                                          0xfff, 0x1000, 0x1001,   0x3000, 0x18000};
  for (int i = 0; i < 2000; ++i)
    mantissas.push_back(random() & 0x7fffffU);
  for (std::uint32_t exponent = 0; exponent < 512; ++exponent)
    for (const std::uint32_t mantissa : mantissas) {
      const float value = bits_to_float(exponent << 23 | mantissa);
      if (std::isnan(value))
        continue;
      if (f32_to_f16(value) != f64_to_f16(value))
        FAIL("f16 of " << value);
      if (f32_to_bf16(value) != f64_to_bf16(value))
        FAIL("bf16 of " << value);
    }
}

TEST_CASE("rows are converted as elements are", "[float_conversion]") {
  std::vector<float> values;
  std::mt19937 random(2);
  for (int i = 0; i < 1003; ++i)
    values.push_back(std::ldexp(static_cast<float>(random()) - 0x1p31F, -30));
  values.insert(values.end(), {0.0F, -0.0F, 1e30F, static_cast<float>(quiet_nan), static_cast<float>(-infinity)});
  const std::size_t n = values.size();
  const auto same_bits = [](float a, float b) {
    return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
  };

  std::vector<std::uint16_t> halves(n);
  std::vector<float> back(n);
  row_from_f32(DType::f16, values.data(), halves.data(), n);
  row_to_f32(DType::f16, halves.data(), back.data(), n);
  for (std::size_t i = 0; i < n; ++i) {
    REQUIRE(halves[i] == f32_to_f16(values[i]));
    REQUIRE(same_bits(back[i], f16_to_f32(halves[i])));
  }
  row_from_f32(DType::bf16, values.data(), halves.data(), n);
  row_to_f32(DType::bf16, halves.data(), back.data(), n);
  for (std::size_t i = 0; i < n; ++i) {
    REQUIRE(halves[i] == f32_to_bf16(values[i]));
    REQUIRE(same_bits(back[i], bf16_to_f32(halves[i])));
  }
  std::vector<std::uint8_t> bytes(n);
  row_from_f32(DType::f8e4m3fnuz, values.data(), bytes.data(), n);
  row_to_f32(DType::f8e4m3fnuz, bytes.data(), back.data(), n);
  for (std::size_t i = 0; i < n; ++i)
    REQUIRE(same_bits(back[i], f8e4m3fnuz_to_f32(f64_to_f8e4m3fnuz(values[i]))));

  const std::vector<std::int64_t> integers = {-3, 0, 7, 1LL << 40};
  row_to_f32(DType::i64, integers.data(), back.data(), integers.size());
  CHECK(back[0] == -3.0F);
  CHECK(back[3] == 0x1p40F);
  const std::vector<std::uint8_t> booleans = {0, 1, 255};
  row_to_f32(DType::boolean, booleans.data(), back.data(), booleans.size());
  CHECK(back[0] == 0.0F);
  CHECK(back[2] == 1.0F);
}
