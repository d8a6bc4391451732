// Element types of the small floats and how they are read and rounded.
#pragma once

#include "device.h"

namespace tandem::gpu {

/// Two floats rounded to nearest even, the first in the low half. NaN stays NaN.
TANDEM_DEVICE u32 pack_bf16(float low, float high) {
#if TANDEM_NVIDIA
  u32 y;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
  return y;
#elif defined(TANDEM_EMULATED)
  return emulated_bf16(low) | (emulated_bf16(high) << 16);
#else
  typedef float Floats __attribute__((ext_vector_type(2)));
  typedef __bf16 Halves __attribute__((ext_vector_type(2)));
  return bit_cast<u32>(__builtin_convertvector((Floats{low, high}), Halves));
#endif
}
TANDEM_DEVICE u32 pack_f16(float low, float high) {
#if TANDEM_NVIDIA
  u32 y;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
  return y;
#elif defined(TANDEM_EMULATED)
  return emulated_f16(low) | (emulated_f16(high) << 16);
#else
  typedef float Floats __attribute__((ext_vector_type(2)));
  typedef _Float16 Halves __attribute__((ext_vector_type(2)));
  return bit_cast<u32>(__builtin_convertvector((Floats{low, high}), Halves));
#endif
}

/// Elements as they lie in memory.
struct Bf16 {
  u16 bits;
  TANDEM_DEVICE static u32 pack(float low, float high) { return pack_bf16(low, high); }
};
struct F16 {
  u16 bits;
  TANDEM_DEVICE static u32 pack(float low, float high) { return pack_f16(low, high); }
};

TANDEM_DEVICE float to_f32(Bf16 x) {
  return bit_cast<float>(static_cast<u32>(x.bits) << 16);
}
TANDEM_DEVICE float to_f32(F16 x) {
#if TANDEM_NVIDIA
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
  return y;
#elif defined(TANDEM_EMULATED)
  return emulated_f32(x.bits);
#else
  return static_cast<float>(bit_cast<_Float16>(x.bits));
#endif
}
TANDEM_DEVICE float to_f32(float x) {
  return x;
}

/// Rounded to nearest even, once.
template <class T>
TANDEM_DEVICE T from_f32(float value) {
  if constexpr (sizeof(T) == 4)
    return value;
  else
    return T{static_cast<u16>(T::pack(value, 0.0f))};
}

/// Sixteen bytes of elements, and floats.
template <class T>
struct Packed;

template <>
struct Packed<Bf16> {
  static constexpr int count = 8;
  TANDEM_DEVICE static float low(u32 pair) { return bit_cast<float>(pair << 16); }
  TANDEM_DEVICE static float high(u32 pair) { return bit_cast<float>(pair & 0xffff0000U); }
};

template <>
struct Packed<F16> {
  static constexpr int count = 8;
  TANDEM_DEVICE static float low(u32 pair) { return to_f32(F16{static_cast<u16>(pair)}); }
  TANDEM_DEVICE static float high(u32 pair) { return to_f32(F16{static_cast<u16>(pair >> 16)}); }
};

template <>
struct Packed<float> {
  static constexpr int count = 4;
};

template <class T>
TANDEM_DEVICE void unpack(u32x4 v, float (&out)[Packed<T>::count]) {
  if constexpr (Packed<T>::count == 4) {
    out[0] = bit_cast<float>(v.x);
    out[1] = bit_cast<float>(v.y);
    out[2] = bit_cast<float>(v.z);
    out[3] = bit_cast<float>(v.w);
  } else {
    const u32 words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      out[2 * i] = Packed<T>::low(words[i]);
      out[2 * i + 1] = Packed<T>::high(words[i]);
    }
  }
}

template <class T>
TANDEM_DEVICE u32x4 pack(const float (&in)[Packed<T>::count]) {
  if constexpr (Packed<T>::count == 4)
    return make_u32x4(bit_cast<u32>(in[0]), bit_cast<u32>(in[1]), bit_cast<u32>(in[2]), bit_cast<u32>(in[3]));
  else
    return make_u32x4(T::pack(in[0], in[1]), T::pack(in[2], in[3]), T::pack(in[4], in[5]), T::pack(in[6], in[7]));
}

/// Rounded to the type and back, element by element.
template <class T>
TANDEM_DEVICE void round_to(float (&values)[Packed<T>::count]) {
  if constexpr (Packed<T>::count == 8)
    unpack<T>(pack<T>(values), values);
}

}  // namespace tandem::gpu
