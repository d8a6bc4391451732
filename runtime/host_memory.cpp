// Asking the system for memory (Linux; elsewhere POSIX).
#include <tandem/runtime/host_memory.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <new>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {
namespace {

constexpr std::align_val_t buffer_alignment{64};

/// The number in a control group's file; the largest when there is none or it says "max".
std::int64_t read_limit(const char* path) {
  std::ifstream file(path);
  std::int64_t limit = 0;
  return file >> limit && limit > 0 ? limit : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

std::int64_t host_memory_limit() {
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();
  const long pages = ::sysconf(_SC_PHYS_PAGES), page_size = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_size > 0)
    limit = std::int64_t{pages} * page_size;
  limit = std::min(limit, read_limit("/sys/fs/cgroup/memory.max"));                    // version 2
  limit = std::min(limit, read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes"));  // version 1
  return limit;
}

std::shared_ptr<std::byte> try_allocate(std::int64_t bytes) {
  if (bytes <= 0)
    return nullptr;
  void* p = ::operator new(static_cast<std::size_t>(bytes), buffer_alignment, std::nothrow);
  if (!p)
    return nullptr;
  return {static_cast<std::byte*>(p), [](std::byte* q) { ::operator delete(q, buffer_alignment); }};
}

Tensor allocate_tensor(DType dtype, std::span<const std::int64_t> shape, const char* purpose) {
  TensorView view = make_view(nullptr, dtype, shape);
  const std::int64_t bytes = view.size() * static_cast<std::int64_t>(byte_size(dtype));
  std::shared_ptr<std::byte> memory = try_allocate(bytes);
  if (!memory && bytes > 0)
    out_of_memory(bytes, purpose);
  view.data = memory.get();
  return {view, std::move(memory)};
}

void out_of_memory(std::int64_t bytes, const char* purpose) {
  throw Error("run.out-of-memory", fmt::format("the system has no {} bytes for {}", bytes, purpose),
              "use smaller sizes, or a machine with more memory");
}

}  // namespace tandem
