// Catch2's command line, compiled once for all test binaries: Catch2 2 generates it wherever it is asked to, at ten
// seconds of compiling each time.
#pragma once

#include <cstddef>

namespace tandem::test {

/// Runs the tests of this binary as its arguments say; the exit status.
int run_tests(int argc, const char* const* argv);

/// How many there are.
std::size_t count_tests();

}  // namespace tandem::test
