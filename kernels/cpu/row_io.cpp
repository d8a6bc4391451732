// Loading and storing rows.
#include <tandem/kernels/cpu/row_io.h>

#include <cmath>
#include <limits>
#include <type_traits>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/cpu/clones.h>
#include <tandem/kernels/float_conversion.h>

namespace tandem::cpu {
namespace {

// --- dense rows of 16-bit floats: the loops that matter
// -----------------------------------------------------------------

TANDEM_CPU_CLONES void widen_bf16(const std::uint16_t* from, float* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    to[i] = bf16_to_f32(from[i]);
}
TANDEM_CPU_CLONES void widen_f16(const std::uint16_t* from, float* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    to[i] = f16_to_f32(from[i]);
}
TANDEM_CPU_CLONES void narrow_bf16(const float* from, std::uint16_t* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    to[i] = f32_to_bf16(from[i]);
}
TANDEM_CPU_CLONES void narrow_f16(const float* from, std::uint16_t* to, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i)
    to[i] = f32_to_f16(from[i]);
}

// --- any stride
// ---------------------------------------------------------------------------------------------------------

/// to[i] = convert(from[i * stride]) for elements of type Stored.
template <class Stored, class T, class Convert>
void load(const Row& row, T* to, Convert convert) {
  const auto* from = reinterpret_cast<const Stored*>(row.data);
  if (row.stride == 1) {
    for (std::int64_t i = 0; i < row.count; ++i)
      to[i] = static_cast<T>(convert(from[i]));
  } else if (row.stride == 0 && row.count > 0) {
    const T value = static_cast<T>(convert(from[0]));
    for (std::int64_t i = 0; i < row.count; ++i)
      to[i] = value;
  } else {
    for (std::int64_t i = 0; i < row.count; ++i)
      to[i] = static_cast<T>(convert(from[i * row.stride]));
  }
}
template <class Stored, class T, class Convert>
void store(const Row& row, const T* from, Convert convert) {
  auto* to = reinterpret_cast<Stored*>(row.data);
  if (row.stride == 1) {
    for (std::int64_t i = 0; i < row.count; ++i)
      to[i] = static_cast<Stored>(convert(from[i]));
  } else {
    for (std::int64_t i = 0; i < row.count; ++i)
      to[i * row.stride] = static_cast<Stored>(convert(from[i]));
  }
}

constexpr auto unchanged = [](auto v) { return v; };

template <class T>
void load_float(const Row& row, T* to) {
  switch (row.dtype) {
    case DType::f64: return load<double>(row, to, unchanged);
    case DType::f32: return load<float>(row, to, unchanged);
    case DType::f16: return load<std::uint16_t>(row, to, f16_to_f32);
    case DType::bf16: return load<std::uint16_t>(row, to, bf16_to_f32);
    case DType::f8e4m3: return load<std::uint8_t>(row, to, f8e4m3_to_f32);
    case DType::f8e4m3fnuz: return load<std::uint8_t>(row, to, f8e4m3fnuz_to_f32);
    case DType::f8e5m2: return load<std::uint8_t>(row, to, f8e5m2_to_f32);
    default: internal_error("a row of floats was expected");
  }
}

/// Towards zero, into the range of I; NaN gives 0.
template <class I, class T>
I saturate(T value) {
  constexpr T beyond = static_cast<T>(std::numeric_limits<I>::max() / 2 + 1) * T{2};  // a power of two: exact
  if (std::isnan(value))
    return 0;
  if (value <= static_cast<T>(std::numeric_limits<I>::min()))
    return std::numeric_limits<I>::min();
  if (value >= beyond)
    return std::numeric_limits<I>::max();
  return static_cast<I>(value);
}

template <class T>
void store_integer(const Row& row, const T* from) {
  switch (row.dtype) {
    case DType::i64: return store<std::int64_t>(row, from, saturate<std::int64_t, T>);
    case DType::i32: return store<std::int32_t>(row, from, saturate<std::int32_t, T>);
    case DType::i16: return store<std::int16_t>(row, from, saturate<std::int16_t, T>);
    case DType::i8: return store<std::int8_t>(row, from, saturate<std::int8_t, T>);
    case DType::u8: return store<std::uint8_t>(row, from, saturate<std::uint8_t, T>);
    case DType::boolean: return store<std::uint8_t>(row, from, [](T v) { return v != 0 ? 1 : 0; });
    default: internal_error("a row of integers was expected");
  }
}

}  // namespace

