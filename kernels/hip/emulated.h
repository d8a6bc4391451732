// The language of kernels/hip on the CPU: with -DTANDEM_EMULATED=64 (or 32: the lanes of a wave) a .hip source is plain
// C++ that tests can run. It takes AMD's side of device.h; what a compiler for AMD has built in is here, as questions
// to a machine (tests/support/emulated_gpu) that runs the threads of a block in turns.
//
// Instructions behave as the ISA's manual says, flushed subnormals included; where hardware may differ in the last
// place, results are the correctly rounded ones.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "emulated_machine.h"

#define __global__
#define __device__
// One block runs at a time. All shared memory of a module lies in one piece, its thread-local storage, so that the
// machine can fill it with rubbish; AddressSanitizer, which does not look there, gets variables with red zones between
// them.
#if defined(__SANITIZE_ADDRESS__)
#define __shared__ static
#else
#define __shared__ static thread_local
#endif
#define __launch_bounds__(threads)

#if TANDEM_EMULATED == 64
#define __GFX9__ 1
#endif

extern "C" __attribute__((visibility("default"))) TandemEmulatedMachine tandem_emulated_machine;

/// The newest entry point that the module told of.
extern "C" __attribute__((visibility("default"))) const TandemEmulatedKernel* tandem_emulated_kernels;

inline const TandemEmulatedKernel* tandem_add_kernel(TandemEmulatedKernel& kernel) {
  kernel.next = tandem_emulated_kernels;
  return tandem_emulated_kernels = &kernel;
}

#define TANDEM_EMULATED_KERNEL(name, threads, Params)                                                          \
  static void name(const Params& p);                                                                           \
  static TandemEmulatedKernel name##_entry{#name, [](const void* p) { name(*static_cast<const Params*>(p)); }, \
                                           (threads), sizeof(Params), nullptr};                                \
  [[maybe_unused]] static const TandemEmulatedKernel* const name##_added = tandem_add_kernel(name##_entry);    \
  static void name(const Params& p)

namespace tandem::gpu {

/// Sixteen bytes, aligned as loads of that size want them.
struct alignas(16) EmulatedU32x4 {
  unsigned x, y, z, w;
};

}  // namespace tandem::gpu

// --- builtins ------------------------------------------------------------------------------------------------------

inline unsigned __builtin_amdgcn_workitem_id_x() {
  return tandem_emulated_machine.thread[0];
}
inline unsigned __builtin_amdgcn_workitem_id_y() {
  return tandem_emulated_machine.thread[1];
}
inline unsigned __builtin_amdgcn_workgroup_id_x() {
  return tandem_emulated_machine.block[0];
}
inline unsigned __builtin_amdgcn_workgroup_id_y() {
  return tandem_emulated_machine.block[1];
}
inline unsigned __builtin_amdgcn_workgroup_id_z() {
  return tandem_emulated_machine.block[2];
}
inline unsigned __builtin_amdgcn_grid_size_x() {
  return tandem_emulated_machine.grid_size_x;
}

inline void __builtin_amdgcn_fence(int, const char*) {}
inline void __builtin_amdgcn_s_barrier() {
  tandem_emulated_machine.barrier();
}

/// DPP's controls that wave.h uses, by the lane that a lane reads ("Data Parallel Processing" in AMD's ISA manuals).
inline int __builtin_amdgcn_update_dpp(int, int word, int control, int, int, bool) {
  const int lane = static_cast<int>(tandem_emulated_machine.thread[0]) % TANDEM_EMULATED;
  int source = -1;
  if (control <= 0xff)  // quad_perm: two bits for each lane of four
    source = lane / 4 * 4 + (control >> (2 * (lane % 4))) % 4;
  else if (control == 0x140)  // row_mirror
    source = lane / 16 * 16 + 15 - lane % 16;
  else if (control == 0x141)  // row_half_mirror
    source = lane / 8 * 8 + 7 - lane % 8;
  return static_cast<int>(tandem_emulated_machine.exchange(static_cast<unsigned>(word), source, control));
}
inline int __builtin_amdgcn_readlane(int word, int lane) {
  return static_cast<int>(tandem_emulated_machine.exchange(static_cast<unsigned>(word), lane, 0x1000 + lane));
}

/// Subnormal x is read as 0.
inline float __builtin_amdgcn_rsqf(float x) {
  return std::fabs(x) < 0x1p-126f ? std::copysign(HUGE_VALF, x)
                                  : static_cast<float>(1.0 / std::sqrt(static_cast<double>(x)));
}
/// Subnormal results are 0.
inline float __builtin_amdgcn_exp2f(float x) {
  const float y = std::exp2(x);
  return y < 0x1p-126f ? 0.0f : y;
}

template <class T>
T __builtin_nontemporal_load(const T* from) {
  return *from;
}
template <class T>
void __builtin_nontemporal_store(T value, T* to) {
  *to = value;
}

#define __HIP_MEMORY_SCOPE_AGENT 0
inline void __hip_atomic_fetch_max(unsigned long long* at, unsigned long long value, int, int) {
  *at = *at < value ? value : *at;
}
inline void __hip_atomic_fetch_add(unsigned long long* at, unsigned long long value, int, int) {
  *at += value;
}
inline void __hip_atomic_fetch_add(double* at, double value, int, int) {
  tandem_emulated_machine.note_unordered();
  *at += value;
}

// --- conversions ---------------------------------------------------------------------------------------------------

namespace tandem::gpu {

inline unsigned emulated_bits(float x) {
  unsigned bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float emulated_float(unsigned bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

/// To nearest even, NaN to a quiet one.
inline unsigned emulated_bf16(float x) {
  const unsigned bits = emulated_bits(x);
  return x != x ? (bits >> 16) | 0x40U : (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
}
inline unsigned emulated_f16(float x) {
  const unsigned bits = emulated_bits(x);
  const unsigned sign = (bits >> 16) & 0x8000U;
  const float magnitude = std::fabs(x);
  if (x != x)
    return sign | 0x7e00U;
  if (magnitude >= 65520.0f)
    return sign | 0x7c00U;
  if (magnitude < 0x1p-14f)  // units of 2^-24
    return sign | static_cast<unsigned>(std::nearbyint(magnitude * 0x1p24f));
  const unsigned rounded = (bits & 0x7fffffffU) + 0xfffU + ((bits >> 13) & 1U);
  return sign | ((rounded >> 13) - (112U << 10));
}
inline float emulated_f32(unsigned short half) {
  const unsigned sign = (half & 0x8000U) << 16;
  const unsigned exponent = (half >> 10) & 31U;
  const unsigned mantissa = half & 0x3ffU;
  if (exponent == 0)
    return std::copysign(static_cast<float>(mantissa) * 0x1p-24f, emulated_float(sign));
  return emulated_float(sign | (exponent == 31 ? 0x7f800000U : (exponent + 112) << 23) | (mantissa << 13));
}

}  // namespace tandem::gpu
