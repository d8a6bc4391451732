// Counts in sentences.
#include <tandem/ir/counted.h>

#include "tests/support/catch.h"

using namespace tandem;

TEST_CASE("one thing is one, all others are many", "[counted]") {
  CHECK(counted(0, "node") == "0 nodes");
  CHECK(counted(1, "node") == "1 node");
  CHECK(counted(std::size_t{2}, "node") == "2 nodes");
  CHECK(counted(1, "near miss") == "1 near miss");
  CHECK(counted(2, "near miss") == "2 near misses");
  CHECK(counted(2, "match") == "2 matches");
}
