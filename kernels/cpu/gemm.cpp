// Tiles of matrix products.
#include <tandem/kernels/cpu/gemm.h>

#include <cblas.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include <tandem/kernels/cpu/clones.h>
#include <tandem/kernels/cpu/row_io.h>
#include <tandem/kernels/cpu/scratch.h>

namespace tandem::cpu {
namespace {

// OpenBLAS starts threads of its own above 2^18 multiplications a call (interface/gemm.c: SMP_THRESHOLD_MIN times
// GEMM_MULTITHREAD_THRESHOLD), and its results may then depend on how many. Calls are kept just below: the threads are
// ours, the order of sums is fixed, and no global setting of the host's BLAS is touched. At this shape a call reaches
// the speed of a large one (102 against 95 to 102 GFLOP/s on one core of an EPYC 9004, OpenBLAS 0.3.21).
constexpr std::int64_t call_side = 32;
constexpr std::int64_t panel_depth = 256;
static_assert(call_side * call_side * panel_depth <= 1 << 18);

constexpr std::int64_t max_leading = std::numeric_limits<int>::max();

void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const float* a, int lda, const float* b, int ldb,
          float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, 1.0F, a, lda, b, ldb, beta, c, ldc);
}
void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, const double* a, int lda, const double* b,
          int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, 1.0, a, lda, b, ldb, beta, c, ldc);
}

/// A matrix as BLAS takes it: T, one of its strides 1.
template <class T>
struct Panel {
  const T* data;
  std::int64_t leading;
  bool is_transposed;
  /// Where element (row, col) is.
  const T* at(std::int64_t row, std::int64_t col) const {
    return data + (is_transposed ? col * leading + row : row * leading + col);
  }
  CBLAS_TRANSPOSE trans() const { return is_transposed ? CblasTrans : CblasNoTrans; }
};

/// `rows` x `cols` of `from`: in place where BLAS can take it, else copied to `piece`, along the stride that is 1.
template <class T>
Panel<T> make_panel(const Matrix& from, std::int64_t rows, std::int64_t cols, Scratch piece) {
  constexpr DType own = std::is_same_v<T, float> ? DType::f32 : DType::f64;
  const auto* data = reinterpret_cast<const T*>(from.data);
  if (from.dtype == own && !from.rows) {
    if (from.col_stride == 1 && from.row_stride >= cols && from.row_stride <= max_leading)
      return {data, from.row_stride, false};
    if (from.row_stride == 1 && from.col_stride >= rows && from.col_stride <= max_leading)
      return {data, from.col_stride, true};
  }
  T* packed = scratch<T>(piece, rows * cols);
  const auto size = static_cast<std::int64_t>(byte_size(from.dtype));
  if (from.row_stride == 1 && from.col_stride != 1 && !from.rows) {
    for (std::int64_t j = 0; j < cols; ++j)
      load_row({from.data + j * from.col_stride * size, from.dtype, 1, rows}, packed + j * rows);
    return {packed, std::max<std::int64_t>(rows, 1), true};
  }
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t row = from.rows ? from.rows[i] : i;
    load_row({from.data + row * from.row_stride * size, from.dtype, from.col_stride, cols}, packed + i * cols);
  }
  return {packed, std::max<std::int64_t>(cols, 1), false};
}

/// Sums of x[i] * y[i] for up to four rows x (`k` apart) at once, in 16 lanes that are added up pairwise at the end.
TANDEM_CPU_CLONES void add_dots(const float* x, std::int64_t stride, std::int64_t m, const float* y, std::int64_t n,
                                float (*lanes)[16]) {
  for (std::int64_t r = 0; r < m; ++r) {
    const float* row = x + r * stride;
    float* sum = lanes[r];
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16)
      for (int j = 0; j < 16; ++j)
        sum[j] += row[i + j] * y[i + j];
    for (int j = 0; i + j < n; ++j)
      sum[j] += row[i + j] * y[i + j];
  }
}
TANDEM_CPU_CLONES void add_dots(const double* x, std::int64_t stride, std::int64_t m, const double* y, std::int64_t n,
                                double (*lanes)[16]) {
  for (std::int64_t r = 0; r < m; ++r) {
    const double* row = x + r * stride;
    double* sum = lanes[r];
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16)
      for (int j = 0; j < 16; ++j)
        sum[j] += row[i + j] * y[i + j];
    for (int j = 0; i + j < n; ++j)
      sum[j] += row[i + j] * y[i + j];
  }
}

template <class T>
T add_up(T* lanes) {
  for (int width = 8; width > 0; width /= 2)
    for (int j = 0; j < width; ++j)
      lanes[j] += lanes[j + width];
  return lanes[0];
}

}  // namespace

Matrix matrix_of(const TensorView& view) {
  return {view.data, view.dtype, view.strides[view.rank - 2U], view.strides[view.rank - 1U], nullptr};
}

template <class T>
void multiply_tile(const Matrix& a, const Matrix& b, T* c, std::int64_t ldc, std::int64_t m, std::int64_t n,
                   std::int64_t k) {
  if (k == 0)
    for (std::int64_t i = 0; i < m; ++i)
      std::fill_n(c + i * ldc, n, T{0});
  for (std::int64_t p = 0; p < k; p += panel_depth) {
    const std::int64_t depth = std::min(panel_depth, k - p);
    const Panel<T> left = make_panel<T>(a.from(0, p), m, depth, Scratch::a);
    const Panel<T> right = make_panel<T>(b.from(p, 0), depth, n, Scratch::b);
    for (std::int64_t i = 0; i < m; i += call_side)
      for (std::int64_t j = 0; j < n; j += call_side)
        gemm(left.trans(), right.trans(), static_cast<int>(std::min(call_side, m - i)),
             static_cast<int>(std::min(call_side, n - j)), static_cast<int>(depth), left.at(i, 0),
             static_cast<int>(left.leading), right.at(0, j), static_cast<int>(right.leading), p == 0 ? T{0} : T{1},
             c + i * ldc + j, static_cast<int>(ldc));
  }
}

template <class T>
void multiply_few_rows(const T* a, const Matrix& b, T* c, std::int64_t ldc, std::int64_t m, std::int64_t n,
                       std::int64_t k) {
  constexpr std::int64_t chunk = 512;
  T buffer[chunk];
  const auto size = static_cast<std::int64_t>(byte_size(b.dtype));
  for (std::int64_t j = 0; j < n; ++j) {
    T lanes[few_rows][16] = {};
    std::byte* column = b.data + j * b.col_stride * size;
    for (std::int64_t p = 0; p < k; p += chunk) {
      const std::int64_t count = std::min(chunk, k - p);
      const T* y = row_as(Row{column + p * size, b.dtype, 1, count}, buffer);
      add_dots(a + p, k, m, y, count, lanes);
    }
    for (std::int64_t i = 0; i < m; ++i)
      c[i * ldc + j] = add_up(lanes[i]);
  }
}

template void multiply_tile(const Matrix&, const Matrix&, float*, std::int64_t, std::int64_t, std::int64_t,
                            std::int64_t);
template void multiply_tile(const Matrix&, const Matrix&, double*, std::int64_t, std::int64_t, std::int64_t,
                            std::int64_t);
template void multiply_few_rows(const float*, const Matrix&, float*, std::int64_t, std::int64_t, std::int64_t,
                                std::int64_t);
template void multiply_few_rows(const double*, const Matrix&, double*, std::int64_t, std::int64_t, std::int64_t,
                                std::int64_t);

}  // namespace tandem::cpu
