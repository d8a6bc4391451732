// A hash set that only grows, for interning: readers take no lock. Internal to ir.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tandem {

/// Pointers to entries that somebody else owns and that have a member `std::uint64_t hash`. Any number of threads may
/// call `find`; `insert` is for one at a time. A reader that misses an entry being inserted just now must look again
/// under the writers' lock before it inserts its own.
template <class Entry>
class InsertOnlySet {
 public:
  InsertOnlySet() { grow(64); }

  /// The entry of this hash for which `equals` holds, or null.
  template <class Equals>
  const Entry* find(std::uint64_t hash, const Equals& equals) const {
    const Slots& slots = *current_.load(std::memory_order_acquire);
    for (std::size_t i = hash & slots.mask;; i = (i + 1) & slots.mask) {
      const Entry* entry = slots.entries[i].load(std::memory_order_acquire);
      if (entry == nullptr)
        return nullptr;
      if (entry->hash == hash && equals(*entry))
        return entry;
    }
  }

  void insert(const Entry* entry) {
    if (2 * (count_ + 1) > generations_.back()->mask + 1)
      grow(2 * (generations_.back()->mask + 1));
    place(*generations_.back(), entry);
    ++count_;
  }

 private:
  struct Slots {
    explicit Slots(std::size_t size) : mask(size - 1), entries(new std::atomic<const Entry*>[size]()) {}
    std::size_t mask;  ///< Size minus one; the size is a power of two.
    std::unique_ptr<std::atomic<const Entry*>[]> entries;
  };

  static void place(Slots& slots, const Entry* entry) {
    std::size_t i = entry->hash & slots.mask;
    while (slots.entries[i].load(std::memory_order_relaxed) != nullptr)
      i = (i + 1) & slots.mask;
    slots.entries[i].store(entry, std::memory_order_release);
  }

  // The old slots stay, since readers may be in them. In all they are no larger than the new ones.
  void grow(std::size_t size) {
    auto larger = std::make_unique<Slots>(size);
    if (!generations_.empty()) {
      const Slots& old = *generations_.back();
      for (std::size_t i = 0; i <= old.mask; ++i)
        if (const Entry* entry = old.entries[i].load(std::memory_order_relaxed))
          place(*larger, entry);
    }
    generations_.push_back(std::move(larger));
    current_.store(generations_.back().get(), std::memory_order_release);
  }

  std::vector<std::unique_ptr<Slots>> generations_;
  std::atomic<const Slots*> current_{nullptr};
  std::size_t count_ = 0;
};

}  // namespace tandem
