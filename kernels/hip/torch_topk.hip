// topk in the order that PyTorch's CPU kernel leaves equal elements in (kernels/torch_topk.h): that of libstdc++'s
// partial_sort, nth_element and sort, whose steps are taken here one by one, because models depend on which of several
// equal scores is chosen. A wave a line; one lane does the work, in shared memory where the line fits.
#include "index.h"
#include "sort_key.h"
#include "wave.h"

namespace tandem::gpu {

namespace {

constexpr int shared_items = torch_topk_shared_items;  ///< Lines up to here lie in shared memory.
constexpr int stack_items = torch_topk_stack_items;

/// The algorithms on a line, by positions [first, last).
struct Line {
  SortItem* item;
  SortItem* stack;
  bool descending;

  TANDEM_DEVICE bool before(const SortItem& a, const SortItem& b) const {
    return descending ? a.key > b.key : a.key < b.key;
  }
  TANDEM_DEVICE void swap(i64 i, i64 j) const {
    const SortItem kept = item[i];
    item[i] = item[j];
    item[j] = kept;
  }

  /// Sifts `value` down from `hole` of the heap of `length` items at `first`, and up again.
  TANDEM_DEVICE void adjust_heap(i64 first, i64 hole, i64 length, SortItem value) const {
    const i64 top = hole;
    i64 child = hole;
    while (child < (length - 1) / 2) {
      child = 2 * (child + 1);
      if (before(item[first + child], item[first + child - 1]))
        --child;
      item[first + hole] = item[first + child];
      hole = child;
    }
    if ((length & 1) == 0 && child == (length - 2) / 2) {
      child = 2 * (child + 1);
      item[first + hole] = item[first + child - 1];
      hole = child - 1;
    }
    i64 parent = (hole - 1) / 2;
    while (hole > top && before(item[first + parent], value)) {
      item[first + hole] = item[first + parent];
      hole = parent;
      parent = (hole - 1) / 2;
    }
    item[first + hole] = value;
  }
  TANDEM_DEVICE void pop_heap(i64 first, i64 last, i64 result) const {
    const SortItem value = item[result];
    item[result] = item[first];
    adjust_heap(first, 0, last - first, value);
  }
  TANDEM_DEVICE void heap_select(i64 first, i64 middle, i64 last) const {
    const i64 length = middle - first;
    for (i64 parent = (length - 2) / 2; length >= 2 && parent >= 0; --parent)
      adjust_heap(first, parent, length, item[first + parent]);
    for (i64 i = middle; i < last; ++i)
      if (before(item[i], item[first]))
        pop_heap(first, middle, i);
  }
  TANDEM_DEVICE void partial_sort(i64 first, i64 middle, i64 last) const {
    heap_select(first, middle, last);
    while (middle - first > 1) {
      --middle;
      pop_heap(first, middle, middle);
    }
  }

  TANDEM_DEVICE void median_to_first(i64 result, i64 a, i64 b, i64 c) const {
    i64 median;
    if (before(item[a], item[b]))
      median = before(item[b], item[c]) ? b : before(item[a], item[c]) ? c : a;
    else
      median = before(item[a], item[c]) ? a : before(item[b], item[c]) ? c : b;
    swap(result, median);
  }
  TANDEM_DEVICE i64 partition(i64 first, i64 last) const {
    median_to_first(first, first + 1, first + (last - first) / 2, last - 1);
    const i64 pivot = first++;
    while (true) {
      while (before(item[first], item[pivot]))
        ++first;
      --last;
      while (before(item[pivot], item[last]))
        --last;
      if (first >= last)
        return first;
      swap(first, last);
      ++first;
    }
  }
  /// Moves item i down to its place; something that does not come after it is known to stand below.
  TANDEM_DEVICE void insert(i64 i) const {
    const SortItem value = item[i];
    while (before(value, item[i - 1])) {
      item[i] = item[i - 1];
      --i;
    }
    item[i] = value;
  }
  TANDEM_DEVICE void insertion_sort(i64 first, i64 last) const {
    for (i64 i = first + 1; i < last; ++i) {
      if (before(item[i], item[first])) {
        const SortItem value = item[i];
        for (i64 j = i; j > first; --j)
          item[j] = item[j - 1];
        item[first] = value;
      } else {
        insert(i);
      }
    }
  }
  TANDEM_DEVICE static int depth_limit(i64 length) {
    int depth = 0;
    while (length > 1) {
      length >>= 1;
      depth += 2;
    }
    return depth;
  }
  TANDEM_DEVICE void nth_element(i64 first, i64 nth, i64 last) const {
    for (int depth = depth_limit(last - first); last - first > 3; --depth) {
      if (depth == 0) {
        heap_select(first, nth + 1, last);
        swap(first, nth);
        return;
      }
      const i64 cut = partition(first, last);
      if (cut <= nth)
        first = cut;
      else
        last = cut;
    }
    insertion_sort(first, last);
  }
  TANDEM_DEVICE void sort(i64 first, i64 last) const {
    // Parts that are still to be done wait on a stack: {first, last * 256 + depth}.
    int waiting = 0;
    i64 from = first;
    i64 to = last;
    int depth = depth_limit(last - first);
    while (true) {
      if (to - from > 16 && depth > 0) {
        --depth;
        const i64 cut = partition(from, to);
        stack[waiting++] = {static_cast<u64>(from), cut * 256 + depth};
        from = cut;
        continue;
      }
      if (to - from > 16)
        partial_sort(from, to, to);
      if (waiting == 0)
        break;
      --waiting;
      from = static_cast<i64>(stack[waiting].key);
      to = stack[waiting].at / 256;
      depth = static_cast<int>(stack[waiting].at % 256);
    }
    if (last - first > 16) {
      insertion_sort(first, first + 16);
      for (i64 i = first + 16; i < last; ++i)
        insert(i);
    } else {
      insertion_sort(first, last);
    }
  }
};

}  // namespace

/// Grid: (lines). A block is one wave.
TANDEM_KERNEL(torch_topk, 64, SortParams) {
  __shared__ SortItem shared[shared_items + stack_items];
  begin_kernel();
  const i64 number = block_x();
  i64 at[3] = {};
  locate(p.lines, number, at);
  Line line;
  line.item = p.items == nullptr ? shared : p.items + number * (p.length + stack_items);
  line.stack = line.item + p.length;
  line.descending = p.descending != 0;
  for (i64 i = lane_id(); i < p.length; i += wave_size)
    line.item[i] = {sort_key(p, at[2] + i * p.x_step), i};
  block_barrier();
  if (lane_id() == 0) {
    if (p.count * 64 <= p.length) {
      line.partial_sort(0, p.count, p.length);
    } else {
      line.nth_element(0, p.count - 1, p.length);
      if (p.sorted != 0)
        line.sort(0, p.count - 1);
    }
  }
  block_barrier();
  for (i64 i = lane_id(); i < p.count; i += wave_size)
    write_sorted(p, at, i, line.item[i].at);
}

}  // namespace tandem::gpu
