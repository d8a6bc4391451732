// A matrix product as vendor libraries take it, and which of tandem's calls are one.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include <tandem/kernels/kernel.h>

namespace tandem::hip {

/// Row-major D[m, n] = A[m, k] B[k, n] + bias[n], `batch` times. Strides count elements.
struct Gemm {
  DType in = DType::f32;   ///< Of A and B.
  DType out = DType::f32;  ///< Of D and the bias.
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  bool a_transposed = false;                           ///< A is stored [k, m].
  bool b_transposed = false;                           ///< B is stored [n, k], as the weight of a linear layer is.
  std::int64_t row_a = 0, row_b = 0, row_d = 0;        ///< From one stored row to the next.
  std::int64_t batch_a = 0, batch_b = 0, batch_d = 0;  ///< From one matrix to the next; 0: the same one.
  bool has_bias = false;
  std::int64_t alignment = 16;  ///< Bytes that the addresses of A, B and D are multiples of.
  friend auto operator<=>(const Gemm&, const Gemm&) = default;
};

struct GemmOperands {
  const void* a = nullptr;
  const void* b = nullptr;
  const void* bias = nullptr;
  void* d = nullptr;
};

struct GemmCall {
  Gemm gemm;
  GemmOperands operands;
};

/// True for `linear`, `matmul` and `batch_matmul`.
bool is_matrix_product(OpId op);

/// The call as one product of a vendor's library; none when its strides, batches or dtype do not allow that, or there
/// is nothing to compute. The op must be a matrix product.
std::optional<GemmCall> as_gemm(OpId op, const KernelCall& call);

}  // namespace tandem::hip
