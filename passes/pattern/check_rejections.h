// Graphs that a fusion must not match: those made from its pattern, with one condition broken.
#pragma once

#include <memory>

#include <tandem/passes/pattern/check_findings.h>
#include <tandem/passes/pattern/check_instance.h>

namespace tandem {

/// Breaks, one at a time, what `instance` (a graph that variant `variant` matches) is held to, its guards, its types
/// and what `unless` excludes, and expects that nothing matches. A graph that does is "check.wrong-match".
void check_rejections(const std::shared_ptr<Context>& context, const Pattern& pattern, const CompiledVariant& variant,
                      const Instance& instance, CheckRandom& random, CheckFindings& findings);

}  // namespace tandem
