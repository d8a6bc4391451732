#include <tandem/ir/io/literal.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include <tandem/ir/io/characters.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/spelling.h>

namespace tandem::io {

namespace {

// The floats of 8 and 16 bits. `ieee` has infinities and many NaNs; `finite` (OCP E4M3) has no infinity and one NaN a
// sign, all ones; `fnuz` has neither infinity nor -0, and its one NaN is 0x80.
enum class Specials { ieee, finite, fnuz };
struct SmallFloat {
  int exponent_bits, mantissa_bits, bias;
  Specials specials;
};

SmallFloat format_of(DType dtype) {
  switch (dtype) {
    case DType::f16: return {5, 10, 15, Specials::ieee};
    case DType::bf16: return {8, 7, 127, Specials::ieee};
    case DType::f8e5m2: return {5, 2, 15, Specials::ieee};
    case DType::f8e4m3: return {4, 3, 7, Specials::finite};
    default: return {4, 3, 8, Specials::fnuz};
  }
}

double decode(std::uint32_t bits, SmallFloat f) {
  const std::uint32_t sign = bits >> (f.exponent_bits + f.mantissa_bits);
  const std::uint32_t top = (1U << f.exponent_bits) - 1;
  const std::uint32_t exponent = (bits >> f.mantissa_bits) & top;
  const std::uint32_t mantissa = bits & ((1U << f.mantissa_bits) - 1);
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  double magnitude;
  if (f.specials == Specials::ieee && exponent == top) {
    magnitude = mantissa != 0 ? nan : std::numeric_limits<double>::infinity();
  } else if (f.specials == Specials::finite && exponent == top && mantissa == (1U << f.mantissa_bits) - 1) {
    magnitude = nan;
  } else if (f.specials == Specials::fnuz && sign == 1 && exponent == 0 && mantissa == 0) {
    return nan;
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<double>(mantissa), 1 - f.bias - f.mantissa_bits);
  } else {
    magnitude = std::ldexp(static_cast<double>(mantissa + (1U << f.mantissa_bits)),
                           static_cast<int>(exponent) - f.bias - f.mantissa_bits);
  }
  return sign != 0 ? -magnitude : magnitude;
}

/// Rounds to nearest even; empty when the value is out of range.
std::optional<std::uint32_t> encode(double value, SmallFloat f) {
  const std::uint32_t sign_bit = 1U << (f.exponent_bits + f.mantissa_bits);
  const std::uint32_t infinity = ((1U << f.exponent_bits) - 1) << f.mantissa_bits;
  if (std::isnan(value)) {
    if (f.specials == Specials::fnuz)
      return sign_bit;
    if (f.specials == Specials::finite)
      return sign_bit - 1;
    return infinity | (1U << (f.mantissa_bits - 1));
  }
  const std::uint32_t sign = std::signbit(value) ? sign_bit : 0;
  if (std::isinf(value))
    return f.specials == Specials::ieee ? std::optional(sign | infinity) : std::nullopt;
  if (value == 0)
    return f.specials == Specials::fnuz ? 0 : sign;
  int exponent = 0;
  std::frexp(value, &exponent);
  exponent = std::max(exponent - 1, 1 - f.bias);  // of the leading digit; subnormals share the smallest
  const double steps = std::nearbyint(std::ldexp(std::abs(value), f.mantissa_bits - exponent));
  // The bits grow with the value: a mantissa that rounds up to the next power of two carries into the exponent.
  const std::int64_t bits =
      (static_cast<std::int64_t>(exponent + f.bias - 1) << f.mantissa_bits) + static_cast<std::int64_t>(steps);
  const std::int64_t largest = f.specials == Specials::ieee     ? std::int64_t{infinity} - 1
                               : f.specials == Specials::finite ? std::int64_t{sign_bit} - 2
                                                                : std::int64_t{sign_bit} - 1;
  if (bits > largest)
    return std::nullopt;
  if (bits == 0 && f.specials == Specials::fnuz)
    return 0;
  return sign | static_cast<std::uint32_t>(bits);
}

template <class T>
void append_bytes(std::vector<std::byte>& out, T value) {
  const auto* p = reinterpret_cast<const std::byte*>(&value);
  out.insert(out.end(), p, p + sizeof(T));
}

template <class T>
T load(const std::byte* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

std::string out_of_range(std::string_view value, DType dtype) {
  return fmt::format("{} is out of range for {}", value, to_string(dtype));
}

template <class T>
std::string append_int(std::vector<std::byte>& out, DType dtype, std::int64_t value) {
  if (value < std::int64_t{std::numeric_limits<T>::min()} || value > std::int64_t{std::numeric_limits<T>::max()}) {
    return out_of_range(std::to_string(value), dtype);
  }
  append_bytes(out, static_cast<T>(value));
  return {};
}

void append_real_element(std::string& out, double value, bool quote_specials) {
  const bool quote = quote_specials && !std::isfinite(value);
  if (quote)
    out += '"';
  append_real(out, value);
  if (quote)
    out += '"';
}

/// Appends one element at `p`; false when no number reads back as these bytes.
bool append_one(std::string& out, DType dtype, const std::byte* p, bool quote_specials) {
  std::vector<std::byte> again;
  switch (dtype) {
    case DType::i64: append_integer(out, load<std::int64_t>(p)); return true;
    case DType::i32: append_integer(out, load<std::int32_t>(p)); return true;
    case DType::i16: append_integer(out, load<std::int16_t>(p)); return true;
    case DType::i8: append_integer(out, load<std::int8_t>(p)); return true;
    case DType::u8: append_integer(out, load<std::uint8_t>(p)); return true;
    case DType::boolean:
      if (load<std::uint8_t>(p) > 1)
        return false;
      out += load<std::uint8_t>(p) != 0 ? "true" : "false";
      return true;
    default: break;
  }
  const double value = dtype == DType::f64     ? load<double>(p)
                       : dtype == DType::f32   ? static_cast<double>(load<float>(p))
                       : byte_size(dtype) == 2 ? decode(load<std::uint16_t>(p), format_of(dtype))
                                               : decode(load<std::uint8_t>(p), format_of(dtype));
  if (!append_element(again, dtype, value).empty() || std::memcmp(again.data(), p, again.size()) != 0)
    return false;
  append_real_element(out, value, quote_specials);
  return true;
}

}  // namespace

std::optional<std::size_t> literal_bytes(const TensorType& type) {
  std::uint64_t bytes = byte_size(type.dtype);
  bool empty = false;
  for (Dim d : type.shape) {
    if (!d.is_constant() || d.constant() < 0)
      return std::nullopt;
    if (d.constant() == 0)
      empty = true;
  }
  if (empty)
    return 0;
  for (Dim d : type.shape) {
    const auto n = static_cast<std::uint64_t>(d.constant());
    if (n > max_literal_bytes / bytes)
      return std::nullopt;
    bytes *= n;
  }
  return bytes;
}

bool append_elements(std::string& out, const TensorLiteral& literal, bool quote_specials) {
  const std::size_t size = byte_size(literal.type.dtype);
  if (literal.data.size() / size > max_listed_elements)
    return false;
  const std::size_t start = out.size();
  for (std::size_t i = 0; i < literal.data.size(); i += size) {
    if (i != 0)
      out += ", ";
    if (!append_one(out, literal.type.dtype, literal.data.data() + i, quote_specials)) {
      out.resize(start);
      return false;
    }
  }
  return true;
}

void append_hex(std::string& out, const std::vector<std::byte>& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  out += "0x";
  out.reserve(out.size() + 2 * bytes.size());
  for (std::byte b : bytes) {
    out += digits[std::to_integer<unsigned>(b) >> 4];
    out += digits[std::to_integer<unsigned>(b) & 15];
  }
}

std::optional<std::vector<std::byte>> parse_hex(std::string_view text) {
  if (!text.starts_with("0x") || text.size() % 2 != 0)
    return std::nullopt;
  text.remove_prefix(2);
  std::vector<std::byte> bytes(text.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return std::nullopt;
    bytes[i] = static_cast<std::byte>(high * 16 + low);
  }
  return bytes;
}

std::string append_element(std::vector<std::byte>& out, DType dtype, double value) {
  if (dtype == DType::f64) {
    append_bytes(out, value);
    return {};
  }
  if (!is_float(dtype))
    return fmt::format("{} takes whole numbers, not {}", to_string(dtype), value);
  if (dtype == DType::f32) {
    if (std::isnan(value)) {
      append_bytes(out, std::numeric_limits<float>::quiet_NaN());
      return {};
    }
    // Half a step above the largest float; from there on the nearest would be an infinity.
    if (std::isfinite(value) && std::abs(value) >= 0x1.ffffffp127)
      return out_of_range(fmt::format("{}", value), dtype);
    append_bytes(out, static_cast<float>(value));
    return {};
  }
  const auto bits = encode(value, format_of(dtype));
  if (!bits)
    return out_of_range(fmt::format("{}", value), dtype);
  if (byte_size(dtype) == 2) {
    append_bytes(out, static_cast<std::uint16_t>(*bits));
  } else {
    append_bytes(out, static_cast<std::uint8_t>(*bits));
  }
  return {};
}

std::string append_element(std::vector<std::byte>& out, DType dtype, std::int64_t value) {
  switch (dtype) {
    case DType::i64: return append_int<std::int64_t>(out, dtype, value);
    case DType::i32: return append_int<std::int32_t>(out, dtype, value);
    case DType::i16: return append_int<std::int16_t>(out, dtype, value);
    case DType::i8: return append_int<std::int8_t>(out, dtype, value);
    case DType::u8: return append_int<std::uint8_t>(out, dtype, value);
    case DType::boolean: return fmt::format("bool takes true and false, not {}", value);
    default: break;
  }
  if (!is_exact_real(value))
    return fmt::format("{} is not exactly a double", value);
  return append_element(out, dtype, static_cast<double>(value));
}

std::string append_element(std::vector<std::byte>& out, DType dtype, bool value) {
  if (dtype != DType::boolean)
    return fmt::format("{} takes numbers, not true or false", to_string(dtype));
  append_bytes(out, static_cast<std::uint8_t>(value));
  return {};
}

}  // namespace tandem::io
