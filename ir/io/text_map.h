// A hash table from text to small values, for readers: the text stays where it is (in the input), nothing is freed one
// by one, and a lookup touches one cache line in the common case.
#pragma once

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::io {

/// Keys are not copied: they must outlive the table. The hash is seeded by the clock, so that no input can be made whose
/// keys all collide; nothing depends on the order of the slots.
template <class T>
class TextMap {
 public:
  TextMap() : seed_(static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count())) {
    slots_.resize(64);
  }

  /// The value of `key`, or null.
  T* find(std::string_view key) {
    Slot& slot = slot_of(key, hash(key));
    return slot.key == nullptr ? nullptr : &slot.value;
  }
  /// The value of `key`, made if it was not there; true when it was made. Invalidates pointers.
  std::pair<T*, bool> insert(std::string_view key) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    const std::uint64_t h = hash(key);
    Slot& slot = slot_of(key, h);
    if (slot.key != nullptr) return {&slot.value, false};
    slot = {key.empty() ? "" : key.data(), static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(h >> 32), T{}};
    ++size_;
    return {&slot.value, true};
  }
  void reserve(std::size_t n) {
    const std::size_t wanted = std::bit_ceil(2 * (n + 1));
    if (wanted > slots_.size()) rehash(wanted);
  }
  std::size_t size() const { return size_; }

  /// Calls `f(key, value)` for each entry, in no meaningful order.
  template <class F>
  void for_each(F&& f) const {
    for (const Slot& s : slots_) {
      if (s.key != nullptr) f(std::string_view(s.key, s.size), s.value);
    }
  }

 private:
  struct Slot {
    const char* key = nullptr;
    std::uint32_t size = 0;
    std::uint32_t hash = 0;
    T value{};
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
    if (n != 0) std::memcpy(&word, p, n);
    return mix(h ^ word);
  }
  static std::uint64_t mix(std::uint64_t x) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(x ^ 0xa0761d6478bd642fULL) * 0xe7037ed1a0b428dbULL;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  Slot& slot_of(std::string_view key, std::uint64_t h) {
    const auto tag = static_cast<std::uint32_t>(h >> 32);
    for (std::size_t i = h & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      Slot& s = slots_[i];
      if (s.key == nullptr) return s;
      if (s.hash == tag && std::string_view(s.key, s.size) == key) return s;
    }
  }
  void grow() { rehash(slots_.size() * 2); }
  void rehash(std::size_t n) {
    std::vector<Slot> old(n);
    old.swap(slots_);
    for (const Slot& s : old) {
      if (s.key == nullptr) continue;
      const std::string_view key(s.key, s.size);
      slot_of(key, hash(key)) = s;
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
  std::uint64_t seed_;
};

}  // namespace tandem::io
