// HIP's runtime on the emulated GPU, as the shared library that the real one is: with its folder in LD_LIBRARY_PATH,
// `tandem run --device hip` and any engine run on it. TANDEM_EMULATED_WAVE says the lanes of a wave, 64 unless it
// is 32.
//
// The functions, numbers and structures are those of HIP 5.2 to 7 that runtime/hip/driver_amd.cpp uses.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <string>
#include <string_view>

#include <tests/support/emulated_gpu/emulated_gpu.h>

using namespace tandem;
using namespace tandem::test;

namespace {

constexpr int invalid_value = 1, invalid_image = 200, not_found = 500, launch_failure = 719;

bool is_set(const char* variable, std::string_view value) {
  const char* text = std::getenv(variable);
  return text && text == value;
}

struct Runtime {
  Runtime() { gpu.in_two_orders = !is_set("TANDEM_EMULATED_ORDERS", "1"); }

  std::shared_ptr<EmulatedKernels> kernels =
      EmulatedKernels::load(emulated_kernels_path(is_set("TANDEM_EMULATED_WAVE", "32") ? 32 : 64));
  EmulatedGpu gpu{kernels};
  std::shared_ptr<const hip::Driver> driver = gpu.driver();
  std::map<void*, std::string> functions;
};

/// Lives as long as the program: handles are given back while it ends.
Runtime& runtime() {
  static Runtime* const the_one = new Runtime;
  return *the_one;
}

/// Nothing may be thrown into a caller that expects C.
template <class Call>
int guarded(const Call& call) {
  try {
    return call(*runtime().driver);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "emulated GPU: %s\n", error.what());
    return launch_failure;
  }
}

}  // namespace

#define TANDEM_API extern "C" __attribute__((visibility("default")))
#define TANDEM_FORWARD(name, parameters, ...)                                            \
  TANDEM_API int name parameters {                                                       \
    return guarded([&](const hip::Driver& driver) { return driver.name(__VA_ARGS__); }); \
  }

TANDEM_FORWARD(hipInit, (unsigned flags), flags)
TANDEM_FORWARD(hipDriverGetVersion, (int* version), version)
TANDEM_FORWARD(hipGetDeviceCount, (int* count), count)
TANDEM_FORWARD(hipDeviceGetName, (char* name, int size, int device), name, size, device)
TANDEM_FORWARD(hipMemGetInfo, (std::size_t * free, std::size_t* total), free, total)
TANDEM_FORWARD(hipMalloc, (void** memory, std::size_t bytes), memory, bytes)
TANDEM_FORWARD(hipFree, (void* memory), memory)
TANDEM_FORWARD(hipHostMalloc, (void** memory, std::size_t bytes, unsigned flags), memory, bytes, flags)
TANDEM_FORWARD(hipHostFree, (void* memory), memory)
TANDEM_FORWARD(hipMemsetAsync, (void* to, int value, std::size_t bytes, void* stream), to, value, bytes, stream)
TANDEM_FORWARD(hipStreamCreateWithFlags, (void** stream, unsigned flags), stream, flags)
TANDEM_FORWARD(hipStreamDestroy, (void* stream), stream)
TANDEM_FORWARD(hipStreamSynchronize, (void* stream), stream)
TANDEM_FORWARD(hipStreamWaitEvent, (void* stream, void* event, unsigned flags), stream, event, flags)
TANDEM_FORWARD(hipStreamIsCapturing, (void* stream, int* status), stream, status)
TANDEM_FORWARD(hipStreamBeginCapture, (void* stream, int mode), stream, mode)
TANDEM_FORWARD(hipStreamEndCapture, (void* stream, void** graph), stream, graph)
TANDEM_FORWARD(hipEventCreateWithFlags, (void** event, unsigned flags), event, flags)
TANDEM_FORWARD(hipEventDestroy, (void* event), event)
TANDEM_FORWARD(hipEventRecord, (void* event, void* stream), event, stream)
TANDEM_FORWARD(hipEventSynchronize, (void* event), event)
TANDEM_FORWARD(hipEventElapsedTime, (float* milliseconds, void* start, void* stop), milliseconds, start, stop)
TANDEM_FORWARD(hipGraphLaunch, (void* executable, void* stream), executable, stream)
TANDEM_FORWARD(hipGraphExecDestroy, (void* executable), executable)
TANDEM_FORWARD(hipGraphDestroy, (void* graph), graph)
TANDEM_FORWARD(hipModuleUnload, (void* module), module)

