// Storage that grows: what it holds stays whatever its size, on both sides of the size from which it is mapped.
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/catch.h"

#include <tandem/ir/block_pool.h>
#include <tandem/ir/growing_array.h>
#include <tandem/ir/string_table.h>

using namespace tandem;

namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// Element i holds i.
bool counts_up(const GrowingArray<std::uint64_t>& a, std::size_t n) {
  std::uint64_t i = 0;
  for (const std::uint64_t x : a) {
    if (x != i++)
      return false;
  }
  return i == n;
}

}  // namespace

TEST_CASE("An array keeps what it holds while it grows from the heap into mapped pages and beyond", "[storage]") {
  GrowingArray<std::uint64_t> a;
  const std::size_t n = 5 * mebibyte / sizeof(std::uint64_t);
  for (std::uint64_t i = 0; i < n; ++i)
    a.push_back(i);
  CHECK(counts_up(a, n));
  CHECK(a.memory_bytes() >= 5 * mebibyte);

  SECTION("a copy has the same elements, and as much room") {
    const GrowingArray<std::uint64_t> copy = a;
    CHECK(counts_up(copy, n));
    CHECK(copy.capacity() == a.capacity());
  }
  SECTION("a reservation far beyond the room keeps them") {
    a.reserve(16 * n);
    CHECK(counts_up(a, n));
  }
  SECTION("cleared, it starts with elements as new") {
    a.clear();
    CHECK(a.append(2 * n) == 0);
    CHECK(a[0] == 0);
    CHECK(a[2 * n - 1] == 0);
  }
}

TEST_CASE("Sizes around the first mapped one, and around whole large pages, keep every byte", "[storage]") {
  for (const std::size_t around : {mebibyte / 2, 2 * mebibyte, 4 * mebibyte}) {
    for (const std::size_t n : {around - 1, around, around + 1}) {
      GrowingArray<char> a;
      a.reserve(n);
      const std::string text(n, 'x');
      a.append(text.data(), n);
      const std::size_t more = a.capacity() - a.size() + 1;  // one byte more than there is room for
      a.append(more);
      CHECK(std::string_view(a.data(), n) == text);
      CHECK(a[n + more - 1] == '\0');
    }
  }
}

TEST_CASE("Large pages are asked for only within a block", "[storage]") {
  std::vector<char> block(5 * mebibyte, 'x');
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, mebibyte, 5 * mebibyte})
    prefer_large_pages(block.data(), bytes);
  CHECK(std::string_view(block.data(), block.size()).find_first_not_of('x') == std::string_view::npos);
}

TEST_CASE("Interned strings are found again and do not move while the table grows", "[storage]") {
  StringTable table;
  const std::string large(3 * mebibyte, 'l');
  const SymbolText* const empty = table.intern("");
  const SymbolText* const zero = table.intern(std::string_view("a\0b", 3));
  std::vector<const SymbolText*> small;
  for (int i = 0; i < 20000; ++i)
    small.push_back(table.intern("name " + std::to_string(i)));
  const SymbolText* const huge = table.intern(large);
  for (int i = 0; i < 20000; ++i) {
    REQUIRE(table.intern("name " + std::to_string(i)) == small[static_cast<std::size_t>(i)]);
    REQUIRE(small[static_cast<std::size_t>(i)]->view() == "name " + std::to_string(i));
  }
  CHECK(table.intern(large) == huge);
  CHECK(huge->view() == large);
  CHECK(empty->view().empty());
  CHECK(zero->view() == std::string_view("a\0b", 3));
}
