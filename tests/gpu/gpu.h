// A GPU as tests of kernels want it: memory, copies, launches in one stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <tandem/kernels/hip/launch.h>

namespace tandem::test {

/// Failures throw std::runtime_error.
class Gpu : public Launcher {
 public:
  virtual std::byte* allocate(std::size_t bytes) = 0;
  virtual void release(std::byte* memory) noexcept = 0;
  virtual void upload(void* to, const void* from, std::size_t bytes) = 0;
  virtual void download(void* to, const void* from, std::size_t bytes) = 0;
  /// The fault word since the last time; waits for all launches.
  virtual std::uint32_t take_fault() = 0;
  /// Of random cases one in so many is enough, since each takes long.
  virtual int thinning() const { return 1; }
};

/// Device memory, freed with this.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(Gpu& gpu, std::size_t bytes) : gpu_(&gpu), data_(gpu.allocate(bytes)), bytes_(bytes) {}
  ~DeviceBuffer() {
    if (gpu_ != nullptr)
      gpu_->release(data_);
  }
  DeviceBuffer(DeviceBuffer&& other) noexcept { *this = std::move(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(gpu_, other.gpu_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  Gpu* gpu_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace tandem::test
