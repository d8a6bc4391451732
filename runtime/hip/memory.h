// Memory of the GPU, and memory of the host that the GPU copies from and to at full speed.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <tandem/ir/export.h>
#include <tandem/runtime/hip/device.h>

namespace tandem::hip {

/// Uninitialised memory on a device, aligned to 256 bytes. Freed with it, once the device has done what was asked of it
/// before.
class TANDEM_EXPORT DeviceBuffer {
 public:
  DeviceBuffer() = default;
  /// 0 bytes give none. Throws Error "hip.out-of-memory" that says what it was for and what there is, or "hip.call".
  DeviceBuffer(std::shared_ptr<const Device> device, std::size_t bytes, std::string_view purpose);
  ~DeviceBuffer() { reset(); }
  DeviceBuffer(DeviceBuffer&& other) noexcept { *this = std::move(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  void reset();

 private:
  std::shared_ptr<const Device> device_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Page-locked memory of the host.
class TANDEM_EXPORT PinnedBuffer {
 public:
  PinnedBuffer() = default;
  PinnedBuffer(std::shared_ptr<const Device> device, std::size_t bytes, std::string_view purpose);
  ~PinnedBuffer() { reset(); }
  PinnedBuffer(PinnedBuffer&& other) noexcept { *this = std::move(other); }
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  void reset();

 private:
  std::shared_ptr<const Device> device_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tandem::hip
