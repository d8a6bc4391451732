// Opening a GPU and loading kernels.
#include <tandem/runtime/hip/device.h>

#include <array>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/runtime/hip/probe.h>

namespace tandem::hip {
namespace {

int attribute(const Driver& driver, DeviceAttribute which, int device) {
  int value = 0;
  TANDEM_HIP(driver, hipDeviceGetAttribute, &value, which, device);
  return value;
}

}  // namespace

const CodeObject* find_embedded_code_object(const GpuInfo& device, std::string_view kernel) {
  return find_code_object(device.platform, matching_arch(device), kernel);
}

GpuInfo describe_device(const Driver& driver, int index) {
  GpuInfo info;
  info.platform = driver.platform;
  std::array<char, 256> text{};
  TANDEM_HIP(driver, hipDeviceGetName, text.data(), static_cast<int>(text.size()), index);
  info.name = text.data();
  text = {};
  TANDEM_HIP(driver, hipGetDeviceArch, text.data(), static_cast<int>(text.size()), index);
  const std::string_view arch = text.data();
  info.arch = arch.substr(0, arch.find(':'));
  info.wave_size = attribute(driver, DeviceAttribute::wave_size, index);
  info.multiprocessors = attribute(driver, DeviceAttribute::multiprocessors, index);
  info.max_threads_per_block = attribute(driver, DeviceAttribute::max_threads_per_block, index);
  info.max_shared_bytes = static_cast<std::uint32_t>(attribute(driver, DeviceAttribute::max_shared_bytes, index));
  info.l2_bytes = attribute(driver, DeviceAttribute::l2_bytes, index);
  info.overlaps_launches = attribute(driver, DeviceAttribute::overlaps_launches, index) != 0;
  return info;
}

std::shared_ptr<Device> Device::open(int index) {
  const Probe probe = probe_gpus();
  if (!probe.driver)
    throw Error("hip.no-device", fmt::format("no GPU can be used: {}", probe.reason),
                "run on the CPU, or see `tandem list targets`");
  return open(probe.driver, index);
}

std::shared_ptr<Device> Device::open(std::shared_ptr<const Driver> driver, int index, CodeObjectFinder finder) {
  int count = 0;
  TANDEM_HIP(*driver, hipInit, 0U);
  TANDEM_HIP(*driver, hipGetDeviceCount, &count);
  if (index < 0 || index >= count)
    throw Error("hip.no-device", fmt::format("there is no GPU {}; {} has {}", index, driver->library, count),
                "GPUs are counted from 0");
  return std::shared_ptr<Device>(new Device(std::move(driver), index, std::move(finder)));
}

Device::Device(std::shared_ptr<const Driver> driver, int index, CodeObjectFinder finder)
    : driver_(std::move(driver)), index_(index), info_(describe_device(*driver_, index)), finder_(std::move(finder)) {}

Device::~Device() {
  if (modules_.empty())
    return;
  give_back(*this, [this] {
    for (const auto& [code, module] : modules_)
      static_cast<void>(driver_->hipModuleUnload(module));
  });
}

DeviceMemory Device::memory() const {
  const DeviceScope scope(*this);
  DeviceMemory memory;
  TANDEM_HIP(*driver_, hipMemGetInfo, &memory.free_bytes, &memory.total_bytes);
  return memory;
}

Device::Kernel Device::kernel(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto it = kernels_.find(name); it != kernels_.end())
    return it->second;
  const CodeObject* code = finder_(info_, name);
  if (!code)
    throw Error("hip.no-code", fmt::format("this build has no machine code of '{}' for {}", name, info_.arch),
                "build tandem with a compiler for that GPU (TANDEM_GPU, docs/gpu.md)");
  const DeviceScope scope(*this);
  void*& module = modules_[code->bytes.data()];
  if (!module) {
    void* loaded = nullptr;
    const Status status = driver_->hipModuleLoadData(&loaded, code->bytes.data());
    if (status != success)
      modules_.erase(code->bytes.data());
    check(*driver_, status, "hipModuleLoadData", fmt::format("{} for {}", code->source, code->arch));
    module = loaded;
  }
  Kernel kernel;
  check(*driver_, driver_->hipModuleGetFunction(&kernel.function, module, std::string(name).c_str()),
        "hipModuleGetFunction", name);
  kernel.overlaps = info_.overlaps_launches && code->waits_for_previous;
  kernels_.emplace(name, kernel);
  return kernel;
}

DeviceScope::DeviceScope(const Device& device) : device_(device) {
  check(device.driver(), device.driver().enter(device.index(), &previous_), "hipSetDevice");
}

}  // namespace tandem::hip
