// Carries out what kernels ask for, or only finds out what that would be.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <tandem/kernels/hip/launch.h>
#include <tandem/runtime/hip/device.h>

namespace tandem::hip {

/// Launches on a stream. The workspace must have been counted before.
class StreamLauncher final : public Launcher {
 public:
  StreamLauncher(Device& device, void* stream, std::byte* workspace, std::size_t workspace_bytes)
      : device_(device), stream_(stream), workspace_(workspace), workspace_bytes_(workspace_bytes) {}

  void set_fault(std::uint32_t* word) { fault_ = word; }

  const GpuInfo& device() const override { return device_.info(); }
  void launch(std::string_view kernel, Dim3 grid, Dim3 block, std::uint32_t shared_bytes, const void* params,
              std::size_t params_size) override;
  void* workspace(std::size_t bytes) override;
  std::uint32_t* fault() override { return fault_; }

 private:
  Device& device_;
  void* stream_;
  std::byte* workspace_;
  std::size_t workspace_bytes_;
  std::uint32_t* fault_ = nullptr;
};

/// Launches nothing: loads the kernels and counts the workspace.
class CountingLauncher final : public Launcher {
 public:
  explicit CountingLauncher(Device& device) : device_(device) {}

  std::size_t workspace_bytes() const { return workspace_bytes_; }
  bool uses_fault() const { return uses_fault_; }
  std::size_t launches() const { return launches_; }

  const GpuInfo& device() const override { return device_.info(); }
  void launch(std::string_view kernel, Dim3, Dim3, std::uint32_t, const void*, std::size_t) override {
    device_.kernel(kernel);
    ++launches_;
  }
  void* workspace(std::size_t bytes) override {
    workspace_bytes_ = std::max(workspace_bytes_, bytes);
    return placeholder();
  }
  std::uint32_t* fault() override {
    uses_fault_ = true;
    return static_cast<std::uint32_t*>(placeholder());
  }

 private:
  /// Aligned as real memory is, and never read.
  static void* placeholder() { return reinterpret_cast<void*>(std::uintptr_t{1} << 12); }

  Device& device_;
  std::size_t workspace_bytes_ = 0, launches_ = 0;
  bool uses_fault_ = false;
};

}  // namespace tandem::hip
