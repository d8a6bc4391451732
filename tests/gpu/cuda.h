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
#include <tandem/kernels/hip/launch.h>

namespace tandem::test {

class Gpu;

/// Device memory, freed with this.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(Gpu& gpu, std::size_t bytes);
  ~DeviceBuffer();
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

/// The first card. Launches go to one stream of its own. Failures of the driver throw std::runtime_error.
class Gpu final : public Launcher {
 public:
  /// Null without a driver, a card or code for it; then `reason` says which.
  static std::unique_ptr<Gpu> open(std::string& reason);
  ~Gpu() override;

  const GpuInfo& device() const override { return info_; }
  using Launcher::launch;
  void launch(std::string_view kernel, Dim3 grid, Dim3 block, std::uint32_t shared_bytes, const void* params,
              std::size_t params_size) override;
  void* workspace(std::size_t bytes) override;
  std::uint32_t* fault() override;

  /// Whether kernels are set up while the one before them runs; on where the card can.
  void set_overlap(bool overlap) { overlap_ = overlap; }

  void upload(void* to, const void* from, std::size_t bytes);
  void download(void* to, const void* from, std::size_t bytes);
  /// From device to device, in the stream.
  void copy(void* to, const void* from, std::size_t bytes);
  void fill(void* to, std::uint8_t value, std::size_t bytes);
  void synchronize();
  /// The fault word since the last time; waits for all launches.
  std::uint32_t take_fault();

  /// Seconds of what `enqueue` puts into the stream, without a graph: the median of `repeats`, after three to warm up.
  double time_stream(const std::function<void()>& enqueue, int repeats);

  /// Seconds of a replay of what `record` launches, as a graph: the median of `repeats`, after three to warm up.
  double time_graph(const std::function<void()>& record, int repeats);

 private:
  friend class DeviceBuffer;
  struct Driver;
  explicit Gpu(std::unique_ptr<Driver> driver);
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
