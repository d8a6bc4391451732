// The GPU's kernels as kernels on host memory, so that whatever runs on the CPU's table runs on them: for tests.
#pragma once

#include <tandem/kernels/kernel.h>
#include <tests/gpu/gpu.h>

namespace tandem::test {

/// Each call copies its operands to the GPU, runs there and copies the results back. Operands keep their strides and
/// their alignment; results are laid out between guard bytes and in memory full of rubbish, and a call that writes
/// anything but its results' elements throws std::runtime_error. A fault throws Error "run.index".
KernelTable gpu_table(Gpu& gpu);

}  // namespace tandem::test
