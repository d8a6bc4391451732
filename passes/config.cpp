// The spelling of levels, toggles and flags, and the check that every flag means something.

#include <tandem/passes/config.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem {

std::string_view to_string(OptLevel level) {
  constexpr std::string_view names[] = {"O0", "O1", "O2", "O3"};
  return names[static_cast<std::size_t>(level)];
}

std::string_view to_string(Toggle toggle) {
  constexpr std::string_view names[] = {"auto", "on", "off"};
  return names[static_cast<std::size_t>(toggle)];
}

std::string_view to_string(Numerics numerics) {
  return numerics == Numerics::exact ? "exact" : "relaxed";
}

Toggle parse_toggle(std::string_view text) {
  if (text == "auto")
    return Toggle::automatic;
  if (text == "on")
    return Toggle::on;
  if (text == "off")
    return Toggle::off;
  throw Error("config.toggle", fmt::format("'{}' is not a setting of a flag", text), "write on, off or auto");
}

OptLevel parse_opt_level(std::string_view text) {
  const std::string_view digit = text.starts_with('O') ? text.substr(1) : text;
  if (digit.size() == 1 && digit[0] >= '0' && digit[0] <= '3')
    return static_cast<OptLevel>(digit[0] - '0');
  throw Error("config.level", fmt::format("'{}' is not an optimisation level", text), "write O0, O1, O2 or O3");
}

Numerics parse_numerics(std::string_view text) {
  if (text == "exact")
    return Numerics::exact;
  if (text == "relaxed")
    return Numerics::relaxed;
  throw Error("config.numerics", fmt::format("'{}' is not a numerics contract", text), "write exact or relaxed");
}

void set_flag(PassConfig& config, std::string_view setting) {
  const std::size_t equals = setting.find('=');
  const std::string_view name = setting.substr(0, equals);
  if (name.empty()) {
    throw Error("config.flag", fmt::format("'{}' names no flag", setting), "write NAME=on, NAME=off or NAME=auto");
  }
  config.flags[std::string(name)] =
      equals == std::string_view::npos ? Toggle::on : parse_toggle(setting.substr(equals + 1));
}

void check_flags(const PassConfig& config, std::span<const std::string_view> known) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  std::vector<Diagnostic> findings;
  for (const auto& [name, toggle] : config.flags) {
    if (std::find(candidates.begin(), candidates.end(), name) != candidates.end())
      continue;
    Diagnostic d;
    d.code = "config.unknown-flag";
    d.message = fmt::format("no pass or fusion has the flag '{}'{}", name, did_you_mean(name, candidates));
    d.help = fmt::format("the flags are {}", fmt::join(candidates, ", "));
    findings.push_back(std::move(d));
  }
  if (!findings.empty())
    throw Error(std::move(findings));
}

}  // namespace tandem
