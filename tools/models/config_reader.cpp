// See config_reader.h.
#include <tandem/tools/models/config_reader.h>

#include <cmath>

#include <fmt/format.h>

namespace tandem::models {
namespace {

/// A value as the user wrote it, shortened for a message.
std::string shown(const nlohmann::json& value) {
  if (value.is_object())
    return "an object";
  if (value.is_array())
    return "an array";
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60)
    text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace

const nlohmann::json* ConfigReader::find(std::string_view key) const {
  const auto it = object_.find(std::string(key));
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

bool ConfigReader::has(std::string_view key) const {
  return find(key) != nullptr;
}

void ConfigReader::fail(std::string_view code, std::string_view key, std::string message, std::string help) {
  Diagnostic finding;
  finding.code = code;
  finding.where.file = file_;
  finding.where.path = prefix_.empty() ? std::string(key) : prefix_ + "." + std::string(key);
  finding.message = std::move(message);
  finding.help = std::move(help);
  findings_.push_back(std::move(finding));
}

const nlohmann::json* ConfigReader::require(std::string_view key, bool optional, std::string_view expected) {
  const nlohmann::json* value = find(key);
  if (!value && !optional)
    fail("config.missing", key, fmt::format("'{}' is missing; expected {}", key, expected),
         fmt::format("add it to the config, or give it with --set {}=VALUE", key));
  return value;
}

std::int64_t ConfigReader::integer(std::string_view key, std::int64_t min, std::int64_t max,
                                   std::optional<std::int64_t> fallback) {
  const std::string expected = fmt::format("an integer from {} to {}", min, max);
  const nlohmann::json* value = require(key, fallback.has_value(), expected);
  if (!value)
    return fallback.value_or(min);
  if (!value->is_number_integer()) {
    fail("config.type", key, fmt::format("'{}' is {}; expected {}", key, shown(*value), expected));
    return min;
  }
  // Beyond int64 nlohmann keeps an unsigned number.
  const bool huge = value->is_number_unsigned() &&
                    value->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (huge || value->get<std::int64_t>() < min || value->get<std::int64_t>() > max) {
    fail("config.range", key, fmt::format("'{}' is {}; expected {}", key, shown(*value), expected));
    return min;
  }
  return value->get<std::int64_t>();
}

double ConfigReader::real(std::string_view key, double min, double max, std::optional<double> fallback) {
  const std::string expected = fmt::format("a number from {:g} to {:g}", min, max);
  const nlohmann::json* value = require(key, fallback.has_value(), expected);
  if (!value)
    return fallback.value_or(min);
  if (!value->is_number()) {
    fail("config.type", key, fmt::format("'{}' is {}; expected {}", key, shown(*value), expected));
    return min;
  }
  const double number = value->get<double>();
  if (!std::isfinite(number) || number < min || number > max) {
    fail("config.range", key, fmt::format("'{}' is {}; expected {}", key, shown(*value), expected));
    return min;
  }
  return number;
}

bool ConfigReader::boolean(std::string_view key, bool fallback) {
  const nlohmann::json* value = find(key);
  if (!value)
    return fallback;
  if (!value->is_boolean()) {
    fail("config.type", key, fmt::format("'{}' is {}; expected true or false", key, shown(*value)));
    return fallback;
  }
  return value->get<bool>();
}

std::string ConfigReader::string(std::string_view key, std::string_view fallback) {
  const nlohmann::json* value = find(key);
  if (!value)
    return std::string(fallback);
  if (!value->is_string()) {
    fail("config.type", key, fmt::format("'{}' is {}; expected a string", key, shown(*value)));
    return std::string(fallback);
  }
  return value->get<std::string>();
}

}  // namespace tandem::models
