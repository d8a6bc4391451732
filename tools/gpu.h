// This machine's GPU, for the command.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/passes/capabilities.h>
#include <tandem/runtime/hip/aiter.h>
#include <tandem/runtime/hip/hip_plan.h>
#include <tandem/runtime/hip/probe.h>

namespace CLI {
class App;
}

namespace tandem::cli {

/// What was found out about a machine: its GPU and AITER.
struct HostReport {
  hip::Probe probe;
  hip::AiterSearch aiter;     ///< From TANDEM_AITER_ADAPTER; the reason also tells of an installed AITER.
  Capabilities capabilities;  ///< Of the GPU where tandem can use it, else of the CPU; reasons filled in.
};

HostReport inspect_host();

/// `parse_target`, but "host" has this machine's GPU in it.
Capabilities resolve_target(const std::string& target);

/// How a graph is run on the GPU.
struct GpuSettings {
  bool allow_host = false;
  bool no_blas = false;
};

/// Declares --allow-host and --no-blas.
void add_gpu_options(CLI::App& app, GpuSettings& settings);

/// Opens the GPU. Throws Error "hip.no-device".
std::shared_ptr<hip::Device> open_gpu();

/// Options for a plan; uploads show their progress on a terminal.
HipPlanOptions gpu_plan_options(const GpuSettings& settings, bool relaxed_numerics);

}  // namespace tandem::cli
