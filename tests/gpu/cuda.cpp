#include <tests/gpu/cuda.h>

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <tandem/runtime/hip/cuda_launch.h>

namespace tandem::test {

namespace {

// What of CUDA's driver interface is used: its numbers are part of the driver's ABI.
enum DeviceAttribute : int {
  multiprocessor_count = 16,
  l2_cache_size = 38,
  capability_major = 75,
  capability_minor = 76,
};

}  // namespace

struct CudaGpu::Driver {
  using Address = unsigned long long;
  void* library = nullptr;
  void* context = nullptr;
  void* stream = nullptr;
  int device = 0;

  int (*init)(unsigned);
  int (*device_get)(int*, int);
  int (*device_name)(char*, int, int);
  int (*device_attribute)(int*, int, int);
  int (*retain_context)(void**, int);
  int (*set_context)(void*);
  int (*load_module)(void**, const void*);
  int (*get_function)(void**, void*, const char*);
  int (*launch)(const hip::CudaLaunchConfig*, void*, void**, void**);
  int (*allocate)(Address*, std::size_t);
  int (*release)(Address);
  int (*to_device)(Address, const void*, std::size_t);
  int (*to_host)(void*, Address, std::size_t);
  int (*copy)(Address, Address, std::size_t, void*);
  int (*set_bytes)(Address, unsigned char, std::size_t);
  int (*create_stream)(void**, unsigned);
  int (*synchronize)(void*);
  int (*begin_capture)(void*, int);
  int (*end_capture)(void*, void**);
  int (*instantiate)(void**, void*, unsigned long long);
  int (*launch_graph)(void*, void*);
  int (*destroy_graph)(void*);
  int (*destroy_exec)(void*);
  int (*create_event)(void**, unsigned);
  int (*record_event)(void*, void*);
  int (*elapsed)(float*, void*, void*);
  int (*destroy_event)(void*);
  int (*error_name)(int, const char**);

  bool load() {
    library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr)
      return false;
    bool all = true;
    const auto find = [&](auto& function, const char* name) {
      void* symbol = dlsym(library, name);
      all = all && symbol != nullptr;
      std::memcpy(&function, &symbol, sizeof symbol);
    };
    find(init, "cuInit");
    find(device_get, "cuDeviceGet");
    find(device_name, "cuDeviceGetName");
    find(device_attribute, "cuDeviceGetAttribute");
    find(retain_context, "cuDevicePrimaryCtxRetain");
    find(set_context, "cuCtxSetCurrent");
    find(load_module, "cuModuleLoadData");
    find(get_function, "cuModuleGetFunction");
    find(launch, "cuLaunchKernelEx");
    find(allocate, "cuMemAlloc_v2");
    find(release, "cuMemFree_v2");
    find(to_device, "cuMemcpyHtoD_v2");
    find(to_host, "cuMemcpyDtoH_v2");
    find(copy, "cuMemcpyDtoDAsync_v2");
    find(set_bytes, "cuMemsetD8_v2");
    find(create_stream, "cuStreamCreate");
    find(synchronize, "cuStreamSynchronize");
    find(begin_capture, "cuStreamBeginCapture_v2");
    find(end_capture, "cuStreamEndCapture");
    find(instantiate, "cuGraphInstantiateWithFlags");
    find(launch_graph, "cuGraphLaunch");
    find(destroy_graph, "cuGraphDestroy");
    find(destroy_exec, "cuGraphExecDestroy");
    find(create_event, "cuEventCreate");
    find(record_event, "cuEventRecord");
    find(elapsed, "cuEventElapsedTime");
    find(destroy_event, "cuEventDestroy_v2");
    find(error_name, "cuGetErrorName");
    return all;
  }
  void check(int status, const char* what) const {
    if (status == 0)
      return;
    const char* name = nullptr;
    error_name(status, &name);
    throw std::runtime_error(std::string(what) + ": " + (name ? name : std::to_string(status)));
  }
  int attribute(DeviceAttribute which) const {
    int value = 0;
    check(device_attribute(&value, which, device), "cuDeviceGetAttribute");
    return value;
  }
};

