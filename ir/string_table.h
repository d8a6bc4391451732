// The unique store of strings behind `Context::intern`.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <new>
#include <string_view>
#include <vector>

#include <tandem/ir/growing_array.h>
#include <tandem/ir/symbol.h>

namespace tandem {

/// Strings at addresses that never change, one behind the other in a few large blocks: an allocation and a page here
/// and there for each name would be a good part of what reading a large graph costs.
class TextStore {
 public:
  TextStore() = default;
  TextStore(const TextStore&) = delete;
  TextStore& operator=(const TextStore&) = delete;
  ~TextStore() {
    for (const Block& b : blocks_)
      release_storage(b.start, b.bytes);
  }

  const SymbolText* add(std::string_view text) {
    const std::size_t bytes = (sizeof(SymbolText) + text.size() + alignof(SymbolText) - 1) & ~(alignof(SymbolText) - 1);
    if (bytes > left_)
      add_block(bytes);
    auto* const made = new (next_) SymbolText{text.size()};
    std::memcpy(next_ + sizeof(SymbolText), text.data(), text.size());
    next_ += bytes;
    left_ -= bytes;
    return made;
  }

 private:
  struct Block {
    std::byte* start;
    std::size_t bytes;
  };

  /// As large as all blocks before it.
  void add_block(std::size_t at_least) {
    const std::size_t bytes = storage_bytes(std::max({at_least, total_, std::size_t{4096}}));
    blocks_.reserve(blocks_.size() + 1);
    next_ = static_cast<std::byte*>(grow_storage(nullptr, 0, 0, bytes));
    blocks_.push_back({next_, bytes});
    left_ = bytes;
    total_ += bytes;
  }

  std::vector<Block> blocks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0, total_ = 0;
};

/// Strings by content. An open-addressing table, because every name of a graph passes through here while it is read: a
/// node-based set made reading 116,000 nodes a third slower.
class StringTable {
 public:
  StringTable() { slots_.append(256); }

  const SymbolText* intern(std::string_view text) {
    const std::size_t hash = std::hash<std::string_view>()(text);
    std::size_t i = first_slot(hash);
    for (; slots_[i].text != nullptr; i = next_slot(i)) {
      if (slots_[i].hash == hash && slots_[i].text->view() == text)
        return slots_[i].text;
    }
    const SymbolText* const interned = texts_.add(text);
    slots_[i] = {hash, interned};
    if (2 * ++count_ > slots_.size())
      grow();
    return interned;
  }

 private:
  struct Slot {
    std::size_t hash = 0;
    const SymbolText* text = nullptr;  // null: free
  };

  // The size is a power of two, and at least half of the slots are free.
  std::size_t first_slot(std::size_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t next_slot(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }

  void grow() {
    GrowingArray<Slot> old;
    old.append(2 * slots_.size());
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

  GrowingArray<Slot> slots_;
  std::size_t count_ = 0;
  TextStore texts_;
};

}  // namespace tandem
