// Products of matrices with any strides and float dtypes, a tile at a time, by BLAS.
#pragma once

#include <cstdint>

#include <tandem/kernels/tensor.h>

namespace tandem::cpu {

/// A window on a matrix: element (i, j) lies i * row_stride + j * col_stride elements from `data`. With `rows`, row i
/// is the matrix's row rows[i].
struct Matrix {
  std::byte* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t row_stride = 0, col_stride = 0;
  const std::int64_t* rows = nullptr;

  Matrix from(std::int64_t row, std::int64_t col) const {
    Matrix out = *this;
    if (rows)
      out.rows += row;
    else
      out.data += row * row_stride * static_cast<std::int64_t>(byte_size(dtype));
    out.data += col * col_stride * static_cast<std::int64_t>(byte_size(dtype));
    return out;
  }
  Matrix transposed() const { return {data, dtype, col_stride, row_stride, nullptr}; }
};

/// The matrix of the last two axes of `view`, at its first batch.
Matrix matrix_of(const TensorView& view);

/// The side of the tiles that callers cut a product into, one task each.
inline constexpr std::int64_t tile_side = 128;

/// c[m, n] (rows `ldc` apart) = a[m, k] times b[k, n], summed in T (float or double) in an order that depends on the
/// sizes alone. m, n <= tile_side. 16-bit operands are widened a panel at a time, so memory stays bounded. Runs on the
/// calling thread; uses its scratch pieces a and b.
template <class T>
void multiply_tile(const Matrix& a, const Matrix& b, T* c, std::int64_t ldc, std::int64_t m, std::int64_t n,
                   std::int64_t k);

/// Up to how many rows of `a` a product is faster row by row than by tiles: it then only waits for `b` to be read.
inline constexpr std::int64_t few_rows = 4;

/// As `multiply_tile`, for m <= few_rows, a dense in T (rows `k` apart), and b with dense columns (row_stride 1).
template <class T>
void multiply_few_rows(const T* a, const Matrix& b, T* c, std::int64_t ldc, std::int64_t m, std::int64_t n,
                       std::int64_t k);

}  // namespace tandem::cpu
