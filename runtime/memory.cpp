// Laying out buffers in an arena.
#include <tandem/runtime/memory.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include <tandem/ir/diagnostic.h>

namespace tandem {
namespace {

constexpr std::int64_t max_total_bytes = std::int64_t{1} << 62;
constexpr std::size_t max_pairs = std::size_t{1} << 22;

using Index = std::uint32_t;

/// Sizes rounded up to the alignment; the sum is checked.
std::vector<std::int64_t> padded_sizes(std::span<const BufferLifetime> buffers, std::int64_t alignment) {
  std::vector<std::int64_t> sizes;
  sizes.reserve(buffers.size());
  std::int64_t total = 0;
  for (const BufferLifetime& b : buffers) {
    if (b.bytes < 0 || b.last < b.first)
      internal_error("a buffer of negative size or lifetime");
    if (b.bytes > max_total_bytes - alignment || total > max_total_bytes - alignment - b.bytes)
      throw Error("run.too-large", "the buffers of one run add up to more than 2^62 bytes");
    sizes.push_back((b.bytes + alignment - 1) / alignment * alignment);
    total += sizes.back();
  }
  return sizes;
}

/// Buffers that take room, by the step at which they are born, larger first.
std::vector<Index> by_birth(std::span<const BufferLifetime> buffers) {
  std::vector<Index> order;
  for (Index i = 0; i < buffers.size(); ++i)
    if (buffers[i].bytes > 0)
      order.push_back(i);
  std::sort(order.begin(), order.end(), [&](Index a, Index b) {
    if (buffers[a].first != buffers[b].first)
      return buffers[a].first < buffers[b].first;
    if (buffers[a].bytes != buffers[b].bytes)
      return buffers[a].bytes > buffers[b].bytes;
    return a < b;
  });
  return order;
}

/// Walks through time: `born(i)` is called for each buffer once all that died before it have been given to `died`.
template <class Born, class Died>
void sweep(std::span<const BufferLifetime> buffers, const std::vector<Index>& order, Born born, Died died) {
  std::set<std::pair<std::int64_t, Index>> alive;
  for (const Index i : order) {
    while (!alive.empty() && alive.begin()->first < buffers[i].first) {
      died(alive.begin()->second);
      alive.erase(alive.begin());
    }
    born(i, alive);
    alive.emplace(buffers[i].last, i);
  }
}

/// For each buffer those that live together with it; empty when there are too many pairs.
std::vector<std::vector<Index>> neighbours(std::span<const BufferLifetime> buffers, const std::vector<Index>& order) {
  std::size_t pairs = 0;
  sweep(
      buffers, order, [&](Index, const auto& alive) { pairs += alive.size(); }, [](Index) {});
  std::vector<std::vector<Index>> out;
  if (pairs > max_pairs)
    return out;
  out.resize(buffers.size());
  sweep(
      buffers, order,
      [&](Index i, const auto& alive) {
        for (const auto& [last, j] : alive) {
          out[i].push_back(j);
          out[j].push_back(i);
        }
      },
      [](Index) {});
  return out;
}

/// Largest first, each into the smallest gap between its neighbours that holds it.
ArenaLayout greedy_by_size(std::span<const BufferLifetime> buffers, const std::vector<std::int64_t>& sizes,
                           std::vector<Index> order, const std::vector<std::vector<Index>>& near) {
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return sizes[a] > sizes[b]; });
  ArenaLayout layout;
  layout.offsets.assign(buffers.size(), 0);
  std::vector<char> placed(buffers.size(), 0);
  std::vector<std::pair<std::int64_t, std::int64_t>> taken;  // [begin, end) of placed neighbours
  for (const Index i : order) {
    taken.clear();
    for (const Index j : near[i])
      if (placed[j])
        taken.emplace_back(layout.offsets[j], layout.offsets[j] + sizes[j]);
    std::sort(taken.begin(), taken.end());
    std::int64_t reached = 0, best = -1, best_gap = 0;
    for (const auto& [begin, end] : taken) {
      const std::int64_t gap = begin - reached;
      if (gap >= sizes[i] && (best < 0 || gap < best_gap)) {
        best = reached;
        best_gap = gap;
      }
      reached = std::max(reached, end);
    }
    layout.offsets[i] = best < 0 ? reached : best;
    layout.bytes = std::max(layout.bytes, layout.offsets[i] + sizes[i]);
    placed[i] = 1;
  }
  return layout;
}

