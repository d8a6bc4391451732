// Elements as numbers that order as they do, for sort.hip and torch_topk.hip.
#pragma once

#include "element.h"
#include "sort_params.h"

namespace tandem::gpu {

/// -0 and 0 are equal, and so are all NaNs, which come last.
TANDEM_DEVICE u64 sort_key(const SortParams& p, i64 at) {
  constexpr u64 sign = 0x8000000000000000ULL;
  if (!is_float(p.type))
    return static_cast<u64>(load_integer(p.x, p.type, at)) ^ sign;
  const double value = load_real(p.x, p.type, at);
  if (value != value)
    return ~0ULL;
  const u64 bits = value == 0 ? 0 : bit_cast<u64>(value);
  return (bits & sign) != 0 ? ~bits : bits | sign;
}

/// The element that stood at `from` becomes number `place`. `at`: the line in values, indices and x.
TANDEM_DEVICE void write_sorted(const SortParams& p, const i64 (&at)[3], i64 place, i64 from) {
  const i64 to = at[0] + place * p.values_step;
  const i64 source = at[2] + from * p.x_step;
  switch (size_of(p.type)) {
    case 1: static_cast<u8*>(p.values)[to] = static_cast<const u8*>(p.x)[source]; break;
    case 2: static_cast<u16*>(p.values)[to] = static_cast<const u16*>(p.x)[source]; break;
    case 4: static_cast<u32*>(p.values)[to] = static_cast<const u32*>(p.x)[source]; break;
    default: static_cast<u64*>(p.values)[to] = static_cast<const u64*>(p.x)[source]; break;
  }
  static_cast<i64*>(p.indices)[at[1] + place * p.indices_step] = from;
}

}  // namespace tandem::gpu
