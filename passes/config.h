// What the user asked of the passes: a level, a numerics contract and tri-state flags.
//
//     PassConfig config;
//     config.level = OptLevel::O1;
//     config.flags["fuse_mla_dual_rms_norm"] = Toggle::on;
//
// Flags are looked up by name, because a fusion that a user loads brings its own. A name that nothing answers to is an
// error (`check_flags`), never ignored.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include <tandem/ir/export.h>

namespace tandem {

/// O0 verifies and changes nothing; O1 adds what costs no accuracy and little time; O2 and O3 are for what costs more.
enum class OptLevel : std::uint8_t { O0, O1, O2, O3 };

/// What a flag says: follow the rule of the pass, or force it.
enum class Toggle : std::uint8_t { automatic, on, off };

/// `exact`: a rewrite keeps every rounding that the graph prescribes. `relaxed`: a kernel may round otherwise, such as
/// AITER's norms on gfx942, which truncate to bf16.
enum class Numerics : std::uint8_t { exact, relaxed };

/// "O1"
TANDEM_PASSES_API std::string_view to_string(OptLevel level);
/// "auto", "on", "off"
TANDEM_PASSES_API std::string_view to_string(Toggle toggle);
/// "exact", "relaxed"
TANDEM_PASSES_API std::string_view to_string(Numerics numerics);

struct PassConfig {
  OptLevel level = OptLevel::O1;
  Numerics numerics = Numerics::exact;
  /// By name, such as "eliminate_noops"; a flag that is not here is `automatic`. The names are those of vLLM's
  /// PassConfig (vllm/config/compilation.py) wherever vLLM has such a pass.
  std::map<std::string, Toggle, std::less<>> flags{};

  /// The flag's setting; `automatic` when it is not set.
  Toggle flag(std::string_view name) const {
    const auto it = flags.find(name);
    return it == flags.end() ? Toggle::automatic : it->second;
  }
};

/// "on", "off", "auto". Throws Error "config.toggle".
TANDEM_PASSES_API Toggle parse_toggle(std::string_view text);
/// "O0" to "O3", or just the digit. Throws Error "config.level".
TANDEM_PASSES_API OptLevel parse_opt_level(std::string_view text);
/// "exact", "relaxed". Throws Error "config.numerics".
TANDEM_PASSES_API Numerics parse_numerics(std::string_view text);
/// Sets a flag from "fuse_mla_dual_rms_norm=on"; without "=" the flag is turned on. Throws Error "config.flag" or
/// "config.toggle". The name is not checked here: see `check_flags`.
TANDEM_PASSES_API void set_flag(PassConfig& config, std::string_view setting);

/// Throws Error "config.unknown-flag", one diagnostic for each flag of `config` that is not among `known`, with the
/// nearest known name.
TANDEM_PASSES_API void check_flags(const PassConfig& config, std::span<const std::string_view> known);

}  // namespace tandem
