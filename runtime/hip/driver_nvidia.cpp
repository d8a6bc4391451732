// HIP's calls on CUDA's driver API. Memory, streams and events are those of the device's primary context, which CUDA's
// runtime uses too: an engine's cudaStream_t and cudaMalloc'ed buffers are good here.
#include <tandem/runtime/hip/driver.h>

#include <map>
#include <mutex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/runtime/hip/cuda_launch.h>
#include <tandem/runtime/hip/library.h>

namespace tandem::hip {
namespace {

using Address = std::uint64_t;  // CUdeviceptr

/// CUdevice_attribute
constexpr int cuda_attribute(DeviceAttribute attribute) {
  switch (attribute) {
    case DeviceAttribute::wave_size: return 10;
    case DeviceAttribute::multiprocessors: return 16;
    case DeviceAttribute::max_threads_per_block: return 1;
    case DeviceAttribute::max_shared_bytes: return 8;
    case DeviceAttribute::l2_bytes: return 38;
    case DeviceAttribute::overlaps_launches: break;
  }
  return -1;
}
constexpr int capability_major = 75, capability_minor = 76;

constexpr int first_version_that_overlaps = 12030;  ///< Before it, not in recorded graphs.

Address address(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p);
}

/// CUDA's functions under the names that the library exports (cuda.h maps cuMemAlloc to cuMemAlloc_v2, and so on).
struct Nvidia {
  Library library;
  int (*init)(unsigned) = nullptr;
  int (*driver_version)(int*) = nullptr;
  int (*device_count)(int*) = nullptr;
  int (*device_get)(int*, int) = nullptr;
  int (*device_name)(char*, int, int) = nullptr;
  int (*device_attribute)(int*, int, int) = nullptr;
  int (*retain)(void**, int) = nullptr;
  int (*release)(int) = nullptr;
  int (*context_get)(void**) = nullptr;
  int (*context_set)(void*) = nullptr;
  int (*mem_info)(std::size_t*, std::size_t*) = nullptr;
  int (*mem_alloc)(Address*, std::size_t) = nullptr;
  int (*mem_free)(Address) = nullptr;
  int (*host_alloc)(void**, std::size_t, unsigned) = nullptr;
  int (*host_free)(void*) = nullptr;
  int (*copy)(Address, Address, std::size_t, void*) = nullptr;
  int (*set)(Address, unsigned char, std::size_t, void*) = nullptr;
  int (*instantiate)(void**, void*, unsigned long long) = nullptr;
  int (*launch)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**,
                void**) = nullptr;
  int (*launch_with)(const CudaLaunchConfig*, void*, void**, void**) = nullptr;  ///< Null in drivers before CUDA 11.8.
  int (*error_name)(int, const char**) = nullptr;

  std::mutex mutex;
  std::map<int, void*> contexts;  ///< Primary contexts in use, by device.

  ~Nvidia() {
    for (const auto& [device, context] : contexts)
      release(device);
  }

  Status context(int device, void** out) {
    const std::lock_guard lock(mutex);
    const auto it = contexts.find(device);
    if (it != contexts.end()) {
      *out = it->second;
      return success;
    }
    const Status status = retain(out, device);
    if (status == success)
      contexts[device] = *out;
    return status;
  }

  /// From sm_90 on.
  Status overlaps(int* out, int device) const {
    int major = 0, version = 0;
    Status status = device_attribute(&major, capability_major, device);
    if (status == success)
      status = driver_version(&version);
    *out = launch_with && major >= 9 && version >= first_version_that_overlaps ? 1 : 0;
    return status;
  }

  Status launch_kernel(void* function, const LaunchShape& s, void* stream, const void* params) const {
    void* arguments[] = {const_cast<void*>(params)};
    if (!s.overlaps)
      return launch(function, s.grid.x, s.grid.y, s.grid.z, s.block.x, s.block.y, s.block.z, s.shared_bytes, stream,
                    arguments, nullptr);
    CudaLaunchAttribute overlap = cuda_overlap();
    const CudaLaunchConfig config{s.grid.x,  s.grid.y,       s.grid.z, s.block.x, s.block.y,
                                  s.block.z, s.shared_bytes, stream,   &overlap,  1};
    return launch_with(&config, function, arguments, nullptr);
  }

  Status arch(char* out, int size, int device) const {
    int major = 0, minor = 0;
    Status status = device_attribute(&major, capability_major, device);
    if (status == success)
      status = device_attribute(&minor, capability_minor, device);
    if (status != success || size <= 0)
      return status != success ? status : error_invalid_value;
    const auto end = fmt::format_to_n(out, static_cast<std::size_t>(size) - 1, "sm_{}{}", major, minor).out;
    *end = '\0';
    return success;
  }
};

