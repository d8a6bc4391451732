// Golden files: expected output kept in tests/data/golden.
//
// A test says `CHECK(golden_difference("show/mla.txt", output) == "")`. After a wanted change,
// `TANDEM_BLESS=1 ctest --test-dir build` writes the new outputs; `git diff` then shows what is about to be accepted.
#pragma once

#include <string>
#include <string_view>

namespace tandem::test {

/// "" when `actual` is the content of tests/data/golden/`name`, else what differs: the first line that does, expected
/// and actual. With TANDEM_BLESS=1 in the environment it writes the file instead and returns "".
std::string golden_difference(std::string_view name, std::string_view actual);

/// The first line in which two texts differ, as text for a person; "" when they are equal.
std::string first_difference(std::string_view expected, std::string_view actual);

}  // namespace tandem::test
