// A node that the CPU computes in the middle of a GPU's plan.
#pragma once

#include <tandem/kernels/kernel.h>
#include <tandem/runtime/hip/device.h>

namespace tandem::hip {

/// Copies the operands to the host once `stream` is done, computes there, and copies the results back. Waits. `call`
/// has device addresses. Throws what the kernel throws, Error "hip.call".
void run_on_host(const Device& device, const KernelFn& kernel, const KernelCall& call, void* stream);

}  // namespace tandem::hip
