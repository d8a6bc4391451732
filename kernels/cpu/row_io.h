// Rows of elements of any dtype, in and out of arrays that kernels compute on: float for f32 and narrower, double for
// f64, int64 for integers and bool. The conversions of dtypes stand here and nowhere else in kernels/cpu.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tandem/kernels/tensor.h>

namespace tandem::cpu {

/// `count` elements, `stride` elements apart.
struct Row {
  std::byte* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t stride = 1;
  std::int64_t count = 0;
};

/// Reads a row of floats exactly. (f64 is rounded to float: kernels read it as double.)
void load_row(const Row& row, float* to);
/// Reads a row of floats or (rounded where beyond 2^53) integers.
void load_row(const Row& row, double* to);
/// Reads a row of integers or bools.
void load_row(const Row& row, std::int64_t* to);

/// Where the row is dense and already of type T, its own memory; else `buffer`, filled.
template <class T>
const T* row_as(const Row& row, T* buffer);

/// Writes a row of floats, rounded to nearest even; of integers: towards zero, into the dtype's range, NaN as 0; of
/// bools: what is not zero is true.
void store_row(const Row& row, const float* from);
void store_row(const Row& row, const double* from);
/// Writes a row of integers (low bits) or bools; of floats, rounded.
void store_row(const Row& row, const std::int64_t* from);

}  // namespace tandem::cpu
