// Launching.
#include <tandem/runtime/hip/step_launcher.h>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem::hip {

void StreamLauncher::launch(std::string_view kernel, Dim3 grid, Dim3 block, std::uint32_t shared_bytes,
                            const void* params, std::size_t params_size) {
  const auto [function, overlaps] = device_.kernel(kernel);
  const LaunchShape shape{grid, block, shared_bytes, overlaps};
  const Status status = device_.driver().hipModuleLaunchKernel(function, shape, stream_, params, params_size);
  if (status != success)
    check(device_.driver(), status, "hipModuleLaunchKernel",
          fmt::format("{} on {}x{}x{} blocks of {}x{}x{} threads", kernel, grid.x, grid.y, grid.z, block.x, block.y,
                      block.z));
}

void* StreamLauncher::workspace(std::size_t bytes) {
  if (bytes > workspace_bytes_)
    internal_error("a kernel asks for more workspace than it did when it was counted");
  return workspace_;
}

}  // namespace tandem::hip
