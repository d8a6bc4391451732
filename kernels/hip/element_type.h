// Element types as the host names them to kernels; read by host and device.
#pragma once

#include <cstdint>

namespace tandem::gpu {

/// The values of `tandem::DType` (checked in walk_of.cpp).
enum class ElementType : std::uint8_t {
  f64,
  f32,
  f16,
  bf16,
  f8e4m3,
  f8e4m3fnuz,
  f8e5m2,
  i64,
  i32,
  i16,
  i8,
  u8,
  boolean
};

}  // namespace tandem::gpu
