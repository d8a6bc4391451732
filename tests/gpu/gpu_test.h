// What tests of GPU kernels share.
#pragma once

#include <string>
#include <vector>

#include <tests/gpu/gpu_table.h>
#include <tests/kernels/cpu/compare.h>
#include <tests/support/catch.h>

namespace tandem::test {

/// The card that the tests run on. The main function ends the program where there is none.
Gpu& the_gpu();

inline void expect_gpu(const Comparison& comparison, Random& random, double steps = 4, double scale = 0) {
  static const KernelTable table = gpu_table(the_gpu());
  const std::string text = comparison.check(table, random, steps, scale);
  INFO(text);
  CHECK(text.empty());
}

inline DType any_of(Random& random, const std::vector<DType>& dtypes) {
  return dtypes[random() % dtypes.size()];
}

inline const std::vector<DType> gpu_floats{DType::f64, DType::f32, DType::f16, DType::bf16};
inline const std::vector<DType> gpu_numbers{DType::f64, DType::f32, DType::f16, DType::bf16,
                                            DType::i64, DType::i32, DType::u8};

}  // namespace tandem::test
