// Faults planted in the right side of a fusion, to see that a check finds them.
#pragma once

#include <string>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/export.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

struct Mutant {
  std::string mutation;  ///< "operands 1 and 2 of fused_add_rms_norm are swapped"
  Pattern pattern;
};

/// One fault each: an attribute dropped, changed or taken from another capture; two operands swapped, one read twice or
/// left out; another op of the same form; a node left out; two results exchanged. Some mean the same as before (swapped
/// operands of an addition), some do not compile: both are for the caller to find out.
TANDEM_PASSES_API std::vector<Mutant> mutants(Context& context, const Pattern& pattern);

}  // namespace tandem
