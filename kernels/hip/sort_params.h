// What the host tells sort and topk; read by host and device.
#pragma once

#include <cstdint>

#include "element_type.h"
#include "walk.h"

namespace tandem::gpu {

/// An element of a line: a number that orders as its value does (NaN last), and where it stood.
struct SortItem {
  std::uint64_t key;
  std::int64_t at;
};

/// Lines that torch_topk sorts in shared memory, and what its stack takes beside a line.
constexpr int torch_topk_shared_items = 1536;
constexpr int torch_topk_stack_items = 128;

/// The first `count` elements of each sorted line. `lines` walks (values, indices, x).
struct SortParams {
  Walk<3> lines;
  const void* x;
  void* values;
  void* indices;  ///< i64
  std::int64_t length, count;
  std::int64_t x_step, values_step, indices_step;
  SortItem* items;  ///< torch_topk: a line's items and stack, where they do not fit into shared memory.
  ElementType type;
  std::uint8_t descending;
  std::uint8_t sorted;  ///< torch_topk: sort what was selected.
};

}  // namespace tandem::gpu
