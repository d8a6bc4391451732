// The numbers that stand in for cuBLASLt's header are those of the header, where it is there.
#include <tandem/runtime/hip/blas_api.h>

#include <tests/support/catch.h>

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>

using namespace tandem;

TEST_CASE("blas: numbers are those of cublasLt.h", "[hip][blas]") {
  const hip::BlasNumbers n = hip::cublaslt_numbers();
  CHECK(n.op_n == CUBLAS_OP_N);
  CHECK(n.op_t == CUBLAS_OP_T);
  CHECK(n.compute_f32 == CUBLAS_COMPUTE_32F);
  CHECK(n.compute_f64 == CUBLAS_COMPUTE_64F);
  CHECK(n.desc_transpose_a == CUBLASLT_MATMUL_DESC_TRANSA);
  CHECK(n.desc_transpose_b == CUBLASLT_MATMUL_DESC_TRANSB);
  CHECK(n.desc_epilogue == CUBLASLT_MATMUL_DESC_EPILOGUE);
  CHECK(n.desc_bias == CUBLASLT_MATMUL_DESC_BIAS_POINTER);
  CHECK(n.desc_bias_type == CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE);
  CHECK(n.layout_batch_count == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
  CHECK(n.layout_batch_stride == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
  CHECK(n.preference_workspace == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
  CHECK(n.preference_alignment == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
  CHECK(n.epilogue_bias == CUBLASLT_EPILOGUE_BIAS);
  CHECK(hip::blas_type(DType::f32) == CUDA_R_32F);
  CHECK(hip::blas_type(DType::f64) == CUDA_R_64F);
  CHECK(hip::blas_type(DType::f16) == CUDA_R_16F);
  CHECK(hip::blas_type(DType::bf16) == CUDA_R_16BF);
  CHECK(hip::blas_type(DType::f8e4m3) == CUDA_R_8F_E4M3);
  CHECK(hip::blas_type(DType::f8e5m2) == CUDA_R_8F_E5M2);
  CHECK(sizeof(cublasLtMatmulHeuristicResult_t) == 96);
  CHECK(sizeof(cublasLtMatmulAlgo_t) == 64);
}
#endif
