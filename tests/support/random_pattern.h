// Patterns made at random, for properties that must hold for every pattern. The same seed gives the same pattern.
#pragma once

#include <cstdint>

#include <tandem/passes/pattern/pattern.h>

namespace tandem::test {

struct RandomPatternOptions {
  bool odd_names = true;    ///< Some names need quotes, some are keywords.
  bool any_bytes = false;   ///< Some strings are not UTF-8: the text form can say them, JSON cannot.
  bool odd_numbers = true;  ///< NaNs with payloads, infinities, denormals, the ends of int64.
};

/// A pattern that uses all of the model and is well formed: replacements name values of the match. It need not compile.
Pattern random_pattern(std::uint64_t seed, const RandomPatternOptions& options = {});

}  // namespace tandem::test
