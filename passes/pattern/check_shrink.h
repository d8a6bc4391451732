// A failing case made small, so that a person can follow it.
#pragma once

#include <functional>
#include <memory>

#include <tandem/passes/pattern/check_cases.h>

namespace tandem {

/// Whether the fault shows in a case.
using StillFails = std::function<bool(const CheckCase&)>;

/// Smaller dims first, then plainer data: zeros and ones wherever the fault stays.
CheckCase shrink(const std::shared_ptr<Context>& context, const CompiledSet& set, CheckCase failing,
                 const CheckExecutor& oracle, const StillFails& still_fails);

}  // namespace tandem
