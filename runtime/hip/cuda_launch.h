// What cuLaunchKernelEx takes (cuda.h of CUDA 12): its layout is part of the driver's ABI.
#pragma once

namespace tandem::hip {

/// CUlaunchAttribute
struct CudaLaunchAttribute {
  int id = 0;
  char padding[4] = {};
  union {
    int on;
    char bytes[64];
  } value{};
};

/// CUlaunchConfig
struct CudaLaunchConfig {
  unsigned grid_x, grid_y, grid_z, block_x, block_y, block_z, shared_bytes;
  void* stream;
  CudaLaunchAttribute* attributes;
  unsigned attribute_count;
};

/// CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION: the launch may overlap with the one ahead.
inline CudaLaunchAttribute cuda_overlap() {
  CudaLaunchAttribute overlap;
  overlap.id = 6;
  overlap.value.on = 1;
  return overlap;
}

}  // namespace tandem::hip
