// The language of kernels/hip: what a .hip source may use, on AMD and on NVIDIA.
//
// A source is compiled by clang for AMD without any header or device library of ROCm (-nogpuinc -nogpulib), so that any
// clang that knows the architecture will do, and by nvcc for NVIDIA without a change. Everything here is therefore
// either plain C++, a compiler builtin, or a line of PTX. For tests without a GPU any C++ compiler takes AMD's side,
// with the builtins of emulated.h (TANDEM_EMULATED).
//
// Wave: the lanes that run in step, `wave_size` of them: 64 on gfx9, 32 on gfx11, gfx12 and NVIDIA.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(TANDEM_EMULATED)
#define TANDEM_NVIDIA 0
#include "emulated.h"
#elif defined(__NVCC__)
#define TANDEM_NVIDIA 1
#else
#define TANDEM_NVIDIA 0
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(threads) __attribute__((amdgpu_flat_work_group_size(1, threads)))
#endif

#define TANDEM_DEVICE __device__ __attribute__((always_inline)) inline

/// An entry point: `TANDEM_KERNEL(name, threads, Params) { ... }` sees its parameters as `p` and is launched with at
/// most `threads` threads a block. TANDEM_KERNEL_RESIDENT also keeps registers so few that `blocks` blocks fit on one
/// of NVIDIA's multiprocessors. The build reads names from these lines: one a line, at its beginning.
#if defined(TANDEM_EMULATED)
#define TANDEM_KERNEL(name, threads, Params) TANDEM_EMULATED_KERNEL(name, threads, Params)
#define TANDEM_KERNEL_RESIDENT(name, threads, blocks, Params) TANDEM_EMULATED_KERNEL(name, threads, Params)
#elif TANDEM_NVIDIA
#define TANDEM_KERNEL(name, threads, Params) \
  extern "C" __global__ void __launch_bounds__(threads) name(const __grid_constant__ Params p)
#define TANDEM_KERNEL_RESIDENT(name, threads, blocks, Params) \
  extern "C" __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ Params p)
#else
#define TANDEM_KERNEL(name, threads, Params) extern "C" __global__ void __launch_bounds__(threads) name(const Params p)
#define TANDEM_KERNEL_RESIDENT(name, threads, blocks, Params) TANDEM_KERNEL(name, threads, Params)
#endif