void load_row(const Row& row, float* to) {
  const auto* dense = reinterpret_cast<const std::uint16_t*>(row.data);
  if (row.stride == 1 && row.dtype == DType::bf16)
    return widen_bf16(dense, to, row.count);
  if (row.stride == 1 && row.dtype == DType::f16)
    return widen_f16(dense, to, row.count);
  load_float(row, to);
}

void load_row(const Row& row, double* to) {
  switch (row.dtype) {
    case DType::i64: return load<std::int64_t>(row, to, unchanged);
    case DType::i32: return load<std::int32_t>(row, to, unchanged);
    case DType::i16: return load<std::int16_t>(row, to, unchanged);
    case DType::i8: return load<std::int8_t>(row, to, unchanged);
    case DType::u8:
    case DType::boolean: return load<std::uint8_t>(row, to, unchanged);
    default: load_float(row, to);
  }
}

void load_row(const Row& row, std::int64_t* to) {
  switch (row.dtype) {
    case DType::i64: return load<std::int64_t>(row, to, unchanged);
    case DType::i32: return load<std::int32_t>(row, to, unchanged);
    case DType::i16: return load<std::int16_t>(row, to, unchanged);
    case DType::i8: return load<std::int8_t>(row, to, unchanged);
    case DType::u8: return load<std::uint8_t>(row, to, unchanged);
    case DType::boolean: return load<std::uint8_t>(row, to, [](std::uint8_t v) { return v != 0 ? 1 : 0; });
    default: internal_error("a row of integers was expected");
  }
}

template <class T>
const T* row_as(const Row& row, T* buffer) {
  constexpr DType own = std::is_same_v<T, float> ? DType::f32 : std::is_same_v<T, double> ? DType::f64 : DType::i64;
  if (row.dtype == own && (row.stride == 1 || row.count <= 1))
    return reinterpret_cast<const T*>(row.data);
  load_row(row, buffer);
  return buffer;
}
template const float* row_as(const Row&, float*);
template const double* row_as(const Row&, double*);
template const std::int64_t* row_as(const Row&, std::int64_t*);

void store_row(const Row& row, const float* from) {
  auto* dense = reinterpret_cast<std::uint16_t*>(row.data);
  switch (row.dtype) {
    case DType::f64: return store<double>(row, from, unchanged);
    case DType::f32: return store<float>(row, from, unchanged);
    case DType::f16:
      return row.stride == 1 ? narrow_f16(from, dense, row.count) : store<std::uint16_t>(row, from, f32_to_f16);
    case DType::bf16:
      return row.stride == 1 ? narrow_bf16(from, dense, row.count) : store<std::uint16_t>(row, from, f32_to_bf16);
    // A float is a double: rounding that once is rounding the float once.
    case DType::f8e4m3: return store<std::uint8_t>(row, from, f64_to_f8e4m3);
    case DType::f8e4m3fnuz: return store<std::uint8_t>(row, from, f64_to_f8e4m3fnuz);
    case DType::f8e5m2: return store<std::uint8_t>(row, from, f64_to_f8e5m2);
    default: store_integer(row, from);
  }
}

void store_row(const Row& row, const double* from) {
  switch (row.dtype) {
    case DType::f64: return store<double>(row, from, unchanged);
    case DType::f32: return store<float>(row, from, unchanged);
    case DType::f16: return store<std::uint16_t>(row, from, f64_to_f16);
    case DType::bf16: return store<std::uint16_t>(row, from, f64_to_bf16);
    case DType::f8e4m3: return store<std::uint8_t>(row, from, f64_to_f8e4m3);
    case DType::f8e4m3fnuz: return store<std::uint8_t>(row, from, f64_to_f8e4m3fnuz);
    case DType::f8e5m2: return store<std::uint8_t>(row, from, f64_to_f8e5m2);
    default: store_integer(row, from);
  }
}

void store_row(const Row& row, const std::int64_t* from) {
  switch (row.dtype) {
    case DType::i64: return store<std::int64_t>(row, from, unchanged);
    case DType::i32: return store<std::int32_t>(row, from, unchanged);
    case DType::i16: return store<std::int16_t>(row, from, unchanged);
    case DType::i8: return store<std::int8_t>(row, from, unchanged);
    case DType::u8: return store<std::uint8_t>(row, from, unchanged);
    case DType::boolean: return store<std::uint8_t>(row, from, [](std::int64_t v) { return v != 0 ? 1 : 0; });
    case DType::f64: return store<double>(row, from, unchanged);
    case DType::f32: return store<float>(row, from, unchanged);
    default: internal_error("a row of integers, f32 or f64 was expected");
  }
}

}  // namespace tandem::cpu
