// Finding and describing the GPU.
#include <tandem/tools/gpu.h>

#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <tandem/kernels/hip/launch.h>
#include <tandem/runtime/hip/aiter_files.h>
#include <tandem/tools/console.h>

namespace tandem::cli {
namespace {

/// AITER as an adapter offers it, or why it is of no use.
hip::AiterSearch find_aiter_adapter(const hip::Probe& probe) {
  const char* path = std::getenv("TANDEM_AITER_ADAPTER");
  if (path && *path)
    return hip::AiterAdapter::load(path, probe.device.arch, 0);
  const hip::AiterInstall install = hip::find_aiter();
  if (install.package.empty())
    return {nullptr, fmt::format("{}; no adapter is named (TANDEM_AITER_ADAPTER)", install.reason)};
  return {nullptr, fmt::format("AITER {} is installed in {}{}{}, but no adapter is named (TANDEM_AITER_ADAPTER)",
                               install.version.empty() ? "of unknown version" : install.version, install.package,
                               install.archs.empty() ? "" : fmt::format(" for {}", fmt::join(install.archs, ", ")),
                               install.reason.empty() ? "" : fmt::format(" ({})", install.reason))};
}

}  // namespace

HostReport inspect_host() {
  HostReport report;
  report.probe = hip::probe_gpus();
  Capabilities& c = report.capabilities;
  if (!report.probe.driver) {
    c = detect_capabilities();
    c.aiter.reason = fmt::format("no GPU is used: {}", report.probe.reason);
    return report;
  }
  c = parse_target(report.probe.target());
  if (c.platform == Platform::rocm) {
    report.aiter = find_aiter_adapter(report.probe);
    if (report.aiter.adapter)
      add_aiter(c, report.aiter.adapter->version());
    else
      c.aiter.reason = report.aiter.reason;
  }
  const HipKernelTable kernels = hip_kernels();
  std::erase_if(c.kernels,
                [&](const KernelOffer& offer) { return offer.provider == "hip" && !kernels.find(offer.op); });
  return report;
}

Capabilities resolve_target(const std::string& target) {
  return target == "host" ? inspect_host().capabilities : parse_target(target);
}

void add_gpu_options(CLI::App& app, GpuSettings& settings) {
  app.add_flag("--allow-host", settings.allow_host, "With hip: let the CPU compute nodes that have no GPU kernel");
  app.add_flag("--no-blas", settings.no_blas,
               "With hip: matrix products by tandem's own kernels, by no vendor's library");
}

std::shared_ptr<hip::Device> open_gpu() {
  return hip::Device::open();
}

HipPlanOptions gpu_plan_options(const GpuSettings& settings, bool relaxed_numerics) {
  HipPlanOptions options;
  options.allow_host = settings.allow_host;
  options.relaxed_numerics = relaxed_numerics;
  options.blas = settings.no_blas ? HipPlanOptions::Blas::off : HipPlanOptions::Blas::automatic;
  options.on_upload = [progress = std::make_shared<Progress>("copying weights to the GPU, MiB")](
                          std::size_t done, std::size_t total) { progress->step(done >> 20, total >> 20); };
  if (const HostReport host = inspect_host(); host.aiter.adapter)
    options.aiter = host.aiter.adapter;
  return options;
}

}  // namespace tandem::cli
