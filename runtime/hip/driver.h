// A GPU's driver as a table of functions, filled when the program runs.
//
// Tandem is built without a vendor's headers and linked to none of their libraries: a machine that has none still runs
// all else. On AMD the table holds HIP's own functions (libamdhip64, ROCm 5.2 to 7); on NVIDIA thin adapters of CUDA's
// driver API (libcuda). A table is a value: an engine may wrap its calls, and the tests bring one that needs no GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/kernels/hip/launch.h>

namespace tandem::hip {

/// A hipError_t, or on NVIDIA a CUresult; those that tandem tells apart have one number in both.
using Status = int;
inline constexpr Status success = 0;
inline constexpr Status error_invalid_value = 1;
inline constexpr Status error_out_of_memory = 2;
inline constexpr Status error_no_device = 100;
inline constexpr Status error_invalid_device = 101;  ///< What HIP says, too, where there is none.

enum class DeviceAttribute : std::uint8_t {
  wave_size,
  multiprocessors,
  max_threads_per_block,
  max_shared_bytes,
  l2_bytes,
  overlaps_launches,  ///< 1: takes `LaunchShape::overlaps`. No attribute of HIP's.
};

/// As hipMemcpyKind.
enum class CopyKind : int { host_to_host = 0, host_to_device = 1, device_to_host = 2, device_to_device = 3 };

struct LaunchShape {
  Dim3 grid, block;
  std::uint32_t shared_bytes = 0;
  bool overlaps = false;  ///< May start before the launch ahead has finished; the kernel waits for that itself.
};

inline constexpr unsigned stream_non_blocking = 1;
inline constexpr unsigned event_disable_timing = 2;
inline constexpr int capture_relaxed = 2;

/// All members are set and may be called from several threads.
struct Driver {
  GpuPlatform platform = GpuPlatform::rocm;
  std::string library;  ///< "libamdhip64.so.6"

#define TANDEM_HIP_CALL(name, parameters) std::function<Status parameters> name;
#include <tandem/runtime/hip/driver_calls.def>
#undef TANDEM_HIP_CALL

  /// Makes a device current for the calling thread and tells what was; `leave` restores it.
  std::function<Status(int device, void** previous)> enter;
  std::function<Status(void* previous)> leave;
  /// "hipErrorOutOfMemory"; never null.
  std::function<const char*(Status)> error_name;
};

/// A driver, or why there is none.
struct DriverSearch {
  std::shared_ptr<const Driver> driver;
  std::string reason;  ///< "libcuda.so.1 is not there"
};

/// Loads AMD's runtime: the first of libamdhip64.so.7, .6, .5 and libamdhip64.so that is there, by the usual rules of
/// the system's loader.
TANDEM_RUNTIME_API DriverSearch load_amd_driver();
/// Loads NVIDIA's driver, libcuda.so.1.
TANDEM_RUNTIME_API DriverSearch load_nvidia_driver();

/// Throws Error "hip.call" unless `status` is success: "hipMalloc failed with 700 (hipErrorIllegalAddress)". `purpose`
/// says what the call was for.
TANDEM_RUNTIME_API void check(const Driver& driver, Status status, std::string_view call,
                              std::string_view purpose = {});

/// Calls `driver.call(arguments)` and checks it.
#define TANDEM_HIP(driver, call, ...) ::tandem::hip::check((driver), (driver).call(__VA_ARGS__), #call)

}  // namespace tandem::hip
