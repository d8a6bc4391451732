// The main function of the GPU tests: without a GPU it says how many tests that leaves out, and ends with status 77,
// which ctest shows as skipped.
#include <cstdio>
#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#include <catch2/interfaces/catch_interfaces_registry_hub.hpp>
#include <catch2/interfaces/catch_interfaces_testcase.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <tests/gpu/cuda.h>
#include <tests/gpu/gpu_test.h>

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
    const std::size_t tests = Catch::getRegistryHub().getTestCaseRegistry().getAllTests().size();
    std::printf("skipped: %zu tests need a GPU: %s\n", tests, reason.c_str());
    return 77;
  }
  return Catch::Session().run(argc, argv);
}
