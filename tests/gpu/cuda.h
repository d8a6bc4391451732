// An NVIDIA GPU for tests and benchmarks of kernels/hip, without the runtime: the driver, loaded when it is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/kernels/hip/code_objects.h>
#include <tests/gpu/gpu.h>

namespace tandem::test {

/// The first card. Launches go to one stream of its own. Failures of the driver throw std::runtime_error.
class CudaGpu final : public Gpu {
 public:
  /// Null without a driver, a card or code for it; then `reason` says which.
  static std::unique_ptr<CudaGpu> open(std::string& reason);
  ~CudaGpu() override;

  const GpuInfo& device() const override { return info_; }
  using Launcher::launch;
  void launch(std::string_view kernel, Dim3 grid, Dim3 block, std::uint32_t shared_bytes, const void* params,
              std::size_t params_size) override;
  void* workspace(std::size_t bytes) override;
  std::uint32_t* fault() override;

  /// Whether kernels are set up while the one before them runs; on where the card can.
  void set_overlap(bool overlap) { overlap_ = overlap; }

  std::byte* allocate(std::size_t bytes) override;
  void release(std::byte* memory) noexcept override;
  void upload(void* to, const void* from, std::size_t bytes) override;
  void download(void* to, const void* from, std::size_t bytes) override;
  /// From device to device, in the stream.
  void copy(void* to, const void* from, std::size_t bytes);
  void fill(void* to, std::uint8_t value, std::size_t bytes);
  void synchronize();
  std::uint32_t take_fault() override;

  /// Seconds of what `enqueue` puts into the stream, without a graph: the median of `repeats`, after three to warm up.
  double time_stream(const std::function<void()>& enqueue, int repeats);

  /// Seconds of a replay of what `record` launches, as a graph: the median of `repeats`, after three to warm up.
  double time_graph(const std::function<void()>& record, int repeats);

 private:
  struct Driver;
  explicit CudaGpu(std::unique_ptr<Driver> driver);
  void* function(std::string_view kernel);

  std::unique_ptr<Driver> driver_;
  GpuInfo info_;
  std::string arch_;
  bool overlap_ = false;
  std::map<const CodeObject*, void*> modules_;
  std::map<std::string, void*, std::less<>> functions_;
  DeviceBuffer workspace_;
  DeviceBuffer fault_;
};

}  // namespace tandem::test
