#include <tandem/ir/growing_array.h>

#include <cstdint>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tandem {

namespace {

constexpr std::align_val_t alignment{64};

#if defined(__linux__)

// A block of this many bytes and more is mapped, and consists of whole large pages. What a graph of that size costs is
// the first touch of fresh pages and address translation: 14 us for each page of 4 KiB on the virtual machine where
// tandem is measured, 130 us for one of 2 MiB. Smaller blocks would waste more of a large page than they save.
constexpr std::size_t mapped_bytes = std::size_t{512} << 10;
constexpr std::size_t large_page = std::size_t{2} << 20;

bool is_mapped(std::size_t bytes) {
  return bytes >= mapped_bytes;
}

std::size_t rounded(std::size_t bytes) {
  return (bytes + large_page - 1) / large_page * large_page;
}

/// A fresh block at a multiple of the large page, for large pages are given for whole ones alone.
void* map(std::size_t bytes) {
  void* const wide = mmap(nullptr, bytes + large_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (wide == MAP_FAILED)
    throw std::bad_alloc();
  auto* const first = static_cast<std::byte*>(wide);
  const std::size_t in_front = (large_page - reinterpret_cast<std::uintptr_t>(wide) % large_page) % large_page;
  if (in_front != 0)
    munmap(first, in_front);
  munmap(first + in_front + bytes, large_page - in_front);
  madvise(first + in_front, bytes, MADV_HUGEPAGE);  // a wish: refused where the system has none
  return first + in_front;
}

void* remap(void* old, std::size_t old_bytes, std::size_t new_bytes) {
  if (mremap(old, old_bytes, new_bytes, 0) == old)  // there was room behind it
    return old;
  void* const block = map(new_bytes);
  if (mremap(old, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, block) == MAP_FAILED) {
    munmap(block, new_bytes);
    throw std::bad_alloc();
  }
  return block;
}

void unmap(void* block, std::size_t bytes) noexcept {
  munmap(block, bytes);
}

void advise(void* block, std::size_t bytes) noexcept {
  // The whole large pages within; memory around them may be somebody else's.
  const std::size_t in_front = (large_page - reinterpret_cast<std::uintptr_t>(block) % large_page) % large_page;
  if (bytes >= in_front + large_page)
    madvise(static_cast<std::byte*>(block) + in_front, (bytes - in_front) / large_page * large_page, MADV_HUGEPAGE);
}

#else

bool is_mapped(std::size_t) {
  return false;
}
std::size_t rounded(std::size_t bytes) {
  return bytes;
}
void* map(std::size_t) {
  throw std::bad_alloc();
}
void* remap(void*, std::size_t, std::size_t) {
  throw std::bad_alloc();
}
void unmap(void*, std::size_t) noexcept {}
void advise(void*, std::size_t) noexcept {}

#endif

}  // namespace

std::size_t storage_bytes(std::size_t bytes) {
  return is_mapped(bytes) ? rounded(bytes) : bytes;
}

void* grow_storage(void* old, std::size_t old_bytes, std::size_t used_bytes, std::size_t new_bytes) {
  if (is_mapped(new_bytes) && is_mapped(old_bytes))
    return remap(old, storage_bytes(old_bytes), storage_bytes(new_bytes));
  void* const block = is_mapped(new_bytes) ? map(storage_bytes(new_bytes)) : ::operator new(new_bytes, alignment);
  if (used_bytes != 0)
    std::memcpy(block, old, used_bytes);
  release_storage(old, old_bytes);
  return block;
}

void release_storage(void* block, std::size_t bytes) noexcept {
  if (block == nullptr)
    return;
  if (is_mapped(bytes))
    unmap(block, storage_bytes(bytes));
  else
    ::operator delete(block, alignment);
}

void prefer_large_pages(void* block, std::size_t bytes) noexcept {
  advise(block, bytes);
}

}  // namespace tandem
