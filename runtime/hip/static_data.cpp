// Uploading.
#include <tandem/runtime/hip/static_data.h>

#include <algorithm>
#include <cstring>

#include <tandem/ir/diagnostic.h>
#include <tandem/runtime/buffer_extent.h>
#include <tandem/runtime/hip/stream.h>

namespace tandem::hip {
namespace {

constexpr std::size_t alignment = 256;
constexpr std::size_t staging_bytes = std::size_t{16} << 20;

/// Two pinned buffers that are filled and copied by turns.
class Staging {
 public:
  Staging(const std::shared_ptr<const Device>& device, std::size_t largest) : device_(device) {
    stream_ = make_stream(device);
    for (Half& half : halves_) {
      half.memory = PinnedBuffer(device, std::min(largest, staging_bytes), "copying weights to the GPU");
      half.copied = make_event(device, false);
    }
  }
  ~Staging() { static_cast<void>(device_->driver().hipStreamSynchronize(stream_.get())); }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  std::size_t chunk() const { return halves_[0].memory.size(); }

  void copy(std::byte* to, const std::byte* from, std::size_t bytes) {
    const Driver& driver = device_->driver();
    Half& half = halves_[turn_];
    turn_ = 1 - turn_;
    if (half.busy)
      TANDEM_HIP(driver, hipEventSynchronize, half.copied.get());
    std::memcpy(half.memory.data(), from, bytes);
    TANDEM_HIP(driver, hipMemcpyAsync, to, half.memory.data(), bytes, CopyKind::host_to_device, stream_.get());
    TANDEM_HIP(driver, hipEventRecord, half.copied.get(), stream_.get());
    half.busy = true;
  }
  void finish() { TANDEM_HIP(device_->driver(), hipStreamSynchronize, stream_.get()); }

 private:
  struct Half {
    PinnedBuffer memory;
    Handle copied;
    bool busy = false;
  };
  std::shared_ptr<const Device> device_;
  Half halves_[2];
  Handle stream_;
  std::size_t turn_ = 0;
};

}  // namespace

StaticData::StaticData(const std::shared_ptr<const Device>& device, std::span<const TensorView> views,
                       const UploadProgress& progress) {
  std::vector<Extent> extents;
  for (const TensorView& v : views)
    if (const Extent e = extent(v); e.begin != e.end)
      extents.push_back(e);
  std::sort(extents.begin(), extents.end(), [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  std::size_t total = 0;
  for (const Extent& e : extents) {
    if (regions_.empty() || e.begin >= regions_.back().end)
      regions_.push_back({e.begin, e.end, 0});
    else
      regions_.back().end = std::max(regions_.back().end, e.end);
  }
  for (Region& r : regions_) {
    r.offset = total;
    total += (r.end - r.begin + alignment - 1) / alignment * alignment;
  }
  if (total == 0)
    return;
  buffer_ = DeviceBuffer(device, total, "weights and constants");
  const DeviceScope scope(*device);
  copy(device, progress);
}

void StaticData::copy(const std::shared_ptr<const Device>& device, const UploadProgress& progress) {
  std::size_t largest = 0, total = 0, done = 0;
  for (const Region& r : regions_) {
    largest = std::max<std::size_t>(largest, r.end - r.begin);
    total += r.end - r.begin;
  }
  Staging staging(device, largest);
  for (const Region& r : regions_) {
    const auto* from = reinterpret_cast<const std::byte*>(r.begin);
    for (std::size_t at = 0; at < r.end - r.begin; at += staging.chunk()) {
      const std::size_t bytes = std::min<std::size_t>(staging.chunk(), r.end - r.begin - at);
      staging.copy(buffer_.data() + r.offset + at, from + at, bytes);
      done += bytes;
      if (progress)
        progress(done, total);
    }
  }
  staging.finish();
}

std::byte* StaticData::on_device(const std::byte* host) const {
  const auto address = reinterpret_cast<std::uintptr_t>(host);
  const auto after = std::upper_bound(regions_.begin(), regions_.end(), address,
                                      [](std::uintptr_t a, const Region& r) { return a < r.begin; });
  if (after == regions_.begin() || address >= std::prev(after)->end)
    internal_error("a constant was not copied to the GPU");
  return buffer_.data() + std::prev(after)->offset + (address - std::prev(after)->begin);
}

}  // namespace tandem::hip