namespace tandem::gpu {

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
using i32 = int;
using i64 = long long;

#if defined(__GFX9__)
constexpr int wave_size = 64;
#else
constexpr int wave_size = 32;
#endif

// --- where am I ----------------------------------------------------------------------------------------------------

#if TANDEM_NVIDIA
TANDEM_DEVICE u32 thread_x() {
  return threadIdx.x;
}
TANDEM_DEVICE u32 thread_y() {
  return threadIdx.y;
}
TANDEM_DEVICE u32 block_x() {
  return blockIdx.x;
}
TANDEM_DEVICE u32 block_y() {
  return blockIdx.y;
}
TANDEM_DEVICE u32 block_z() {
  return blockIdx.z;
}
/// Threads of the grid along x.
TANDEM_DEVICE u32 grid_threads() {
  return gridDim.x * blockDim.x;
}
#else
TANDEM_DEVICE u32 thread_x() {
  return __builtin_amdgcn_workitem_id_x();
}
TANDEM_DEVICE u32 thread_y() {
  return __builtin_amdgcn_workitem_id_y();
}
TANDEM_DEVICE u32 block_x() {
  return __builtin_amdgcn_workgroup_id_x();
}
TANDEM_DEVICE u32 block_y() {
  return __builtin_amdgcn_workgroup_id_y();
}
TANDEM_DEVICE u32 block_z() {
  return __builtin_amdgcn_workgroup_id_z();
}
/// Threads of the grid along x.
TANDEM_DEVICE u32 grid_threads() {
  return __builtin_amdgcn_grid_size_x();
}
#endif

/// Before a kernel reads or writes anything. On NVIDIA from sm_90 on a kernel may start before the one ahead of it in
/// the stream has finished; from here on it has, and what it wrote is seen.
TANDEM_DEVICE void wait_for_previous() {
#if TANDEM_NVIDIA && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#elif defined(TANDEM_EMULATED)
  tandem_emulated_machine.note_wait();
#endif
}

/// After `wait_for_previous`: the next kernel may be set up as soon as all blocks have come here.
TANDEM_DEVICE void let_next_start() {
#if TANDEM_NVIDIA && __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}

/// The first statement of kernels for which the moment does not matter.
TANDEM_DEVICE void begin_kernel() {
  wait_for_previous();
  let_next_start();
}

/// All threads of the block have come here, and see what the others wrote to shared memory.
TANDEM_DEVICE void block_barrier() {
#if TANDEM_NVIDIA
  __syncthreads();
#else
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
#endif
}

// --- bits ----------------------------------------------------------------------------------------------------------

template <class To, class From>
TANDEM_DEVICE To bit_cast(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
#if TANDEM_NVIDIA
  To to;
  memcpy(&to, &from, sizeof(To));
  return to;
#else
  return __builtin_bit_cast(To, from);
#endif
}

#if TANDEM_NVIDIA
using u32x4 = uint4;
#elif defined(TANDEM_EMULATED)
using u32x4 = EmulatedU32x4;
#else
typedef u32 u32x4 __attribute__((ext_vector_type(4)));
#endif

TANDEM_DEVICE u32x4 make_u32x4(u32 x, u32 y, u32 z, u32 w) {
  u32x4 v;
  v.x = x;
  v.y = y;
  v.z = z;
  v.w = w;
  return v;
}

/// The low word of `high` and `low`, one 64-bit integer, shifted right by `bits` (below 32).
TANDEM_DEVICE u32 shift_right(u32 low, u32 high, u32 bits) {
#if TANDEM_NVIDIA
  return __funnelshift_r(low, high, bits);
#elif defined(TANDEM_EMULATED)
  return static_cast<u32>((static_cast<u64>(high) << 32 | low) >> bits);
#else
  return __builtin_amdgcn_alignbit(high, low, bits);
#endif
}

/// Keeps a vector packed in its four registers: what was unpacked from it before is not kept for later. `zero` is 0,
/// which the compiler must not know (NVIDIA's assembler looks through anything else).
TANDEM_DEVICE void keep_packed([[maybe_unused]] u32x4& v, [[maybe_unused]] u32 zero) {
#if TANDEM_NVIDIA
  v.x |= zero;
  v.y |= zero;
  v.z |= zero;
  v.w |= zero;
#elif !defined(TANDEM_EMULATED)
  asm volatile("" : "+v"(v));
#endif
}

/// Shared memory whose size the launch says.
#if defined(TANDEM_EMULATED)
#define dynamic_shared static_cast<u32x4*>(tandem_emulated_machine.dynamic_shared)
#else
extern __shared__ u32x4 dynamic_shared[];
#endif

// --- arithmetic ----------------------------------------------------------------------------------------------------
//
// Sources are compiled without contraction of a * b + c, so that one expression gives one result in all kernels; where
// a fused multiply-add is wanted, it is written.

TANDEM_DEVICE float fused_multiply_add(float a, float b, float c) {
#if TANDEM_NVIDIA
  return __fmaf_rn(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}
TANDEM_DEVICE double fused_multiply_add(double a, double b, double c) {
#if TANDEM_NVIDIA
  return __fma_rn(a, b, c);
#else
  return __builtin_fma(a, b, c);
#endif
}

/// 1 / sqrt(x) to within 2 units in the last place, subnormal x included.
TANDEM_DEVICE float reciprocal_sqrt(float x) {
#if TANDEM_NVIDIA
  return rsqrtf(x);
#else
  const bool tiny = x < 0x1p-100f;
  const float root = __builtin_amdgcn_rsqf(tiny ? x * 0x1p48f : x);
  return tiny ? root * 0x1p24f : root;
#endif
}

// --- memory --------------------------------------------------------------------------------------------------------

/// Loads what nobody writes while the kernel runs, nor reads again soon.
TANDEM_DEVICE u32x4 load_once(const u32x4* from) {
#if TANDEM_NVIDIA
  u32x4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(from));
  return v;
#else
  return __builtin_nontemporal_load(from);
#endif
}

/// Stores what nobody reads soon: the line may leave the caches first.
TANDEM_DEVICE void store_streaming(u32x4* to, u32x4 value) {
#if TANDEM_NVIDIA
  __stcs(to, value);
#else
  __builtin_nontemporal_store(value, to);
#endif
}

/// Loads through the read-only path what nobody writes while the kernel runs.
template <class T>
TANDEM_DEVICE T load_constant(const T* from) {
#if TANDEM_NVIDIA
  return __ldg(from);
#else
  return *from;
#endif
}

}  // namespace tandem::gpu