std::vector<std::string> load_functions(Nvidia& cuda, Driver& driver) {
  const Library& library = cuda.library;
  std::vector<std::string> missing;
  library.load(cuda.init, "cuInit", missing);
  library.load(cuda.driver_version, "cuDriverGetVersion", missing);
  library.load(cuda.device_count, "cuDeviceGetCount", missing);
  library.load(cuda.device_name, "cuDeviceGetName", missing);
  library.load(cuda.device_attribute, "cuDeviceGetAttribute", missing);
  library.load(cuda.retain, "cuDevicePrimaryCtxRetain", missing);
  library.load(cuda.release, "cuDevicePrimaryCtxRelease_v2", missing);
  library.load(cuda.context_get, "cuCtxGetCurrent", missing);
  library.load(cuda.context_set, "cuCtxSetCurrent", missing);
  library.load(cuda.mem_info, "cuMemGetInfo_v2", missing);
  library.load(cuda.mem_alloc, "cuMemAlloc_v2", missing);
  library.load(cuda.mem_free, "cuMemFree_v2", missing);
  library.load(cuda.host_alloc, "cuMemHostAlloc", missing);
  library.load(cuda.host_free, "cuMemFreeHost", missing);
  library.load(cuda.copy, "cuMemcpyAsync", missing);
  library.load(cuda.set, "cuMemsetD8Async", missing);
  library.load(cuda.instantiate, "cuGraphInstantiateWithFlags", missing);
  library.load(cuda.launch, "cuLaunchKernel", missing);
  std::vector<std::string> optional;
  library.load(cuda.launch_with, "cuLaunchKernelEx", optional);
  library.load(cuda.error_name, "cuGetErrorName", missing);
  library.load(driver.hipStreamCreateWithFlags, "cuStreamCreate", missing);
  library.load(driver.hipStreamDestroy, "cuStreamDestroy_v2", missing);
  library.load(driver.hipStreamSynchronize, "cuStreamSynchronize", missing);
  library.load(driver.hipStreamWaitEvent, "cuStreamWaitEvent", missing);
  library.load(driver.hipStreamIsCapturing, "cuStreamIsCapturing", missing);
  library.load(driver.hipStreamBeginCapture, "cuStreamBeginCapture_v2", missing);
  library.load(driver.hipStreamEndCapture, "cuStreamEndCapture", missing);
  library.load(driver.hipEventCreateWithFlags, "cuEventCreate", missing);
  library.load(driver.hipEventDestroy, "cuEventDestroy_v2", missing);
  library.load(driver.hipEventRecord, "cuEventRecord", missing);
  library.load(driver.hipEventSynchronize, "cuEventSynchronize", missing);
  library.load(driver.hipEventElapsedTime, "cuEventElapsedTime", missing);
  library.load(driver.hipGraphLaunch, "cuGraphLaunch", missing);
  library.load(driver.hipGraphExecDestroy, "cuGraphExecDestroy", missing);
  library.load(driver.hipGraphDestroy, "cuGraphDestroy", missing);
  library.load(driver.hipModuleLoadData, "cuModuleLoadData", missing);
  library.load(driver.hipModuleUnload, "cuModuleUnload", missing);
  library.load(driver.hipModuleGetFunction, "cuModuleGetFunction", missing);
  return missing;
}

}  // namespace

DriverSearch load_nvidia_driver() {
  const std::vector<std::string> names{"libcuda.so.1"};
  std::string reason;
  auto cuda = std::make_shared<Nvidia>();
  cuda->library = Library::open(names, reason);
  if (!cuda->library)
    return {nullptr, reason};
  auto driver = std::make_shared<Driver>();
  driver->platform = GpuPlatform::cuda;
  driver->library = cuda->library.name();
  const std::vector<std::string> missing = load_functions(*cuda, *driver);
  if (!missing.empty())
    return {nullptr, fmt::format("the driver is too old: {} lacks {}; CUDA 11.4 or newer is needed", driver->library,
                                 fmt::join(missing, ", "))};

  driver->hipInit = [cuda](unsigned flags) { return cuda->init(flags); };
  driver->hipDriverGetVersion = [cuda](int* version) { return cuda->driver_version(version); };
  driver->hipGetDeviceCount = [cuda](int* count) { return cuda->device_count(count); };
  driver->hipDeviceGetName = [cuda](char* name, int size, int d) { return cuda->device_name(name, size, d); };
  driver->hipGetDeviceArch = [cuda](char* arch, int size, int d) { return cuda->arch(arch, size, d); };
  driver->hipDeviceGetAttribute = [cuda](int* value, DeviceAttribute attribute, int device) {
    return attribute == DeviceAttribute::overlaps_launches
               ? cuda->overlaps(value, device)
               : cuda->device_attribute(value, cuda_attribute(attribute), device);
  };
  driver->hipMemGetInfo = [cuda](std::size_t* free, std::size_t* total) { return cuda->mem_info(free, total); };
  driver->hipMalloc = [cuda](void** memory, std::size_t bytes) {
    Address at = 0;
    const Status status = cuda->mem_alloc(&at, bytes);
    *memory = reinterpret_cast<void*>(at);
    return status;
  };
  driver->hipFree = [cuda](void* memory) { return cuda->mem_free(address(memory)); };
  driver->hipHostMalloc = [cuda](void** m, std::size_t bytes, unsigned) { return cuda->host_alloc(m, bytes, 1); };
  driver->hipHostFree = [cuda](void* memory) { return cuda->host_free(memory); };
  driver->hipMemcpyAsync = [cuda](void* to, const void* from, std::size_t bytes, CopyKind, void* stream) {
    return cuda->copy(address(to), address(from), bytes, stream);
  };
  driver->hipMemsetAsync = [cuda](void* memory, int value, std::size_t bytes, void* stream) {
    return cuda->set(address(memory), static_cast<unsigned char>(value), bytes, stream);
  };
  driver->hipGraphInstantiate = [cuda](void** executable, void* graph) {
    return cuda->instantiate(executable, graph, 0);
  };
  driver->hipModuleLaunchKernel = [cuda](void* function, LaunchShape shape, void* stream, const void* params,
                                         std::size_t) { return cuda->launch_kernel(function, shape, stream, params); };
  driver->enter = [cuda](int device, void** previous) {
    Status status = cuda->context_get(previous);
    void* context = nullptr;
    if (status == success)
      status = cuda->context(device, &context);
    return status == success && context != *previous ? cuda->context_set(context) : status;
  };
  driver->leave = [cuda](void* previous) { return cuda->context_set(previous); };
  driver->error_name = [cuda](Status status) {
    const char* name = nullptr;
    return cuda->error_name(status, &name) == success && name ? name : "unknown";
  };
  return {std::move(driver), {}};
}

}  // namespace tandem::hip
