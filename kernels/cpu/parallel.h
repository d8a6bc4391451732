// Loops over several threads. What an item computes never depends on how items are dealt out, so results are the same
// for any number of threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

namespace tandem::cpu {

/// Elements that a task should have at least: below, starting it costs more than it saves.
inline constexpr std::int64_t task_elements = 1 << 15;

/// Calls `body(begin, end)` on ranges that cover [0, items). `cost` is about how many elements an item touches; few and
/// cheap items stay on the calling thread.
template <class Body>
void parallel_for(std::int64_t items, std::int64_t cost, const Body& body) {
  const std::int64_t grain = std::max<std::int64_t>(1, task_elements / std::max<std::int64_t>(1, cost));
  if (items <= grain) {
    if (items > 0)
      body(std::int64_t{0}, items);
    return;
  }
  using Range = oneapi::tbb::blocked_range<std::int64_t>;
  // Isolated: a thread that waits here must not pick up another run's kernel, which would use the same scratch memory.
  oneapi::tbb::this_task_arena::isolate([&] {
    oneapi::tbb::parallel_for(
        Range(0, items, static_cast<std::size_t>(grain)), [&](const Range& r) { body(r.begin(), r.end()); },
        oneapi::tbb::simple_partitioner());
  });
}

}  // namespace tandem::cpu
