// What tests of GPU kernels share.
#pragma once

#include <string>
#include <vector>

#include <tests/gpu/gpu_table.h>
#include <tests/kernels/cpu/compare.h>
#include <tests/support/catch.h>

namespace tandem::test {

/// What the tests run on: a card, or an emulated one (main.cpp, emulated.cpp).
Gpu& the_gpu();

/// How many random cases to try where `count` are enough on a card.
inline int rounds(int count) {
  return (count + the_gpu().thinning() - 1) / the_gpu().thinning();
}

inline void expect_gpu(const Comparison& comparison, Random& random, double steps = 4, double scale = 0,
                       bool dense_results = false) {
  static const KernelTable table = gpu_table(the_gpu());
  const std::string text = comparison.check(table, random, steps, scale, dense_results);
  INFO(text);
  CHECK(text.empty());
}

/// Into row-major results, which faster kernels may take, and into strided ones.
inline void expect_gpu_twice(const Comparison& comparison, Random& random, double steps = 4, double scale = 0) {
  expect_gpu(comparison, random, steps, scale, true);
  expect_gpu(comparison, random, steps, scale, false);
}

inline DType any_of(Random& random, const std::vector<DType>& dtypes) {
  return dtypes[random() % dtypes.size()];
}

inline const std::vector<DType> gpu_floats{DType::f64, DType::f32, DType::f16, DType::bf16};
inline const std::vector<DType> gpu_numbers{DType::f64, DType::f32, DType::f16, DType::bf16,
                                            DType::i64, DType::i32, DType::u8};

}  // namespace tandem::test
