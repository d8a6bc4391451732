// The main function of the GPU tests: without a GPU it says how many tests that leaves out, and ends with status 77,
// which ctest shows as skipped.
#include <cstdio>
#include <string>

#include <tests/gpu/cuda.h>
#include <tests/gpu/gpu_test.h>
#include <tests/support/catch_runner.h>

namespace tandem::test {

Gpu& the_gpu() {
  static std::string reason;
  static const std::unique_ptr<CudaGpu> gpu = CudaGpu::open(reason);
  if (!gpu)
    throw std::runtime_error(reason);
  return *gpu;
}

}  // namespace tandem::test

int main(int argc, char** argv) {
  std::string reason;
  if (tandem::test::CudaGpu::open(reason) == nullptr) {
    std::printf("skipped: %zu tests need a GPU: %s\n", tandem::test::count_tests(), reason.c_str());
    return 77;
  }
  return tandem::test::run_tests(argc, argv);
}
