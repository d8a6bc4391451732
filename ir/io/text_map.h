// A hash table from text to small values, for readers: the text stays where it is (in the input), nothing is freed one
// by one, and slots are small, so that most of a large table's stay in the cache.
#pragma once

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include <tandem/ir/growing_array.h>

namespace tandem::io {

/// Keys are not copied: they must outlive the table. The hash is seeded by the clock, so that no input can be made
/// whose keys all collide; nothing depends on the order of the slots. At most 2^32 - 2 entries.
template <class T>
class TextMap {
 public:
  TextMap() : seed_(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())) {
    slots_.append(64);
  }

  /// The value of `key`, or null.
  T* find(std::string_view key) {
    const Slot& slot = slot_of(key, hash(key));
    return slot.entry == 0 ? nullptr : &entries_[slot.entry - 1].value;
  }
  /// The value of `key`, made if it was not there; true when it was made. Invalidates pointers.
  std::pair<T*, bool> insert(std::string_view key) {
    if (2 * (entries_.size() + 1) > slots_.size())
      rehash(slots_.size() * 2);
    const std::uint64_t h = hash(key);
    Slot& slot = slot_of(key, h);
    if (slot.entry != 0)
      return {&entries_[slot.entry - 1].value, false};
    entries_.push_back({key, T{}});
    slot = {tag_of(h), static_cast<std::uint32_t>(entries_.size())};
    return {&entries_[entries_.size() - 1].value, true};
  }
  void reserve(std::size_t n) {
    entries_.reserve(n);
    const std::size_t wanted = std::bit_ceil(2 * (n + 1));
    if (wanted > slots_.size())
      rehash(wanted);
  }
  std::size_t size() const { return entries_.size(); }

  /// Calls `f(key, value)` for each entry, in the order in which they were made.
  template <class F>
  void for_each(F&& f) const {
    for (const Entry& e : entries_)
      f(e.key, e.value);
  }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t entry = 0;  ///< One more than its index; 0 is none.
  };
  struct Entry {
    std::string_view key;
    T value;
  };

  // Eight bytes a step, each mixed by a 64 x 64 -> 128 bit product (as wyhash does).
  std::uint64_t hash(std::string_view s) const {
    std::uint64_t h = seed_ ^ (s.size() * 0x9e3779b97f4a7c15ULL);
    const char* p = s.data();
    std::size_t n = s.size();
    for (; n >= 8; n -= 8, p += 8) {
      std::uint64_t word;
      std::memcpy(&word, p, 8);
      h = mix(h ^ word);
    }
    std::uint64_t word = 0;
    if (n != 0)
      std::memcpy(&word, p, n);
    return mix(h ^ word);
  }
  static std::uint64_t mix(std::uint64_t x) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(x ^ 0xa0761d6478bd642fULL) * 0xe7037ed1a0b428dbULL;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  static std::uint32_t tag_of(std::uint64_t h) { return static_cast<std::uint32_t>(h >> 32); }

  Slot& slot_of(std::string_view key, std::uint64_t h) {
    for (std::size_t i = h & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      Slot& s = slots_[i];
      if (s.entry == 0 || (s.tag == tag_of(h) && entries_[s.entry - 1].key == key))
        return s;
    }
  }
  void rehash(std::size_t n) {
    slots_.clear();
    slots_.append(n);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const std::uint64_t h = hash(entries_[i].key);
      std::size_t at = h & (n - 1);
      while (slots_[at].entry != 0)
        at = (at + 1) & (n - 1);
      slots_[at] = {tag_of(h), static_cast<std::uint32_t>(i + 1)};
    }
  }

  GrowingArray<Slot> slots_;
  GrowingArray<Entry> entries_;
  std::uint64_t seed_;
};

}  // namespace tandem::io
