#include <tests/support/catch_runner.h>

int main(int argc, char** argv) {
  return tandem::test::run_tests(argc, argv);
}
