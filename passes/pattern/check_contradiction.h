// Why there is no graph that a pattern matches: which of its conditions, left out, lets one be made.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/passes/pattern/check_random.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// A condition of a pattern: a guard, a type of an input or result, the list of a type variable.
struct Condition {
  std::string text;  ///< "where H > 8", "in %x: T[.., H]"
  Span span;
};

/// The conditions without any single one of which a graph can be made; empty when more than one must go.
std::vector<Condition> conditions_in_the_way(const std::shared_ptr<Context>& context, const Pattern& pattern,
                                             CheckRandom& random);

}  // namespace tandem
