// What a target can do, as plain data: its platform and architecture, AITER if it is there, and the kernels on offer.
//
// Passes decide by this and by nothing else: they never probe a device. Capabilities are detected on the machine at
// hand, or named ("rocm:gfx942,aiter=0.1.16") to compile for a machine that is elsewhere. An engine with kernels of its
// own adds rows to `kernels`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/dtype.h>
#include <tandem/ir/export.h>

namespace tandem {

enum class Platform : std::uint8_t { cpu, cuda, rocm };

/// "cpu", "cuda", "rocm"
TANDEM_PASSES_API std::string_view to_string(Platform platform);

/// Whether a kernel rounds as the op's semantics say, or otherwise; the latter needs `Numerics::relaxed`.
enum class Rounding : std::uint8_t { exact, relaxed };

/// A kernel that a provider offers for an op.
struct KernelOffer {
  std::string op{};
  std::string provider{};            ///< "aiter", "hip", "cpu", "reference", or an engine's own.
  std::vector<std::string> archs{};  ///< Empty: every architecture of the platform.
  std::vector<DType> dtypes{};       ///< Of all the floating-point operands, which are of one dtype.
  Rounding rounding = Rounding::exact;
  std::int64_t max_hidden = 0;               ///< Longest last axis that it takes; 0: any.
  std::int64_t max_rows = 0;                 ///< Most rows that it takes; 0: any.
  std::vector<std::string> preconditions{};  ///< What else must hold for a call, in words, with the source.
};

/// AITER, AMD's library of tuned operators (github.com/ROCm/aiter).
struct AiterInfo {
  bool present = false;
  std::string version;                    ///< "0.1.16"
  std::vector<std::string> entry_points;  ///< The functions that it has for the kernels on offer.
  std::string reason;                     ///< When absent, or present but of no use here: why.
};

struct Capabilities {
  Platform platform = Platform::cpu;
  std::string arch;  ///< "gfx942", "sm_90", "x86_64"
  AiterInfo aiter;
  /// Every kernel that the platform's providers have, those for other architectures among them (so that a decision can
  /// say "hip has it for gfx942, not for gfx1030"). Earlier rows are preferred.
  std::vector<KernelOffer> kernels;

  /// The canonical target text, "rocm:gfx942,aiter=0.1.16": `parse_target` gives the same capabilities back, unless
  /// `kernels` was edited.
  TANDEM_PASSES_API std::string target() const;
};

/// "rocm:gfx942", "rocm:gfx950,aiter=0.1.16", "cuda:sm_90", "cpu", "cpu:x86_64", "host" (= `detect_capabilities()`). An
/// architecture may carry the feature suffix that HIP reports ("gfx942:sramecc+:xnack-"), which is dropped. Throws
/// Error "target.syntax", "target.unknown-platform", "target.missing-arch", "target.unknown-arch",
/// "target.unknown-option" or "target.version".
TANDEM_PASSES_API Capabilities parse_target(std::string_view text);

/// What this machine can do. A GPU is reported only by a build that can drive one; until then that is the CPU.
TANDEM_PASSES_API Capabilities detect_capabilities();

/// A target that `parse_target` knows.
struct NamedTarget {
  Platform platform;
  std::string_view arch;
  std::string_view hardware;  ///< "AMD Instinct MI300A, MI300X, MI325X"
};

/// Every platform and architecture that can be named.
TANDEM_PASSES_API std::span<const NamedTarget> named_targets();

/// A release number such as "0.1.20.post1", compared part by part; "0.1" equals "0.1.0".
struct Version {
  std::uint32_t major = 0, minor = 0, patch = 0, post = 0;
  friend constexpr auto operator<=>(const Version&, const Version&) = default;
};

/// "0.1.16", "v0.1.16", "0.1.20.post1"; empty for anything else.
TANDEM_PASSES_API std::optional<Version> parse_version(std::string_view text);

/// Adds what AITER of that version offers on that architecture to `capabilities` (before all other rows), or the reason
/// why nothing. Throws Error "target.version" for text that is no version.
TANDEM_PASSES_API void add_aiter(Capabilities& capabilities, std::string_view version);

}  // namespace tandem
