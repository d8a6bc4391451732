// What the values of options must look like, where that is not for the option's own words to say. To be given to
// CLI11's `check`: what is wrong, or nothing.
#pragma once

#include <string>

namespace tandem::cli {

/// Digits alone: strtoull, which CLI11 asks, takes "-1" for the largest number of all.
inline std::string whole_number(const std::string& text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? "" : "'" + text + "' is no whole number from 0 on";
}

/// Something must be there: an empty value is most often an empty variable of a script.
inline std::string not_empty(const std::string& text) {
  return text.empty() ? "the value is empty; leave the option out" : "";
}

}  // namespace tandem::cli
