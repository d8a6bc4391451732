// The unique store of strings behind `Context::intern`.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

/// Strings by content, at addresses that never change. An open-addressing table, because every name of a graph passes
/// through here while it is read: a node-based set made reading 116,000 nodes a third slower.
class StringTable {
 public:
  StringTable() : slots_(256) {}

  const std::string* intern(std::string_view text) {
    const std::size_t hash = std::hash<std::string_view>()(text);
    std::size_t i = first_slot(hash);
    for (; slots_[i].text != nullptr; i = next_slot(i)) {
      if (slots_[i].hash == hash && *slots_[i].text == text)
        return slots_[i].text;
    }
    const std::string* interned = &strings_.emplace_back(text);
    slots_[i] = {hash, interned};
    if (2 * strings_.size() > slots_.size())
      grow();
    return interned;
  }

 private:
  struct Slot {
    std::size_t hash = 0;
    const std::string* text = nullptr;  // null: free
  };

  // The size is a power of two, and at least half of the slots are free.
  std::size_t first_slot(std::size_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t next_slot(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }

  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.text == nullptr)
        continue;
      std::size_t i = first_slot(slot.hash);
      while (slots_[i].text != nullptr)
        i = next_slot(i);
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::deque<std::string> strings_;
};

}  // namespace tandem
