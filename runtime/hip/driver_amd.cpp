// HIP's runtime, loaded when the program runs.
//
// Only what has been there since ROCm 5.2 under one name and with one signature is used. The numbers of attributes were
// compared between the headers of HIP 5.2, 6.3 and 7.
#include <tandem/runtime/hip/driver.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/runtime/hip/library.h>

namespace tandem::hip {
namespace {

/// hipDeviceAttribute_t
constexpr int hip_attribute(DeviceAttribute attribute) {
  switch (attribute) {
    case DeviceAttribute::wave_size: return 87;
    case DeviceAttribute::multiprocessors: return 63;
    case DeviceAttribute::max_threads_per_block: return 56;
    case DeviceAttribute::max_shared_bytes: return 74;
    case DeviceAttribute::l2_bytes: return 19;
    case DeviceAttribute::overlaps_launches: break;
  }
  return -1;
}

/// Functions whose signatures differ from those of the table.
struct Amd {
  Library library;
  int (*get_attribute)(int*, int, int) = nullptr;
  int (*get_properties)(void*, int) = nullptr;
  int (*instantiate)(void**, void*, void**, char*, std::size_t) = nullptr;
  int (*launch)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**,
                void**) = nullptr;
  int (*copy)(void*, const void*, std::size_t, int, void*) = nullptr;
  int (*get_device)(int*) = nullptr;
  int (*set_device)(int) = nullptr;
  const char* (*error_name)(int) = nullptr;

  /// hipDeviceProp_t differs between releases in everything but that it begins with a name of 256 bytes and holds
  /// gcnArchName further down, the only other text that begins with "gfx".
  Status arch(char* out, int size, int device) const {
    std::array<char, 8192> properties{};
    const Status status = get_properties(properties.data(), device);
    if (status != success)
      return status;
    const std::string_view bytes(properties.data(), properties.size());
    const std::size_t at = bytes.find("gfx", 256);
    if (at == std::string_view::npos || size <= 0)
      return error_invalid_value;
    const std::size_t length = std::min(std::strlen(bytes.data() + at), static_cast<std::size_t>(size) - 1);
    std::memcpy(out, bytes.data() + at, length);
    out[length] = '\0';
    return success;
  }
};

}  // namespace

DriverSearch load_amd_driver() {
  const std::vector<std::string> names{"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so"};
  std::string reason;
  auto amd = std::make_shared<Amd>();
  amd->library = Library::open(names, reason);
  if (!amd->library)
    return {nullptr, reason};
  const Library& library = amd->library;
  auto driver = std::make_shared<Driver>();
  driver->platform = GpuPlatform::rocm;
  driver->library = library.name();

  std::vector<std::string> missing;
  library.load(driver->hipInit, "hipInit", missing);
  library.load(driver->hipDriverGetVersion, "hipDriverGetVersion", missing);
  library.load(driver->hipGetDeviceCount, "hipGetDeviceCount", missing);
  library.load(driver->hipDeviceGetName, "hipDeviceGetName", missing);
  library.load(driver->hipMemGetInfo, "hipMemGetInfo", missing);
  library.load(driver->hipMalloc, "hipMalloc", missing);
  library.load(driver->hipFree, "hipFree", missing);
  library.load(driver->hipHostMalloc, "hipHostMalloc", missing);
  library.load(driver->hipHostFree, "hipHostFree", missing);
  library.load(driver->hipMemsetAsync, "hipMemsetAsync", missing);
  library.load(driver->hipStreamCreateWithFlags, "hipStreamCreateWithFlags", missing);
  library.load(driver->hipStreamDestroy, "hipStreamDestroy", missing);
  library.load(driver->hipStreamSynchronize, "hipStreamSynchronize", missing);
  library.load(driver->hipStreamWaitEvent, "hipStreamWaitEvent", missing);
  library.load(driver->hipStreamIsCapturing, "hipStreamIsCapturing", missing);
  library.load(driver->hipStreamBeginCapture, "hipStreamBeginCapture", missing);
  library.load(driver->hipStreamEndCapture, "hipStreamEndCapture", missing);
  library.load(driver->hipEventCreateWithFlags, "hipEventCreateWithFlags", missing);
  library.load(driver->hipEventDestroy, "hipEventDestroy", missing);
  library.load(driver->hipEventRecord, "hipEventRecord", missing);
  library.load(driver->hipEventSynchronize, "hipEventSynchronize", missing);
  library.load(driver->hipEventElapsedTime, "hipEventElapsedTime", missing);
  library.load(driver->hipGraphLaunch, "hipGraphLaunch", missing);
  library.load(driver->hipGraphExecDestroy, "hipGraphExecDestroy", missing);
  library.load(driver->hipGraphDestroy, "hipGraphDestroy", missing);
  library.load(driver->hipModuleLoadData, "hipModuleLoadData", missing);
  library.load(driver->hipModuleUnload, "hipModuleUnload", missing);
  library.load(driver->hipModuleGetFunction, "hipModuleGetFunction", missing);
  library.load(amd->get_attribute, "hipDeviceGetAttribute", missing);
  library.load(amd->instantiate, "hipGraphInstantiate", missing);
  library.load(amd->launch, "hipModuleLaunchKernel", missing);
  library.load(amd->copy, "hipMemcpyAsync", missing);
  library.load(amd->get_device, "hipGetDevice", missing);
  library.load(amd->set_device, "hipSetDevice", missing);
  library.load(amd->error_name, "hipGetErrorName", missing);
  // From ROCm 6 on the plain name keeps the layout of ROCm 5 for old programs; either serves.
  library.load(amd->get_properties, "hipGetDeviceProperties", missing);
  if (!missing.empty())
    return {nullptr, fmt::format("{} lacks {}; ROCm 5.2 or newer is needed", library.name(), fmt::join(missing, ", "))};

  driver->hipGetDeviceArch = [amd](char* arch, int size, int device) { return amd->arch(arch, size, device); };
  driver->hipDeviceGetAttribute = [amd](int* value, DeviceAttribute attribute, int device) {
    *value = 0;
    return attribute == DeviceAttribute::overlaps_launches
               ? success
               : amd->get_attribute(value, hip_attribute(attribute), device);
  };
  driver->hipMemcpyAsync = [amd](void* to, const void* from, std::size_t bytes, CopyKind kind, void* stream) {
    return amd->copy(to, from, bytes, static_cast<int>(kind), stream);
  };
  driver->hipGraphInstantiate = [amd](void** executable, void* graph) {
    return amd->instantiate(executable, graph, nullptr, nullptr, 0);
  };
  driver->hipModuleLaunchKernel = [amd](void* function, LaunchShape s, void* stream, const void* params, std::size_t) {
    void* arguments[] = {const_cast<void*>(params)};
    return amd->launch(function, s.grid.x, s.grid.y, s.grid.z, s.block.x, s.block.y, s.block.z, s.shared_bytes, stream,
                       arguments, nullptr);
  };
  driver->enter = [amd](int device, void** previous) {
    int current = 0;
    const Status status = amd->get_device(&current);
    *previous = reinterpret_cast<void*>(static_cast<std::intptr_t>(current));
    return status == success && current != device ? amd->set_device(device) : status;
  };
  driver->leave = [amd](void* previous) {
    const int before = static_cast<int>(reinterpret_cast<std::intptr_t>(previous));
    int current = 0;
    const Status status = amd->get_device(&current);
    return status == success && current != before ? amd->set_device(before) : status;
  };
  driver->error_name = [amd](Status status) {
    const char* name = amd->error_name(status);
    return name ? name : "unknown";
  };
  return {std::move(driver), {}};
}

}  // namespace tandem::hip
