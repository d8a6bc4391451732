// What is suspicious about fusions, told without computing anything.
//
// Mistakes that leave a pattern without a meaning are errors of `compile` (unbound values, disconnected parts, captures
// that nothing binds). Lints are about what has a meaning, and most likely not the one that was wanted.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/export.h>
#include <tandem/passes/capabilities.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// What is asked of one fusion. Codes, each with its place: "lint.unused-name" (a dim, type variable, capture,
/// definition or new value that nothing reads), "lint.float-equality", "lint.ignored-attribute",
/// "lint.contradictory-guards". Throws as `compile`.
TANDEM_PASSES_API std::vector<Diagnostic> lint_fusion(const std::shared_ptr<Context>& context, const Pattern& pattern);

/// "lint.kernel-dtypes" (the fusion admits dtypes for which no provider of any target has its kernel) and
/// "lint.kernel-limit" (the longest last axis that a kernel takes, where no guard bounds those of what it would read by
/// it; with the kernel's other preconditions, which only it can tell). `targets` are the capabilities of
/// every target that counts.
TANDEM_PASSES_API std::vector<Diagnostic> lint_kernels(const Pattern& pattern, std::span<const Capabilities> targets);

/// Of fusions that are loaded together, by applying them to graphs made from each: "lint.starved" (another takes every
/// site of a fusion), "lint.shadowed" (... of one of its variants), "lint.non-terminating" (two create what the other
/// matches). `beside` are loaded, too, and not judged; drafts (extract.h) take no part. Throws as `compile`.
TANDEM_PASSES_API std::vector<Diagnostic> lint_together(const std::shared_ptr<Context>& context,
                                                        std::span<const Pattern> patterns,
                                                        std::span<const Pattern> beside = {});

}  // namespace tandem
