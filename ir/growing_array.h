// An array that grows without copying what it holds once it is large.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

#include <tandem/ir/export.h>

namespace tandem {

/// How many bytes a block for `bytes` bytes has: large ones are rounded up to whole large pages.
TANDEM_IR_API std::size_t storage_bytes(std::size_t bytes);

/// Moves a block of storage to one of `new_bytes`, keeping its first `used_bytes`; `old` may be null. Blocks stand at
/// multiples of 64 bytes, so that an element of a cache line's size is read in one. Small blocks come from the heap;
/// large ones are mapped, so that the system moves their pages instead of copying them. Throws std::bad_alloc.
TANDEM_IR_API void* grow_storage(void* old, std::size_t old_bytes, std::size_t used_bytes, std::size_t new_bytes);
TANDEM_IR_API void release_storage(void* block, std::size_t bytes) noexcept;

/// Asks for large pages where a block that somebody else allocated, and that is not written yet, has room for them.
TANDEM_IR_API void prefer_large_pages(void* block, std::size_t bytes) noexcept;

/// A vector of trivially copyable elements whose growth costs no copy of large contents and no writing of room that is
/// not used yet: graphs of a million nodes are built, read and rewritten without a pause.
template <class T>
class GrowingArray {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= 64);

 public:
  GrowingArray() = default;
  /// The copy has room for as much as the original.
  GrowingArray(const GrowingArray& other) {
    reserve(other.capacity_);
    append(other.data_, other.size_);
  }
  GrowingArray(GrowingArray&& other) noexcept { swap(other); }
  GrowingArray& operator=(GrowingArray other) noexcept {
    swap(other);
    return *this;
  }
  ~GrowingArray() { release_storage(data_, capacity_ * sizeof(T)); }

  void swap(GrowingArray& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  const T* data() const { return data_; }
  T* data() { return data_; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T& operator[](std::size_t i) { return data_[i]; }

  void reserve(std::size_t n) {
    if (n <= capacity_)
      return;
    const std::size_t bytes = storage_bytes(n * sizeof(T));
    data_ = static_cast<T*>(grow_storage(data_, capacity_ * sizeof(T), size_ * sizeof(T), bytes));
    capacity_ = bytes / sizeof(T);
  }
  /// Adds `n` elements T{}; the index of the first.
  std::size_t append(std::size_t n) {
    const std::size_t first = size_;
    if (size_ + n > capacity_) [[unlikely]]
      grow(n);
    size_ += n;
    std::uninitialized_value_construct_n(data_ + first, n);
    return first;
  }
  /// Adds `n` elements that the caller writes at once; where they stand.
  T* extend(std::size_t n) {
    if (size_ + n > capacity_) [[unlikely]]
      grow(n);
    T* const first = data_ + size_;
    size_ += n;
    return first;
  }
  /// Adds copies of `n` elements that are not this array's own.
  void append(const T* from, std::size_t n) {
    if (n == 0)
      return;
    if (size_ + n > capacity_) [[unlikely]]
      grow(n);
    std::memcpy(static_cast<void*>(data_ + size_), from, n * sizeof(T));
    size_ += n;
  }
  void push_back(const T& x) {
    if (size_ == capacity_) [[unlikely]]
      grow(1);
    data_[size_++] = x;
  }
  /// Takes the last element off.
  T pop_back() { return data_[--size_]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  void clear() { size_ = 0; }
  std::size_t memory_bytes() const { return capacity_ * sizeof(T); }

 private:
  [[gnu::noinline]] void grow(std::size_t n) {
    // Small ones double, for copying is what they pay with; large ones are held to half of what they hold.
    const bool small = size_ * sizeof(T) < (std::size_t{1} << 16);
    reserve(size_ + n + (small ? size_ + 64 : size_ / 2));
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace tandem
