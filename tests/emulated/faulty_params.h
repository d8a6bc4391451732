// Parameters of faulty_kernels.hip.
#pragma once

namespace tandem::gpu {

struct FaultyParams {
  const float* in;
  float* out;
  long long size;
};

}  // namespace tandem::gpu
