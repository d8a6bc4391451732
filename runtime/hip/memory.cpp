// Allocating and freeing.
#include <tandem/runtime/hip/memory.h>

#include <utility>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem::hip {
namespace {

[[noreturn]] void out_of_memory(const Device& device, std::size_t bytes, std::string_view purpose) {
  DeviceMemory memory;
  static_cast<void>(device.driver().hipMemGetInfo(&memory.free_bytes, &memory.total_bytes));
  throw Error("hip.out-of-memory",
              fmt::format("the GPU has no {} bytes for {}: {} of its {} bytes are free", bytes, purpose,
                          memory.free_bytes, memory.total_bytes),
              "use smaller sizes, free what else is on the GPU, or use one with more memory");
}

}  // namespace

DeviceBuffer::DeviceBuffer(std::shared_ptr<const Device> device, std::size_t bytes, std::string_view purpose)
    : device_(std::move(device)), size_(bytes) {
  if (bytes == 0)
    return;
  const DeviceScope scope(*device_);
  void* memory = nullptr;
  const Status status = device_->driver().hipMalloc(&memory, bytes);
  if (status == error_out_of_memory)
    out_of_memory(*device_, bytes, purpose);
  check(device_->driver(), status, "hipMalloc", purpose);
  data_ = static_cast<std::byte*>(memory);
}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  if (this != &other) {
    reset();
    device_ = std::move(other.device_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void DeviceBuffer::reset() {
  if (data_)
    give_back(*device_, [this] { static_cast<void>(device_->driver().hipFree(data_)); });
  data_ = nullptr;
  size_ = 0;
}

PinnedBuffer::PinnedBuffer(std::shared_ptr<const Device> device, std::size_t bytes, std::string_view purpose)
    : device_(std::move(device)), size_(bytes) {
  if (bytes == 0)
    return;
  const DeviceScope scope(*device_);
  void* memory = nullptr;
  const Status status = device_->driver().hipHostMalloc(&memory, bytes, 0);
  if (status == error_out_of_memory)
    throw Error("hip.out-of-memory", fmt::format("the host has no {} page-locked bytes for {}", bytes, purpose),
                "raise the limit of locked memory (ulimit -l), or free memory");
  check(device_->driver(), status, "hipHostMalloc", purpose);
  data_ = static_cast<std::byte*>(memory);
}

PinnedBuffer& PinnedBuffer::operator=(PinnedBuffer&& other) noexcept {
  if (this != &other) {
    reset();
    device_ = std::move(other.device_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void PinnedBuffer::reset() {
  if (data_)
    give_back(*device_, [this] { static_cast<void>(device_->driver().hipHostFree(data_)); });
  data_ = nullptr;
  size_ = 0;
}

}  // namespace tandem::hip