/// AMD's machine code, which is looked at no further: kernels are found by name.
TANDEM_API int hipModuleLoadData(void** module, const void* image) {
  constexpr unsigned char elf[] = {0x7f, 'E', 'L', 'F'};
  constexpr std::size_t machine_at = 18;
  constexpr unsigned char amdgpu[] = {0xe0, 0};
  const auto* bytes = static_cast<const unsigned char*>(image);
  if (std::memcmp(bytes, elf, sizeof elf) != 0 || std::memcmp(bytes + machine_at, amdgpu, sizeof amdgpu) != 0)
    return invalid_image;
  return guarded([&](const hip::Driver& driver) { return driver.hipModuleLoadData(module, image); });
}

TANDEM_API int hipModuleGetFunction(void** function, void* module, const char* name) {
  return guarded([&](const hip::Driver& driver) {
    if (!runtime().kernels->find(name))
      return not_found;
    const int status = driver.hipModuleGetFunction(function, module, name);
    runtime().functions[*function] = name;
    return status;
  });
}

TANDEM_API int hipModuleLaunchKernel(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                     unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                                     void* stream, void** arguments, void** /*extra*/) {
  return guarded([&](const hip::Driver& driver) {
    const auto it = runtime().functions.find(function);
    if (it == runtime().functions.end())
      return invalid_value;
    const hip::LaunchShape shape{{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes};
    return driver.hipModuleLaunchKernel(function, shape, stream, arguments[0],
                                        runtime().kernels->find(it->second)->params_size);
  });
}

TANDEM_API int hipMemcpyAsync(void* to, const void* from, std::size_t bytes, int kind, void* stream) {
  return guarded([&](const hip::Driver& driver) {
    return driver.hipMemcpyAsync(to, from, bytes, static_cast<hip::CopyKind>(kind), stream);
  });
}

TANDEM_API int hipGraphInstantiate(void** executable, void* graph, void** /*error_node*/, char* /*log*/,
                                   std::size_t /*log_bytes*/) {
  return guarded([&](const hip::Driver& driver) { return driver.hipGraphInstantiate(executable, graph); });
}

TANDEM_API int hipDeviceGetAttribute(int* value, int attribute, int device) {
  using hip::DeviceAttribute;
  const std::map<int, DeviceAttribute> known{{19, DeviceAttribute::l2_bytes},
                                             {56, DeviceAttribute::max_threads_per_block},
                                             {63, DeviceAttribute::multiprocessors},
                                             {74, DeviceAttribute::max_shared_bytes},
                                             {87, DeviceAttribute::wave_size}};
  const auto it = known.find(attribute);
  if (it == known.end())
    return invalid_value;
  return guarded([&](const hip::Driver& driver) { return driver.hipDeviceGetAttribute(value, it->second, device); });
}

/// hipDeviceProp_t of ROCm 6: the name at its beginning, gcnArchName at 1,160.
TANDEM_API int hipGetDeviceProperties(void* properties, int device) {
  return guarded([&](const hip::Driver& driver) {
    auto* text = static_cast<char*>(properties);
    const int status = driver.hipDeviceGetName(text, 256, device);
    return status != hip::success ? status : driver.hipGetDeviceArch(text + 1160, 256, device);
  });
}

TANDEM_API int hipGetDevice(int* device) {
  return *device = 0, hip::success;
}
TANDEM_API int hipSetDevice(int device) {
  return device == 0 ? hip::success : hip::error_invalid_device;
}
TANDEM_API const char* hipGetErrorName(int status) {
  return status == launch_failure ? "hipErrorLaunchFailure" : runtime().driver->error_name(status);
}
