// Scratch memory of kernels: per thread, kept from call to call, so that a warm kernel allocates nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tandem::cpu {

/// What the memory is for: a thread may hold one piece of each at a time. `shared` is for what a kernel prepares before
/// it starts its threads; the others are for the threads' bodies, which start none themselves.
enum class Scratch : std::uint8_t { a, b, c, d, shared, shared_second, shared_indices, count_ };

/// `count` elements, uninitialised, 64-byte aligned; valid until the thread asks for the same piece again.
template <class T>
T* scratch(Scratch piece, std::int64_t count) {
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  thread_local std::vector<Line> pieces[static_cast<std::size_t>(Scratch::count_)];
  std::vector<Line>& p = pieces[static_cast<std::size_t>(piece)];
  const std::size_t lines = (static_cast<std::size_t>(count) * sizeof(T) + sizeof(Line) - 1) / sizeof(Line);
  if (p.size() < lines) {
    p.clear();
    p.resize(lines);
  }
  return reinterpret_cast<T*>(p.data());
}

}  // namespace tandem::cpu
