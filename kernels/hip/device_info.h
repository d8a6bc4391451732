// What a kernel's launch plan must know of the GPU that it runs on.
#pragma once

#include <cstdint>
#include <string>

namespace tandem {

/// Whose machine code: AMD's through HIP, NVIDIA's through CUDA. The names are those of targets ("rocm:gfx942").
enum class GpuPlatform : std::uint8_t { rocm, cuda };

struct GpuInfo {
  GpuPlatform platform = GpuPlatform::rocm;
  std::string arch;         ///< "gfx942", "sm_90"; without feature suffixes such as ":sramecc+".
  std::string name;         ///< As the driver calls the card.
  int wave_size = 64;       ///< Lanes that run in step: 64 on gfx9, 32 on gfx11, gfx12 and NVIDIA.
  int multiprocessors = 1;  ///< Compute units, streaming multiprocessors.
  int max_threads_per_block = 1024;
  std::uint32_t max_shared_bytes = 48 << 10;  ///< Of shared memory (LDS) that a block gets without asking for more.
  std::int64_t l2_bytes = 0;                  ///< Last cache level that all multiprocessors share; 0 when unknown.
  bool overlaps_launches = false;  ///< A kernel may be set up while the one ahead runs (`wait_for_previous`, device.h).
};

}  // namespace tandem
