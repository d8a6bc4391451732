// The functions that hipBLASLt and cuBLASLt have in common, as a table that is filled when the program runs.
//
// Both have the same functions with the same parameters; they differ in the numbers of attributes and enumerators and
// in how large an algorithm's description is. So the wrapper (blas.h) is written once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <tandem/ir/dtype.h>
#include <tandem/ir/export.h>
#include <tandem/kernels/hip/device_info.h>

namespace tandem::hip {

/// An algorithm as a library describes it.
struct BlasAlgorithm {
  alignas(8) std::array<std::byte, 64> description{};
  std::size_t workspace = 0;  ///< Bytes that it needs.
};

/// Enumerators and attributes; -1 where a library has no such.
struct BlasNumbers {
  int op_n = 0, op_t = 0;
  int compute_f32 = 0, compute_f64 = 0;
  int desc_transpose_a = 0, desc_transpose_b = 0, desc_epilogue = 0, desc_bias = 0, desc_bias_type = 0;
  int layout_batch_count = 0, layout_batch_stride = 0;
  int preference_workspace = 0;
  int preference_alignment = -1;  ///< Of A; those of B, C and D follow.
  int epilogue_bias = 4;
};

struct BlasApi {
  std::string library;  ///< "libcublasLt.so.13"
  BlasNumbers numbers;

  std::function<int(void** handle)> create;
  std::function<int(void* handle)> destroy;
  std::function<int(void** desc, int compute, int scale_type)> desc_create;
  std::function<int(void* desc)> desc_destroy;
  std::function<int(void* desc, int attribute, const void* value, std::size_t size)> desc_set;
  std::function<int(void** layout, int type, std::uint64_t rows, std::uint64_t columns, std::int64_t leading)>
      layout_create;
  std::function<int(void* layout)> layout_destroy;
  std::function<int(void* layout, int attribute, const void* value, std::size_t size)> layout_set;
  std::function<int(void** preference)> preference_create;
  std::function<int(void* preference)> preference_destroy;
  std::function<int(void* preference, int attribute, const void* value, std::size_t size)> preference_set;
  /// Column-major D = op(A) op(B). Fills at most `wanted` algorithms, the most promising first.
  std::function<int(void* handle, void* desc, void* a, void* b, void* c, void* d, void* preference, int wanted,
                    BlasAlgorithm* algorithms, int* found)>
      find_algorithms;
  std::function<int(void* handle, void* desc, const void* alpha, const void* a, void* a_layout, const void* b,
                    void* b_layout, const void* beta, const void* c, void* c_layout, void* d, void* d_layout,
                    const BlasAlgorithm& algorithm, void* workspace, std::size_t workspace_bytes, void* stream)>
      multiply;
};

/// A library, or why there is none.
struct BlasSearch {
  std::shared_ptr<const BlasApi> api;
  std::string reason;
};

/// hipBLASLt on AMD, cuBLASLt on NVIDIA, by the usual rules of the system's loader.
TANDEM_RUNTIME_API BlasSearch load_blas(GpuPlatform platform);

/// hipDataType and cudaDataType, which agree; -1 for what matrix products do not take.
int blas_type(DType dtype);

/// The attribute numbers of each library, as compared with its header where one is there (tests/runtime/hip).
TANDEM_RUNTIME_API BlasNumbers hipblaslt_numbers();
TANDEM_RUNTIME_API BlasNumbers cublaslt_numbers();

}  // namespace tandem::hip
