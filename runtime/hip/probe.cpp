// Asking drivers for their devices.
#include <tandem/runtime/hip/probe.h>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/hip/code_objects.h>

namespace tandem::hip {
namespace {

std::string_view vendor(GpuPlatform platform) {
  return platform == GpuPlatform::rocm ? "AMD" : "NVIDIA";
}

void ask(const Driver& driver, DriverReport& report, const std::function<std::string(const GpuInfo&)>& arch_of) {
  report.library = driver.library;
  // Any failure here means "none": a library without a device or with a driver of another version says so in many ways.
  if (const Status status = driver.hipInit(0); status != success) {
    report.reason = status == error_no_device || status == error_invalid_device
                        ? fmt::format("{} finds no device", driver.library)
                        : fmt::format("{} does not start: {} ({})", driver.library, status, driver.error_name(status));
    return;
  }
  if (driver.hipDriverGetVersion(&report.version) != success)
    report.version = 0;
  int count = 0;
  if (const Status status = driver.hipGetDeviceCount(&count); status != success && status != error_no_device) {
    report.reason = fmt::format("{} counts no devices: {} ({})", driver.library, status, driver.error_name(status));
    return;
  }
  if (count <= 0) {
    report.reason = fmt::format("{} finds no device", driver.library);
    return;
  }
  for (int i = 0; i < count; ++i)
    report.devices.push_back(describe_device(driver, i));
  const GpuInfo& first = report.devices.front();
  report.usable = !arch_of(first).empty();
  if (!report.usable)
    report.reason = fmt::format("this build has no machine code for {} ({})", first.arch, first.name);
}

}  // namespace

std::string Probe::target() const {
  if (!driver)
    return "cpu";
  return fmt::format("{}:{}", device.platform == GpuPlatform::rocm ? "rocm" : "cuda", device.arch);
}

Probe probe_gpus(const std::vector<std::pair<GpuPlatform, DriverSearch>>& drivers,
                 const std::function<std::string(const GpuInfo&)>& arch_of) {
  Probe probe;
  for (const auto& [platform, search] : drivers) {
    DriverReport& report = probe.reports.emplace_back();
    report.platform = platform;
    report.reason = search.reason;
    if (search.driver) {
      try {
        ask(*search.driver, report, arch_of);
      } catch (const Error& error) {
        report.devices.clear();
        report.reason = error.diagnostics().front().message;
      }
    }
    if (report.usable && !probe.driver) {
      probe.driver = search.driver;
      probe.device = report.devices.front();
      probe.device.arch = arch_of(probe.device);
    }
  }
  if (!probe.driver)
    for (const DriverReport& report : probe.reports)
      probe.reason += fmt::format("{}{}: {}", probe.reason.empty() ? "" : "; ", vendor(report.platform), report.reason);
  return probe;
}

Probe probe_gpus() {
  const auto arch_of = [](const GpuInfo& device) { return std::string(matching_arch(device)); };
  // AMD's first. NVIDIA's library is not even opened where that is usable.
  std::vector<std::pair<GpuPlatform, DriverSearch>> drivers{{GpuPlatform::rocm, load_amd_driver()}};
  Probe probe = probe_gpus(drivers, arch_of);
  if (probe.driver)
    return probe;
  drivers.emplace_back(GpuPlatform::cuda, load_nvidia_driver());
  return probe_gpus(drivers, arch_of);
}

}  // namespace tandem::hip
