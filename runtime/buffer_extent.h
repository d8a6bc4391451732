// Which bytes a view touches: to refuse buffers that overlap.
#pragma once

#include <cstdint>

#include <tandem/kernels/tensor.h>

namespace tandem {

/// The bytes that a view can touch: [begin, end). Strides are not negative in what tandem makes, but may be in a
/// caller's.
struct Extent {
  std::uintptr_t begin = 0, end = 0;
  bool meets(const Extent& other) const { return begin < other.end && other.begin < end; }
};

Extent extent(const TensorView& v);

/// True when no two elements share a place: each stride steps over all that smaller strides reach.
bool elements_are_distinct(const TensorView& v);

}  // namespace tandem
