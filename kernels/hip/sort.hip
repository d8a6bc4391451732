// Stable sorting by counting: an element's place is the number of those that come before it. As many comparisons as the
// square of the length, none of which waits for another.
#include "element.h"
#include "index.h"
#include "sort_key.h"

namespace tandem::gpu {

namespace {

constexpr int threads = 256;

}  // namespace

/// Grid: (shares of a line, lines, lines / 32,768).
TANDEM_KERNEL(sort, 256, SortParams) {
  __shared__ u64 keys[threads];
  begin_kernel();
  const i64 line = block_y() + static_cast<i64>(block_z()) * 32768;
  if (line >= p.lines.size)
    return;  // the whole block
  i64 at[3] = {};
  locate(p.lines, line, at);
  const i64 own = static_cast<i64>(block_x()) * threads + thread_x();
  const u64 key = own < p.length ? sort_key(p, at[2] + own * p.x_step) : 0;
  i64 place = 0;
  for (i64 first = 0; first < p.length; first += threads) {
    block_barrier();
    const i64 mine = first + thread_x();
    keys[thread_x()] = mine < p.length ? sort_key(p, at[2] + mine * p.x_step) : 0;
    block_barrier();
    const int count = p.length - first < threads ? static_cast<int>(p.length - first) : threads;
    for (int i = 0; i < count; ++i) {
      const bool before = p.descending != 0 ? keys[i] > key : keys[i] < key;
      place += before || (keys[i] == key && first + i < own) ? 1 : 0;
    }
  }
  if (own < p.length && place < p.count)
    write_sorted(p, at, place, own);
}

}  // namespace tandem::gpu
