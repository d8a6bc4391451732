// Fields out of a model's config.json, with a finding for each that is missing, of the wrong type or out of range.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>

namespace tandem::models {

/// Reads fields of one JSON object and collects what is wrong with them. A field that is wrong reads as its lower bound
/// or its default, so that reading goes on and all findings come at once.
class ConfigReader {
 public:
  /// `object` is an object; `prefix` is its JSON path ("" for the root). Findings are added to `findings`.
  ConfigReader(const nlohmann::json& object, std::string file, std::string prefix, std::vector<Diagnostic>& findings)
      : object_(object), file_(std::move(file)), prefix_(std::move(prefix)), findings_(findings) {}

  /// True when the field is there and is not null.
  bool has(std::string_view key) const;

  /// An integer in [min, max]; `fallback` when the field is absent or null, an error where there is no fallback.
  std::int64_t integer(std::string_view key, std::int64_t min, std::int64_t max,
                       std::optional<std::int64_t> fallback = std::nullopt);
  /// A finite number in [min, max].
  double real(std::string_view key, double min, double max, std::optional<double> fallback = std::nullopt);
  bool boolean(std::string_view key, bool fallback);
  /// A string; `fallback` when absent.
  std::string string(std::string_view key, std::string_view fallback);

  /// Adds a finding at `key`.
  void fail(std::string_view code, std::string_view key, std::string message, std::string help = {});

 private:
  const nlohmann::json* find(std::string_view key) const;
  const nlohmann::json* require(std::string_view key, bool optional, std::string_view expected);

  const nlohmann::json& object_;
  std::string file_;
  std::string prefix_;
  std::vector<Diagnostic>& findings_;
};

}  // namespace tandem::models
