// The configs that `tandem generate` knows by name.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace tandem::models {

/// The config.json of "deepseek-v3", "kimi-k2" or "deepseek-v3-tiny"; empty for another name.
std::optional<std::string_view> builtin_config(std::string_view name);

/// Their names.
std::vector<std::string_view> builtin_config_names();

}  // namespace tandem::models
