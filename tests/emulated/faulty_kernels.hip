// Kernels with one fault each, which the emulator must find (emulator_test.cpp), and what they look like without it.
#include <tandem/kernels/hip/device.h>
#include <tandem/kernels/hip/wave.h>
#include <tests/emulated/faulty_params.h>

namespace tandem::gpu {

/// Each thread takes what its neighbour wrote.
TANDEM_KERNEL(good_neighbour, 256, FaultyParams) {
  __shared__ float room[256];
  room[thread_x()] = p.in[thread_x()];
  block_barrier();
  p.out[thread_x()] = room[(thread_x() + 1) % static_cast<u32>(p.size)];
}

TANDEM_KERNEL(no_barrier, 256, FaultyParams) {
  __shared__ float room[256];
  room[thread_x()] = p.in[thread_x()];
  p.out[thread_x()] = room[(thread_x() + 1) % static_cast<u32>(p.size)];
}

/// A loop whose rounds share memory needs a barrier at its end, too.
TANDEM_KERNEL(no_barrier_between_rounds, 256, FaultyParams) {
  __shared__ float room[256];
  float sum = 0;
  for (int round = 0; round < 3; ++round) {
    room[thread_x()] = p.in[thread_x()] + static_cast<float>(round);
    block_barrier();
    sum += room[(thread_x() + static_cast<u32>(p.size) / 2) % static_cast<u32>(p.size)];
  }
  p.out[thread_x()] = sum;
}

/// Blocks that read what others write.
TANDEM_KERNEL(across_blocks, 256, FaultyParams) {
  const i64 at = static_cast<i64>(block_x()) * 64 + thread_x();
  p.out[at] = 1 + p.out[(at + 64) % p.size];
}

TANDEM_KERNEL(barrier_of_some, 256, FaultyParams) {
  if (thread_x() < 100)
    block_barrier();
  p.out[thread_x()] = wave_sum(1.0f);
}

TANDEM_KERNEL(exchange_of_some, 256, FaultyParams) {
  if (thread_x() == 5)
    return;
  p.out[thread_x()] = wave_sum(1.0f);
}

TANDEM_KERNEL(two_barriers, 256, FaultyParams) {
  if (thread_x() % 2 == 0) {
    p.out[thread_x()] = 1;
    block_barrier();
  } else {
    block_barrier();
    p.out[thread_x()] = 2;
  }
}

TANDEM_KERNEL(behind_the_end, 256, FaultyParams) { p.out[thread_x() + 1] = 1; }

TANDEM_KERNEL(waits_for_previous, 256, FaultyParams) {
  wait_for_previous();
  p.out[thread_x()] = 1;
}

TANDEM_KERNEL(some_wait_for_previous, 256, FaultyParams) {
  if (thread_x() == 100)
    return;
  wait_for_previous();
  p.out[thread_x()] = 1;
}

/// Waves that end before the barrier are not waited for.
TANDEM_KERNEL(some_waves_end, 256, FaultyParams) {
  if (thread_x() >= 64)
    return;
  block_barrier();
  p.out[thread_x()] = wave_sum(static_cast<float>(lane_id()));
}

TANDEM_KERNEL(sum_in_memory, 256, FaultyParams) {
#if !TANDEM_NVIDIA
  __hip_atomic_fetch_add(reinterpret_cast<double*>(p.out), 1.0 / (1.0 + thread_x()), __ATOMIC_RELAXED,
                         __HIP_MEMORY_SCOPE_AGENT);
#endif
}

}  // namespace tandem::gpu
