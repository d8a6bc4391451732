// Where buffers lie in one arena, given when they live.
//
//     a [0, 2) ====                    offset 0    aaaabb
//     b [1, 3)   ====        ->        offset 4    ccc bb      three buffers, the room of two
//     c [2, 4)     ====                offset 0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tandem/ir/export.h>

namespace tandem {

/// A buffer that holds data from step `first` to step `last`, both included.
struct BufferLifetime {
  std::int64_t bytes = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

struct ArenaLayout {
  std::vector<std::int64_t> offsets;  ///< One per buffer, each a multiple of the alignment.
  std::int64_t bytes = 0;             ///< Size of the arena.
};

/// Offsets such that buffers whose lifetimes meet do not overlap. The better of two layouts: greedy by size with the
/// best-fitting gap (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020), and best
/// fit in order of time. The first is left out where more than 2^22 pairs of buffers live together, so that the cost
/// stays near n log n. Deterministic. Throws Error "run.too-large" when the sizes add up to more than 2^62 bytes.
TANDEM_RUNTIME_API ArenaLayout lay_out_arena(std::span<const BufferLifetime> buffers, std::int64_t alignment = 64);

/// The most bytes alive at any step: no layout is smaller.
TANDEM_RUNTIME_API std::int64_t peak_live_bytes(std::span<const BufferLifetime> buffers, std::int64_t alignment = 64);

}  // namespace tandem
