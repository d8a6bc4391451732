// Which GPU this machine has and whether tandem can use it, without touching it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/kernels/hip/device_info.h>
#include <tandem/runtime/hip/driver.h>

namespace tandem::hip {

/// One driver's answer.
struct DriverReport {
  GpuPlatform platform = GpuPlatform::rocm;
  std::string library;  ///< Empty when it is not there.
  int version = 0;      ///< As the driver counts: 60241134 (HIP), 13000 (CUDA).
  std::vector<GpuInfo> devices;
  bool usable = false;  ///< A device is there, and this build has machine code for it.
  std::string reason;   ///< When not usable: why.
};

struct Probe {
  std::shared_ptr<const Driver> driver;  ///< The first that is usable; null when none is.
  GpuInfo device;                        ///< Its first device.
  std::vector<DriverReport> reports;     ///< AMD's, then NVIDIA's.
  std::string reason;                    ///< When none is usable: each driver's reason.

  /// As `parse_target` of the passes reads it: "rocm:gfx942", "cuda:sm_90", "cpu". The architecture is the one whose
  /// machine code runs: "cuda:sm_90" on a newer card of that family.
  TANDEM_RUNTIME_API std::string target() const;
};

/// Asks AMD's driver, then NVIDIA's. Never throws: what goes wrong is a reason.
TANDEM_RUNTIME_API Probe probe_gpus();

/// The same for given drivers. `arch_of` gives the architecture of this build's machine code that runs on a device, ""
/// when there is none.
TANDEM_RUNTIME_API Probe probe_gpus(const std::vector<std::pair<GpuPlatform, DriverSearch>>& drivers,
                                    const std::function<std::string(const GpuInfo&)>& arch_of);

/// Throws Error "hip.call".
GpuInfo describe_device(const Driver& driver, int index);

}  // namespace tandem::hip
