// Contiguous storage for short runs of elements: the operands of a node, its results, its attributes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tandem {

/// Hands out runs of elements at stable indices. Freed runs of up to 8 elements are handed out again; longer ones are
/// not (they are rare: a concat of many parts). Elements move when the pool grows: hold indices, not pointers.
template <class T>
class BlockPool {
 public:
  /// The index of the first of `n` elements; what they hold is whatever was there before, or T{}.
  std::uint32_t allocate(std::uint32_t n) {
    if (n == 0)
      return 0;
    if (n < free_.size() && !free_[n].empty()) {
      const std::uint32_t index = free_[n].back();
      free_[n].pop_back();
      return index;
    }
    const std::size_t index = used_;
    used_ += n;
    if (used_ > elements_.size())
      elements_.resize(used_ + used_ / 2 + 16);
    return static_cast<std::uint32_t>(index);
  }
  void release(std::uint32_t index, std::uint32_t n) {
    if (n != 0 && n < free_.size())
      free_[n].push_back(index);
  }

  const T& operator[](std::size_t i) const { return elements_[i]; }
  T& operator[](std::size_t i) { return elements_[i]; }
  std::size_t size() const { return used_; }
  const T* data() const { return elements_.data(); }
  T* data() { return elements_.data(); }
  void reserve(std::size_t n) {
    if (n > elements_.size())
      elements_.resize(n);
  }
  std::size_t memory_bytes() const { return elements_.capacity() * sizeof(T); }

 private:
  std::vector<T> elements_;  // those from used_ on were never handed out
  std::size_t used_ = 0;
  std::array<std::vector<std::uint32_t>, 9> free_;
};

}  // namespace tandem
