// Names of element types.
#include <tandem/ir/dtype.h>

#include <array>

namespace tandem {

namespace {

constexpr std::array<std::string_view, num_dtypes> names = {
    "f64", "f32", "f16", "bf16", "f8e4m3", "f8e4m3fnuz", "f8e5m2", "i64", "i32", "i16", "i8", "u8", "bool"};

constexpr std::array<DType, num_dtypes> dtypes = {
    DType::f64, DType::f32, DType::f16, DType::bf16, DType::f8e4m3, DType::f8e4m3fnuz, DType::f8e5m2,
    DType::i64, DType::i32, DType::i16, DType::i8,   DType::u8,     DType::boolean};

}  // namespace

std::string_view to_string(DType dtype) {
  return names[static_cast<std::size_t>(dtype)];
}

std::optional<DType> parse_dtype(std::string_view text) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == text)
      return dtypes[i];
  return std::nullopt;
}

std::span<const DType> all_dtypes() {
  return dtypes;
}

}  // namespace tandem
