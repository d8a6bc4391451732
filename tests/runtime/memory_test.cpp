// The arena's layout: what lives together does not overlap, and the arena is no larger than it need be.
#include <tandem/runtime/memory.h>

#include <algorithm>
#include <random>

#include <tandem/ir/diagnostic.h>
#include <tests/support/catch.h>

using namespace tandem;

namespace {

bool live_together(const BufferLifetime& a, const BufferLifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

std::vector<BufferLifetime> random_buffers(std::mt19937& random, std::size_t count, std::int64_t longest) {
  std::vector<BufferLifetime> out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t first = static_cast<std::int64_t>(random() % count);
    out.push_back(
        {static_cast<std::int64_t>(random() % 5000), first, first + static_cast<std::int64_t>(random()) % longest});
  }
  return out;
}

}  // namespace

TEST_CASE("layout: three buffers in a chain take the room of two") {
  const std::vector<BufferLifetime> chain{{64, 0, 1}, {64, 1, 2}, {64, 2, 3}};
  CHECK(lay_out_arena(chain).bytes == 128);
}

TEST_CASE("layout: buffers that live together never overlap, and the arena is between peak and sum") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const auto buffers = random_buffers(random, 1 + random() % 60, 1 + random() % 20);
    const ArenaLayout layout = lay_out_arena(buffers);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < buffers.size(); ++i) {
      sum += (buffers[i].bytes + 63) / 64 * 64;
      CHECK(layout.offsets[i] % 64 == 0);
      CHECK(layout.offsets[i] + buffers[i].bytes <= std::max<std::int64_t>(layout.bytes, layout.offsets[i]));
      for (std::size_t j = 0; j < i; ++j) {
        if (!live_together(buffers[i], buffers[j]) || buffers[i].bytes == 0 || buffers[j].bytes == 0)
          continue;
        const bool apart = layout.offsets[i] + buffers[i].bytes <= layout.offsets[j] ||
                           layout.offsets[j] + buffers[j].bytes <= layout.offsets[i];
        REQUIRE(apart);
      }
    }
    CHECK(layout.bytes >= peak_live_bytes(buffers));
    CHECK(layout.bytes <= sum);
  }
}

TEST_CASE("layout: a buffer without bytes takes no room") {
  const std::vector<BufferLifetime> buffers{{0, 0, 9}, {100, 0, 9}};
  CHECK(lay_out_arena(buffers).bytes == 128);
}

TEST_CASE("layout: a hundred thousand buffers that all live together are laid out in time") {
  std::vector<BufferLifetime> buffers;
  for (std::int64_t i = 0; i < 100'000; ++i)
    buffers.push_back({64, i, 100'000});
  CHECK(lay_out_arena(buffers).bytes == 64 * 100'000);
}

TEST_CASE("layout: sizes beyond 2^62 bytes are an error") {
  const std::vector<BufferLifetime> buffers{{std::int64_t{1} << 61, 0, 1}, {std::int64_t{1} << 61, 0, 1}};
  CHECK_THROWS_AS(lay_out_arena(buffers), Error);
}
