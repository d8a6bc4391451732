// Guards that exclude each other.
#pragma once

#include <optional>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// Appends "lint.contradictory-guards" for each pair of guards that cannot hold together: a guard and its negation,
/// bounds of one expression that leave nothing between them.
void lint_guards(const Pattern& pattern, std::vector<Diagnostic>& out);

/// The most that the guards let an expression be, where one of them says so of just this expression.
std::optional<double> upper_bound(const Pattern& pattern, const Expr& expr);

}  // namespace tandem
