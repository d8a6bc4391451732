// Guards that exclude each other.
#pragma once

#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// Appends "lint.contradictory-guards" for each pair of guards that cannot hold together: a guard and its negation,
/// bounds of one expression that leave nothing between them.
void lint_guards(const Pattern& pattern, std::vector<Diagnostic>& out);

}  // namespace tandem
