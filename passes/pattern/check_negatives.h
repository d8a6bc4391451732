// Graphs that a variant must not match: one that it does, with one condition broken.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/passes/pattern/check_instance.h>

namespace tandem {

struct Negative {
  std::string broken;  ///< "attribute 'eps' of the rms_norm at line 7"
  Span span;
  Instance instance;
};

/// Attributes that the pattern fixes or leaves at their defaults; captures that must be equal; values that must be one;
/// results that nobody outside may read; dtypes that inputs must have. What type inference refuses anyway is for the
/// caller to drop: it cannot be built.
std::vector<Negative> break_conditions(Context& context, const CompiledVariant& variant, const Instance& instance);

/// For each alternative of each `unless`, the variant with that part present.
std::vector<Pattern> with_forbidden_parts(const CompiledVariant& variant);

}  // namespace tandem