/// The free parts of an arena that grows at its end.
class FreeList {
 public:
  std::int64_t take(std::int64_t size) {
    if (const auto fit = by_size_.lower_bound({size, 0}); fit != by_size_.end()) {
      const auto [room, begin] = *fit;
      remove(begin, room);
      if (room > size)
        insert(begin + size, room - size);
      return begin;
    }
    std::int64_t begin = end_;
    if (!by_begin_.empty()) {  // grow the last free part, if it touches the end
      const auto [last, room] = *by_begin_.rbegin();
      if (last + room == end_) {
        begin = last;
        remove(last, room);
      }
    }
    end_ = begin + size;
    return begin;
  }
  void give_back(std::int64_t begin, std::int64_t size) {
    const auto after = by_begin_.lower_bound(begin);
    std::int64_t end = begin + size;
    if (after != by_begin_.begin()) {
      const auto [before, room] = *std::prev(after);
      if (before + room == begin) {
        remove(before, room);
        begin = before;
      }
    }
    if (const auto it = by_begin_.find(end); it != by_begin_.end()) {
      const std::int64_t room = it->second;
      remove(end, room);
      end += room;
    }
    insert(begin, end - begin);
  }
  std::int64_t end() const { return end_; }

 private:
  void insert(std::int64_t begin, std::int64_t size) {
    by_begin_.emplace(begin, size);
    by_size_.emplace(size, begin);
  }
  void remove(std::int64_t begin, std::int64_t size) {
    by_begin_.erase(begin);
    by_size_.erase({size, begin});
  }
  std::map<std::int64_t, std::int64_t> by_begin_;
  std::set<std::pair<std::int64_t, std::int64_t>> by_size_;
  std::int64_t end_ = 0;
};

/// In order of time, each into the smallest free part that holds it.
ArenaLayout best_fit_in_time(std::span<const BufferLifetime> buffers, const std::vector<std::int64_t>& sizes,
                             const std::vector<Index>& order) {
  ArenaLayout layout;
  layout.offsets.assign(buffers.size(), 0);
  FreeList free;
  sweep(
      buffers, order, [&](Index i, const auto&) { layout.offsets[i] = free.take(sizes[i]); },
      [&](Index i) { free.give_back(layout.offsets[i], sizes[i]); });
  layout.bytes = free.end();
  return layout;
}

}  // namespace

ArenaLayout lay_out_arena(std::span<const BufferLifetime> buffers, std::int64_t alignment) {
  const std::vector<std::int64_t> sizes = padded_sizes(buffers, alignment);
  const std::vector<Index> order = by_birth(buffers);
  ArenaLayout in_time = best_fit_in_time(buffers, sizes, order);
  const std::vector<std::vector<Index>> near = neighbours(buffers, order);
  if (near.empty())
    return in_time;
  ArenaLayout by_size = greedy_by_size(buffers, sizes, order, near);
  return by_size.bytes <= in_time.bytes ? by_size : in_time;
}

std::int64_t peak_live_bytes(std::span<const BufferLifetime> buffers, std::int64_t alignment) {
  const std::vector<std::int64_t> sizes = padded_sizes(buffers, alignment);
  std::int64_t live = 0, peak = 0;
  sweep(
      buffers, by_birth(buffers),
      [&](Index i, const auto&) {
        live += sizes[i];
        peak = std::max(peak, live);
      },
      [&](Index i) { live -= sizes[i]; });
  return peak;
}

}  // namespace tandem