namespace {

unsigned long long address(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace

std::byte* CudaGpu::allocate(std::size_t bytes) {
  unsigned long long at = 0;
  driver_->check(driver_->allocate(&at, std::max<std::size_t>(bytes, 1)), "cuMemAlloc");
  return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(at));
}

void CudaGpu::release(std::byte* memory) noexcept {
  driver_->release(address(memory));
}

std::unique_ptr<CudaGpu> CudaGpu::open(std::string& reason) {
  auto driver = std::make_unique<Driver>();
  if (!driver->load()) {
    reason = "no CUDA driver (libcuda.so.1)";
    return nullptr;
  }
  if (driver->init(0) != 0 || driver->device_get(&driver->device, 0) != 0) {
    reason = "no NVIDIA GPU";
    return nullptr;
  }
  std::unique_ptr<CudaGpu> gpu(new CudaGpu(std::move(driver)));
  if (gpu->arch_.empty()) {
    reason = "this build has no code for " + gpu->info_.arch + " (TANDEM_GPU=nvidia)";
    return nullptr;
  }
  return gpu;
}

CudaGpu::CudaGpu(std::unique_ptr<Driver> driver) : driver_(std::move(driver)) {
  driver_->check(driver_->retain_context(&driver_->context, driver_->device), "cuDevicePrimaryCtxRetain");
  driver_->check(driver_->set_context(driver_->context), "cuCtxSetCurrent");
  driver_->check(driver_->create_stream(&driver_->stream, 1), "cuStreamCreate");
  char name[256] = {};
  driver_->check(driver_->device_name(name, sizeof name, driver_->device), "cuDeviceGetName");
  const int major = driver_->attribute(capability_major);
  info_.platform = GpuPlatform::cuda;
  info_.name = name;
  info_.arch = "sm_" + std::to_string(10 * major + driver_->attribute(capability_minor));
  info_.wave_size = 32;
  info_.multiprocessors = driver_->attribute(multiprocessor_count);
  info_.l2_bytes = driver_->attribute(l2_cache_size);
  arch_ = matching_arch(info_);
  overlap_ = major >= 9;
  fault_ = DeviceBuffer(*this, sizeof(std::uint32_t));
  fill(fault_.data(), 0, sizeof(std::uint32_t));
}

CudaGpu::~CudaGpu() = default;

void* CudaGpu::function(std::string_view kernel) {
  if (const auto known = functions_.find(kernel); known != functions_.end())
    return known->second;
  const CodeObject* object = find_code_object(info_.platform, arch_, kernel);
  if (object == nullptr)
    throw std::runtime_error("there is no kernel " + std::string(kernel));
  void*& module = modules_[object];
  if (module == nullptr)
    driver_->check(driver_->load_module(&module, object->bytes.data()), "cuModuleLoadData");
  void* function = nullptr;
  driver_->check(driver_->get_function(&function, module, std::string(kernel).c_str()), "cuModuleGetFunction");
  return functions_.emplace(kernel, function).first->second;
}

void CudaGpu::launch(std::string_view kernel, Dim3 grid, Dim3 block, std::uint32_t shared_bytes, const void* params,
                     std::size_t) {
  hip::CudaLaunchAttribute overlap = hip::cuda_overlap();
  const hip::CudaLaunchConfig config{grid.x,  grid.y,       grid.z,          block.x,  block.y,
                                     block.z, shared_bytes, driver_->stream, &overlap, overlap_ ? 1U : 0U};
  void* arguments[] = {const_cast<void*>(params)};
  driver_->check(driver_->launch(&config, function(kernel), arguments, nullptr), std::string(kernel).c_str());
}

void* CudaGpu::workspace(std::size_t bytes) {
  if (bytes > workspace_.bytes()) {
    synchronize();
    workspace_ = DeviceBuffer(*this, bytes);
  }
  return workspace_.data();
}

std::uint32_t* CudaGpu::fault() {
  return reinterpret_cast<std::uint32_t*>(fault_.data());
}

void CudaGpu::upload(void* to, const void* from, std::size_t bytes) {
  if (bytes != 0)
    driver_->check(driver_->to_device(address(to), from, bytes), "cuMemcpyHtoD");
}
void CudaGpu::download(void* to, const void* from, std::size_t bytes) {
  synchronize();
  if (bytes != 0)
    driver_->check(driver_->to_host(to, address(from), bytes), "cuMemcpyDtoH");
}
void CudaGpu::copy(void* to, const void* from, std::size_t bytes) {
  driver_->check(driver_->copy(address(to), address(from), bytes, driver_->stream), "cuMemcpyDtoDAsync");
}
void CudaGpu::fill(void* to, std::uint8_t value, std::size_t bytes) {
  if (bytes != 0)
    driver_->check(driver_->set_bytes(address(to), value, bytes), "cuMemsetD8");
  driver_->check(driver_->synchronize(nullptr), "cuStreamSynchronize");
}
void CudaGpu::synchronize() {
  driver_->check(driver_->synchronize(driver_->stream), "cuStreamSynchronize");
}
std::uint32_t CudaGpu::take_fault() {
  std::uint32_t word = 0;
  download(&word, fault_.data(), sizeof word);
  fill(fault_.data(), 0, sizeof word);
  return word;
}

double CudaGpu::time_stream(const std::function<void()>& enqueue, int repeats) {
  const Driver& d = *driver_;
  void* begin = nullptr;
  void* end = nullptr;
  d.check(d.create_event(&begin, 0), "cuEventCreate");
  d.check(d.create_event(&end, 0), "cuEventCreate");
  std::vector<float> milliseconds;
  for (int i = -3; i < repeats; ++i) {
    d.check(d.record_event(begin, d.stream), "cuEventRecord");
    enqueue();
    d.check(d.record_event(end, d.stream), "cuEventRecord");
    synchronize();
    float time = 0;
    d.check(d.elapsed(&time, begin, end), "cuEventElapsedTime");
    if (i >= 0)
      milliseconds.push_back(time);
  }
  d.destroy_event(begin);
  d.destroy_event(end);
  std::ranges::sort(milliseconds);
  return static_cast<double>(milliseconds[milliseconds.size() / 2]) * 1e-3;
}

double CudaGpu::time_graph(const std::function<void()>& record, int repeats) {
  const Driver& d = *driver_;
  void* graph = nullptr;
  void* exec = nullptr;
  constexpr int thread_local_mode = 1;
  record();  // modules are loaded outside the capture
  synchronize();
  d.check(d.begin_capture(d.stream, thread_local_mode), "cuStreamBeginCapture");
  record();
  d.check(d.end_capture(d.stream, &graph), "cuStreamEndCapture");
  d.check(d.instantiate(&exec, graph, 0), "cuGraphInstantiate");
  const double seconds = time_stream([&] { d.check(d.launch_graph(exec, d.stream), "cuGraphLaunch"); }, repeats);
  d.destroy_exec(exec);
  d.destroy_graph(graph);
  return seconds;
}

}  // namespace tandem::test
