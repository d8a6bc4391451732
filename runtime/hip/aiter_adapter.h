/* The C interface between tandem and an adapter of AITER (github.com/ROCm/aiter).
 *
 * AITER is a Python package over C++ extensions without a stable C interface, so tandem is not linked to it. Who wants
 * its kernels builds an adapter against the AITER that is installed: a shared library with the functions below, which
 * tandem loads from the path that it is given (TANDEM_AITER_ADAPTER, or AiterAdapter::load). tandem checks versions,
 * architectures and each call's preconditions before it calls.
 *
 * All functions may be called from several threads. */
#ifndef TANDEM_AITER_ADAPTER_H
#define TANDEM_AITER_ADAPTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header. It grows when a function or the descriptor changes its meaning. */
#define TANDEM_AITER_ABI_VERSION 1

enum TandemAiterDtype { TANDEM_AITER_F16 = 1, TANDEM_AITER_BF16 = 2 };

/* y = x / sqrt(mean(x * x) + eps) * weight for each row, twice: over q and over kv. Addresses are device memory,
 * strides count elements, columns lie side by side. Weights have the dtype of the rows. Outputs do not overlap inputs.
 */
typedef struct TandemAiterDualRmsNorm {
  size_t size; /* sizeof of this struct, as tandem was built */
  int32_t dtype;
  int32_t device; /* HIP's number, current when the function is called */
  int64_t rows;
  int64_t q_columns, q_row_stride, q_out_row_stride;
  int64_t kv_columns, kv_row_stride, kv_out_row_stride;
  const void* q;
  const void* q_weight;
  const void* kv;
  const void* kv_weight;
  void* q_out;
  void* kv_out;
  double q_eps, kv_eps;
  void* stream; /* hipStream_t; the work is put there, and nothing waits */
} TandemAiterDualRmsNorm;

/* TANDEM_AITER_ABI_VERSION, as the adapter was built. */
uint32_t tandem_aiter_abi_version(void);
/* AITER's version, "0.1.16". */
const char* tandem_aiter_provider_version(void);
/* The architectures that its kernels are built for, "gfx942;gfx950". */
const char* tandem_aiter_archs(void);
/* 0, or an error that tandem_aiter_last_error describes. Must be callable while the stream is recorded. */
int tandem_aiter_dual_rms_norm(const TandemAiterDualRmsNorm* call);
/* The calling thread's last error; never null. */
const char* tandem_aiter_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
