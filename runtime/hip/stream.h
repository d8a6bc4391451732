// Streams, events and recorded graphs: handles that are destroyed with their owners.
#pragma once

#include <memory>
#include <utility>

#include <tandem/ir/export.h>
#include <tandem/runtime/hip/device.h>

namespace tandem::hip {

/// A handle of a device and the call that destroys it.
class TANDEM_EXPORT Handle {
 public:
  using Destroy = std::function<Status(void*)> Driver::*;

  Handle() = default;
  Handle(std::shared_ptr<const Device> device, void* handle, Destroy destroy)
      : device_(std::move(device)), handle_(handle), destroy_(destroy) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept { *this = std::move(other); }
  Handle& operator=(Handle&& other) noexcept;

  void* get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }
  void reset();

 private:
  std::shared_ptr<const Device> device_;
  void* handle_ = nullptr;
  Destroy destroy_ = nullptr;
};

/// A stream that does not wait for the default stream. Each of these throws Error "hip.call".
TANDEM_RUNTIME_API Handle make_stream(const std::shared_ptr<const Device>& device);
/// With `timing` it can be asked for the time between it and another.
TANDEM_RUNTIME_API Handle make_event(const std::shared_ptr<const Device>& device, bool timing);

/// Whether the stream is being recorded by its owner.
TANDEM_RUNTIME_API bool is_capturing(const Device& device, void* stream);

/// What `enqueue(stream)` puts on a stream, recorded on `stream` and made ready to be launched. Nothing runs. When
/// `enqueue` throws, the recording is ended and dropped first.
TANDEM_RUNTIME_API Handle record_graph(const std::shared_ptr<const Device>& device, void* stream,
                                       const std::function<void()>& enqueue);

}  // namespace tandem::hip
