// Weights and folded values on the GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <tandem/kernels/tensor.h>
#include <tandem/runtime/hip/memory.h>

namespace tandem::hip {

/// Told as data is copied: bytes done and in all.
using UploadProgress = std::function<void(std::size_t done, std::size_t total)>;

/// Copies of host memory, in one piece of device memory. What several views share is copied once.
class StaticData {
 public:
  StaticData() = default;
  /// Copies what the views touch, by way of two pinned buffers, so that reading a mapped file and copying to the device
  /// overlap. Throws Error "hip.out-of-memory", "hip.call".
  StaticData(const std::shared_ptr<const Device>& device, std::span<const TensorView> views,
             const UploadProgress& progress);

  /// Where on the device a byte of the host's data is. It must be one that a view touches.
  std::byte* on_device(const std::byte* host) const;
  std::size_t bytes() const { return buffer_.size(); }

 private:
  struct Region {
    std::uintptr_t begin = 0, end = 0;
    std::size_t offset = 0;  ///< In the buffer, a multiple of 256.
  };
  void copy(const std::shared_ptr<const Device>& device, const UploadProgress& progress);

  std::vector<Region> regions_;  ///< Ordered, without overlaps.
  DeviceBuffer buffer_;
};

}  // namespace tandem::hip
