// Element types of tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <tandem/ir/export.h>

namespace tandem {

/// Element type of a tensor. `f8e4m3` is the OCP form (gfx950, NVIDIA), `f8e4m3fnuz` the form of gfx942: two types,
/// never exchanged for each other.
enum class DType : std::uint8_t { f64, f32, f16, bf16, f8e4m3, f8e4m3fnuz, f8e5m2, i64, i32, i16, i8, u8, boolean };

inline constexpr std::size_t num_dtypes = 13;

/// The spelling used in text and JSON: "bf16", "f8e4m3fnuz", "bool".
TANDEM_IR_API std::string_view to_string(DType dtype);

/// The inverse of `to_string`; empty for anything else.
TANDEM_IR_API std::optional<DType> parse_dtype(std::string_view text);

/// Every dtype, in declaration order.
TANDEM_IR_API std::span<const DType> all_dtypes();

/// Bytes of one element.
constexpr std::size_t byte_size(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64: return 8;
    case DType::f32:
    case DType::i32: return 4;
    case DType::f16:
    case DType::bf16:
    case DType::i16: return 2;
    default: return 1;
  }
}

constexpr bool is_float(DType dtype) {
  return dtype <= DType::f8e5m2;
}
constexpr bool is_float8(DType dtype) {
  return dtype >= DType::f8e4m3 && dtype <= DType::f8e5m2;
}
constexpr bool is_integer(DType dtype) {
  return dtype >= DType::i64 && dtype <= DType::u8;
}
constexpr bool is_boolean(DType dtype) {
  return dtype == DType::boolean;
}

}  // namespace tandem
