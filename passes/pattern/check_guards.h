// Guards read by the check itself, so that the engine's reading is tested against another one.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <tandem/passes/pattern/check_instance.h>
#include <tandem/passes/pattern/check_solution.h>

namespace tandem {

/// Whether a guard holds for an instance; empty when symbols leave it open.
std::optional<bool> guard_holds(Context& context, const CompiledVariant& variant, const Guard& guard,
                                Solution& solution, const Instance& instance);

/// By value of the variant: whether it must be a weight, or must not, so that guards hold and guard `broken` does not.
std::vector<std::optional<bool>> weights_by_guards(const CompiledVariant& variant, int broken);

/// As above: whether it must be an output of the graph, or must not.
std::vector<std::optional<bool>> outputs_by_guards(const CompiledVariant& variant, int broken);

/// By value of the variant: how many users from outside it may need so that a guard about its uses holds, or does not.
std::vector<std::int64_t> further_uses(const CompiledVariant& variant);

}  // namespace tandem
