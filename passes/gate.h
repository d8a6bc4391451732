// Whether a pass or fusion runs, by which rule, and with whose kernel.
//
// The rules, first that applies:
//     flag off                                        off
//     flag on, kernel needed, no provider             Error "gate.no-kernel": a wish is never silently dropped
//     flag on, rounds otherwise, numerics exact       Error "gate.numerics": nor is the contract broken
//     flag on                                         on
//     level below the pass's                          off
//     target's platform not among the pass's          off (auto only; `on` forces it)
//     rounds otherwise, numerics exact                off
//     kernel needed, no provider                      off
//     otherwise                                       on
// A provider counts when it offers the kernel for the target's architecture and dtype, and rounds as the op prescribes
// or `numerics` is relaxed. Among several, the first in `Capabilities::kernels` is taken: AITER before Tandem's own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/ir/dtype.h>
#include <tandem/ir/export.h>
#include <tandem/passes/capabilities.h>
#include <tandem/passes/config.h>

namespace tandem {

/// What a pass or fusion says of itself.
struct GateRequest {
  std::string name;
  OptLevel level = OptLevel::O1;        ///< On from this level, under `auto`.
  std::string flag;                     ///< Empty: it has none.
  std::vector<Platform> platforms;      ///< On under `auto` on these; empty: on all.
  std::string kernel;                   ///< The op that a provider must offer; empty: none.
  std::vector<DType> dtypes;            ///< Of those, one at least must be offered; empty: any.
  Numerics numerics = Numerics::exact;  ///< `relaxed`: it rounds otherwise than what it replaces.
};

/// The provider taken for one dtype.
struct ProviderChoice {
  DType dtype;
  std::string provider;
  friend bool operator==(const ProviderChoice&, const ProviderChoice&) = default;
};

struct GateAnswer {
  bool on = false;
  std::string rule;  ///< In words: "O1 >= O1, rocm, fused_mla_dual_rms_norm from hip (bf16, f16)".
  /// One entry a dtype for which there is a kernel, in the order of the request (or of `all_dtypes`). A match of
  /// another dtype must be refused. Empty when no kernel is needed, or off.
  std::vector<ProviderChoice> providers;
  /// Why other providers were passed over, and what the chosen ones ask for: "aiter (bf16): rounds otherwise on gfx942;
  /// numerics = relaxed admits it".
  std::vector<std::string> notes;

  /// Whether a match of that dtype has a kernel; true for every dtype when no kernel is needed.
  TANDEM_PASSES_API bool admits(DType dtype) const;
  /// The dtypes that it admits, as bits by number.
  TANDEM_PASSES_API std::uint32_t dtype_bits() const;
  bool needs_kernel = false;
};

/// Decides. Throws Error "gate.no-kernel" or "gate.numerics".
TANDEM_PASSES_API GateAnswer decide(const GateRequest& request, const PassConfig& config,
                                    const Capabilities& capabilities);

}  // namespace tandem
