// Who computes the graphs of a check: the oracle, and the CPU's kernels.
#pragma once

#include <string>
#include <vector>

#include <tandem/kernels/kernel.h>
#include <tandem/passes/pattern/check.h>

namespace tandem::test {

CheckExecutor check_executor(std::string name, std::vector<KernelTable> providers);
/// The float64 reference alone.
std::vector<CheckExecutor> oracle_only();

/// Samples a variant: fewer where every instruction is instrumented.
inline constexpr std::size_t check_samples =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    4;
#else
    8;
#endif

}  // namespace tandem::test
