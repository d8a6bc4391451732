// The second half of compilation: in which order to walk a match and to test its predicates.
#pragma once

#include <tandem/passes/pattern/compiler.h>

namespace tandem {

/// Gives `variant` a plan for each distinct op of its match; adds what the steps point at to `set`. Throws Error
/// "pattern.unsolved-dims" when a dim cannot be determined from what matches, and "pattern.unknown-name",
/// "pattern.predicate" or "pattern.unless" for guards and negative parts that cannot be resolved.
void build_plans(CompiledSet& set, CompiledVariant& variant);

}  // namespace tandem
