// Making and destroying streams, events and graphs.
#include <tandem/runtime/hip/stream.h>

namespace tandem::hip {

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    reset();
    device_ = std::move(other.device_);
    handle_ = std::exchange(other.handle_, nullptr);
    destroy_ = other.destroy_;
  }
  return *this;
}

void Handle::reset() {
  if (handle_)
    give_back(*device_, [this] { static_cast<void>((device_->driver().*destroy_)(handle_)); });
  handle_ = nullptr;
}

Handle make_stream(const std::shared_ptr<const Device>& device) {
  const DeviceScope scope(*device);
  void* stream = nullptr;
  TANDEM_HIP(device->driver(), hipStreamCreateWithFlags, &stream, stream_non_blocking);
  return {device, stream, &Driver::hipStreamDestroy};
}

Handle make_event(const std::shared_ptr<const Device>& device, bool timing) {
  const DeviceScope scope(*device);
  void* event = nullptr;
  TANDEM_HIP(device->driver(), hipEventCreateWithFlags, &event, timing ? 0U : event_disable_timing);
  return {device, event, &Driver::hipEventDestroy};
}

bool is_capturing(const Device& device, void* stream) {
  int status = 0;
  TANDEM_HIP(device.driver(), hipStreamIsCapturing, stream, &status);
  return status != 0;
}

Handle record_graph(const std::shared_ptr<const Device>& device, void* stream, const std::function<void()>& enqueue) {
  const Driver& driver = device->driver();
  const DeviceScope scope(*device);
  // Relaxed: other threads of the engine may allocate and copy meanwhile.
  TANDEM_HIP(driver, hipStreamBeginCapture, stream, capture_relaxed);
  void* raw = nullptr;
  try {
    enqueue();
  } catch (...) {
    static_cast<void>(driver.hipStreamEndCapture(stream, &raw));
    const Handle dropped(device, raw, &Driver::hipGraphDestroy);
    throw;
  }
  const Status ended = driver.hipStreamEndCapture(stream, &raw);
  const Handle graph(device, raw, &Driver::hipGraphDestroy);
  check(driver, ended, "hipStreamEndCapture");
  void* executable = nullptr;
  TANDEM_HIP(driver, hipGraphInstantiate, &executable, graph.get());
  return {device, executable, &Driver::hipGraphExecDestroy};
}

}  // namespace tandem::hip
