// What is said of two weights that have one key and are not of one type.
#pragma once

#include <string>
#include <string_view>

#include <tandem/ir/type.h>

namespace tandem {

inline constexpr std::string_view weight_key_help =
    "a key names one tensor of a safetensors file; give one of them a key of its own, or both the same type";

inline std::string weight_key_conflict(std::string_view key, const TensorType& first, const TensorType& second) {
  return "the weight '" + std::string(key) + "' is " + to_string(first) + " in one place and " + to_string(second) +
         " here";
}

}  // namespace tandem
