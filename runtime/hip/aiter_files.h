// Whether AITER is installed on this machine, from its files: no Python is run or loaded.
#pragma once

#include <string>
#include <vector>

#include <tandem/ir/export.h>

namespace tandem::hip {

struct AiterInstall {
  std::string package;             ///< The folder of the package; empty when there is none.
  std::string version;             ///< "0.1.16"; empty when unknown.
  std::vector<std::string> archs;  ///< In its built modules, sorted: "gfx942", "gfx950".
  /// How the dual norm is called in this release: "fused_qk_rmsnorm" (0.1.12, 0.1.13), "_fused_qk_rmsnorm over
  /// at::Tensor" (0.1.14, 0.1.15), "_fused_qk_rmsnorm over aiter_tensor_t" (0.1.16 on); empty before.
  std::string entry_point;
  bool built = false;  ///< The module of the dual norm is there, so that its first call does not compile for minutes.
  std::string reason;  ///< When not installed: where was looked. Else what is unclear about it.
};

/// Looks into the folders that Python would search: those of PYTHONPATH, of VIRTUAL_ENV and CONDA_PREFIX, and the
/// system's.
TANDEM_RUNTIME_API AiterInstall find_aiter();
/// Looks into these folders ("site-packages") only.
TANDEM_RUNTIME_API AiterInstall find_aiter(const std::vector<std::string>& folders);

}  // namespace tandem::hip
