// Memory of the host: how much there is, and buffers of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <tandem/kernels/tensor.h>

namespace tandem {

/// Bytes that this process may use: the machine's memory or the limit of its control group, whichever is less.
std::int64_t host_memory_limit();

/// Uninitialised memory, 64-byte aligned; null when the system has none. 0 bytes give null.
std::shared_ptr<std::byte> try_allocate(std::int64_t bytes);

/// An uninitialised row-major tensor. Throws Error "run.out-of-memory" that says what it was for.
Tensor allocate_tensor(DType dtype, std::span<const std::int64_t> shape, const char* purpose);

/// Throws Error "run.out-of-memory".
[[noreturn]] void out_of_memory(std::int64_t bytes, const char* purpose);

}  // namespace tandem
