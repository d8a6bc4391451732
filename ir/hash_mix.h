// One step of a hash over words.
#pragma once

#include <cstdint>

namespace tandem {

/// `hash` with `value` mixed into it; for tables of this process, not for what is kept.
constexpr std::uint64_t hash_mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
  return hash ^ (hash >> 29);
}

}  // namespace tandem
