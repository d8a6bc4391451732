// Contiguous storage for short runs of elements: the operands of a node, its results, its attributes.
#pragma once

#include <array>
#include <cstdint>

#include <tandem/ir/growing_array.h>

namespace tandem {

/// Hands out runs of elements at stable indices. Freed runs of up to 8 elements are handed out again; longer ones are
/// not (they are rare: a concat of many parts). Elements move when the pool grows: hold indices, not pointers.
/// `Link` keeps an index in an element that nobody holds: the first one of a free run has that of the next free run.
template <class T, class Link>
class BlockPool {
 public:
  BlockPool() { free_.fill(none); }

  /// The index of the first of `n` elements; what they hold is whatever was there before, or T{}.
  std::uint32_t allocate(std::uint32_t n) {
    if (n == 0)
      return 0;
    if (n < free_.size() && free_[n] != none) {
      const std::uint32_t index = free_[n];
      free_[n] = Link::get(elements_[index]);
      return index;
    }
    return static_cast<std::uint32_t>(elements_.append(n));
  }
  void release(std::uint32_t index, std::uint32_t n) {
    if (n == 0 || n >= free_.size())
      return;
    Link::set(elements_[index], free_[n]);
    free_[n] = index;
  }

  const T& operator[](std::size_t i) const { return elements_[i]; }
  T& operator[](std::size_t i) { return elements_[i]; }
  std::size_t size() const { return elements_.size(); }
  const T* data() const { return elements_.data(); }
  T* data() { return elements_.data(); }
  void reserve(std::size_t n) { elements_.reserve(n); }
  std::size_t memory_bytes() const { return elements_.memory_bytes(); }

 private:
  static constexpr std::uint32_t none = 0xffffffffU;

  GrowingArray<T> elements_;
  std::array<std::uint32_t, 9> free_;  // by length: the first free run
};

}  // namespace tandem
