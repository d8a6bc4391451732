// What stands in between (`through`) as nodes of its own: one step of the expansion (expand.h).
#pragma once

#include <vector>

#include <tandem/ir/context.h>
#include <tandem/passes/pattern/expand.h>

namespace tandem {

/// Writes each `%x through op` as a node in front of its reader, under a name of its own, marked `between`.
void expand_between(const Context& context, Pattern& pattern);

/// `variant` as it is, where each reader has a node of its own, and with readers that share one: what is said of the
/// node in the same words may be one node that all of them read (as common subexpressions are, after `cse`).
std::vector<Variant> with_shared_nodes(Variant variant);

/// What stands in between is left to its other users, as by `recompute`, where what it reads is still there: an input
/// of the match, a kept or replaced value, or again such a node.
void leave_to_others(Pattern& variant);

}  // namespace tandem
