// One GPU: what it is, its memory, and the kernels that this build of tandem has for it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <tandem/ir/export.h>
#include <tandem/kernels/hip/code_objects.h>
#include <tandem/kernels/hip/device_info.h>
#include <tandem/runtime/hip/driver.h>

namespace tandem::hip {

struct DeviceMemory {
  std::size_t free_bytes = 0, total_bytes = 0;
};

/// The machine code that holds a kernel for a device; null when there is none.
using CodeObjectFinder = std::function<const CodeObject*(const GpuInfo& device, std::string_view kernel)>;

/// Among the code objects that tandem carries: those of `matching_arch`.
TANDEM_RUNTIME_API const CodeObject* find_embedded_code_object(const GpuInfo& device, std::string_view kernel);

/// May be used from several threads. Whoever needs it keeps it alive.
class TANDEM_EXPORT Device {
 public:
  /// Opens the first GPU that can be used, AMD's before NVIDIA's; `index` counts those of the driver that has one.
  /// Throws Error "hip.no-device" with the reason for each driver, or "hip.call".
  static std::shared_ptr<Device> open(int index = 0);
  /// A GPU of the given driver. Throws Error "hip.no-device", "hip.call".
  static std::shared_ptr<Device> open(std::shared_ptr<const Driver> driver, int index = 0,
                                      CodeObjectFinder finder = find_embedded_code_object);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const GpuInfo& info() const { return info_; }
  const Driver& driver() const { return *driver_; }
  int index() const { return index_; }
  DeviceMemory memory() const;

  /// A kernel by its entry point; its module is loaded when it is first asked for. Throws Error "hip.no-code" when
  /// there is none for this architecture, "hip.call".
  struct Kernel {
    void* function = nullptr;
    bool overlaps = false;  ///< Its launch may overlap with the one ahead.
  };
  Kernel kernel(std::string_view name);

 private:
  Device(std::shared_ptr<const Driver> driver, int index, CodeObjectFinder finder);

  std::shared_ptr<const Driver> driver_;
  int index_;
  GpuInfo info_;
  CodeObjectFinder finder_;
  std::mutex mutex_;
  std::map<const std::byte*, void*> modules_;  ///< By the address of their code.
  std::map<std::string, Kernel, std::less<>> kernels_;
};

/// Makes a device current for this thread while it lives, then the one that was before: an engine's other GPUs are not
/// disturbed.
class TANDEM_EXPORT DeviceScope {
 public:
  explicit DeviceScope(const Device& device);
  ~DeviceScope() { static_cast<void>(device_.driver().leave(previous_)); }
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  const Device& device_;
  void* previous_ = nullptr;
};

/// Calls what gives something of the device back, with the device current where that can be: a destructor has nobody to
/// tell of an error, and must not leak for one.
template <class Call>
void give_back(const Device& device, const Call& call) {
  void* previous = nullptr;
  const bool entered = device.driver().enter(device.index(), &previous) == success;
  call();
  if (entered)
    static_cast<void>(device.driver().leave(previous));
}

}  // namespace tandem::hip
