#include <tests/support/catch_runner.h>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#include <catch2/interfaces/catch_interfaces_registry_hub.hpp>
#include <catch2/interfaces/catch_interfaces_testcase.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

namespace tandem::test {

int run_tests(int argc, const char* const* argv) {
  return Catch::Session().run(argc, argv);
}

std::size_t count_tests() {
  return Catch::getRegistryHub().getTestCaseRegistry().getAllTests().size();
}

}  // namespace tandem::test
