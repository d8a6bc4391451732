// The GPU machine code that this build of tandem carries.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <tandem/ir/export.h>
#include <tandem/kernels/hip/device_info.h>

namespace tandem {

/// One source of kernels/hip, compiled for one architecture: what hipModuleLoadData or cuModuleLoadData takes.
struct CodeObject {
  GpuPlatform platform;
  std::string_view arch;    ///< "gfx942", "sm_90".
  std::string_view source;  ///< "rms_norm.hip"
  std::span<const std::byte> bytes;
  std::span<const std::string_view> kernels;  ///< Entry points.
  /// All of them begin with `wait_for_previous` (device.h), so that on NVIDIA their launches may overlap with the one
  /// ahead. Without it a kernel could read what is not there yet.
  bool waits_for_previous = false;
};

/// All of them; empty where tandem was built without a GPU compiler.
TANDEM_RUNTIME_API std::span<const CodeObject> code_objects();

/// The architecture among those built whose code runs on a card: "gfx942" itself; on NVIDIA the newest of the same
/// major version that is not newer than the card. Empty when there is none.
TANDEM_RUNTIME_API std::string_view matching_arch(const GpuInfo& device);

/// The code object that holds an entry point for an architecture of `code_objects()`; null when there is none.
TANDEM_RUNTIME_API const CodeObject* find_code_object(GpuPlatform platform, std::string_view arch,
                                                      std::string_view kernel);

}  // namespace tandem
