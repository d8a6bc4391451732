// Integer arithmetic that wraps around, as tensors of integers do.
#pragma once

#include <cstdint>

namespace tandem::cpu {

using Int = std::int64_t;

/// A sum, difference or product of `unsigned_of` integers as an integer.
constexpr Int wrapped(std::uint64_t v) {
  return static_cast<Int>(v);
}
constexpr std::uint64_t unsigned_of(Int v) {
  return static_cast<std::uint64_t>(v);
}

}  // namespace tandem::cpu
