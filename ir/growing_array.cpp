#include <tandem/ir/growing_array.h>

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tandem {

namespace {

constexpr std::align_val_t alignment{64};

#if defined(__linux__)

// From here on copying costs more than moving pages.
constexpr std::size_t mapped_bytes = std::size_t{1} << 20;
// From here on the time goes into page faults and address translation: ask for large pages. Below that clearing a whole
// large page costs more than the few faults that it saves.
constexpr std::size_t large_page_bytes = std::size_t{16} << 20;

bool is_mapped(std::size_t bytes) {
  return bytes >= mapped_bytes;
}

void* map(std::size_t bytes) {
  void* const block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED)
    throw std::bad_alloc();
  return block;
}

void* remap(void* old, std::size_t old_bytes, std::size_t new_bytes) {
  void* const block = mremap(old, old_bytes, new_bytes, MREMAP_MAYMOVE);
  if (block == MAP_FAILED)
    throw std::bad_alloc();
  return block;
}

void unmap(void* block, std::size_t bytes) noexcept {
  munmap(block, bytes);
}

void prefer_large_pages(void* block, std::size_t bytes) noexcept {
  if (bytes >= large_page_bytes)
    madvise(block, bytes, MADV_HUGEPAGE);  // a wish: refused where the system has none
}

#else

bool is_mapped(std::size_t) {
  return false;
}
void* map(std::size_t) {
  throw std::bad_alloc();
}
void* remap(void*, std::size_t, std::size_t) {
  throw std::bad_alloc();
}
void unmap(void*, std::size_t) noexcept {}
void prefer_large_pages(void*, std::size_t) noexcept {}

#endif

}  // namespace

void* grow_storage(void* old, std::size_t old_bytes, std::size_t used_bytes, std::size_t new_bytes) {
  void* block = nullptr;
  if (is_mapped(new_bytes) && is_mapped(old_bytes)) {
    block = remap(old, old_bytes, new_bytes);
  } else {
    block = is_mapped(new_bytes) ? map(new_bytes) : ::operator new(new_bytes, alignment);
    if (used_bytes != 0)
      std::memcpy(block, old, used_bytes);
    release_storage(old, old_bytes);
  }
  prefer_large_pages(block, new_bytes);
  return block;
}

void release_storage(void* block, std::size_t bytes) noexcept {
  if (block == nullptr)
    return;
  if (is_mapped(bytes))
    unmap(block, bytes);
  else
    ::operator delete(block, alignment);
}

}  // namespace tandem
