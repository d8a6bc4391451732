// A small cache that forgets what was not used for the longest time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tandem {

/// Values by key, at most `capacity` (at least 1). Look-up is a scan: meant for some tens of entries whose keys mostly
/// differ in their first numbers. Finding allocates nothing.
template <class T>
class LruCache {
 public:
  using Key = std::vector<std::int64_t>;

  explicit LruCache(std::size_t capacity) : capacity_(capacity == 0 ? 1 : capacity) {}

  /// Null when there is none. The pointer holds until the next `insert`.
  T* find(const Key& key) {
    for (Entry& e : entries_) {
      if (e.key != key)
        continue;
      e.used = ++clock_;
      return &e.value;
    }
    return nullptr;
  }
  T& insert(Key key, T value) {
    if (entries_.size() == capacity_) {
      std::size_t oldest = 0;
      for (std::size_t i = 1; i < entries_.size(); ++i)
        if (entries_[i].used < entries_[oldest].used)
          oldest = i;
      entries_[oldest] = std::move(entries_.back());
      entries_.pop_back();
    }
    entries_.push_back({std::move(key), std::move(value), ++clock_});
    return entries_.back().value;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Key key;
    T value;
    std::uint64_t used;
  };
  std::vector<Entry> entries_;
  std::size_t capacity_;
  std::uint64_t clock_ = 0;
};

}  // namespace tandem
