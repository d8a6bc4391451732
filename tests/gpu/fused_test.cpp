// Fused kernels of the GPU against the float64 reference.
#include <tests/gpu/gpu_test.h>

using namespace tandem;
using namespace tandem::test;

namespace {

const std::vector<DType> activations{DType::f32, DType::f16, DType::bf16};
const std::vector<DType> small_floats{DType::f8e4m3, DType::f8e4m3fnuz, DType::f8e5m2};

/// Where several roundings to `dtype` follow each other: one unit of it more.
double steps(DType dtype) {
  return dtype == DType::f64 ? 16 : 16 + 2 * epsilon(dtype) / epsilon(DType::f32);
}

}  // namespace

TEST_CASE("gpu: add + norm agrees with the reference") {
  Random random(1);
  for (int i = 0; i < rounds(24); ++i) {
    const DType dtype = activations[static_cast<std::size_t>(i) % activations.size()];
    std::vector<std::int64_t> shape = random_shape(random, 1, 3);
    const bool dense = i % 2 == 0;
    shape.back() = dense ? 8 * pick(random, 1, 1500) : pick(random, 1, 300);
    const bool round = random() % 2 == 0;
    expect_gpu_twice({"fused_add_rms_norm",
                      {random_tensor(random, dtype, shape, Values::ordinary, dense),
                       random_tensor(random, dtype, shape, Values::ordinary, dense),
                       random_tensor(random, i % 3 == 0 ? DType::f32 : dtype, {shape.back()}, Values::ordinary, dense)},
                      {{"eps", 1e-6}, {"round_before_weight", round}}},
                     random, steps(dtype));
  }
}

TEST_CASE("gpu: SiLU-and-mul agrees with the reference") {
  Random random(2);
  for (int i = 0; i < rounds(12); ++i) {
    const DType dtype = any_of(random, activations);
    std::vector<std::int64_t> shape = random_shape(random, 1, 3);
    shape.back() = 2 * pick(random, 1, 100);
    expect_gpu_twice({"fused_silu_and_mul", {random_tensor(random, dtype, shape, Values::with_edges)}}, random,
                     steps(dtype));
  }
}

TEST_CASE("gpu: norm + rope of heads agrees with the reference") {
  Random random(3);
  for (int i = 0; i < rounds(12); ++i) {
    const DType dtype = any_of(random, activations);
    const std::int64_t half = pick(random, 1, 80), tokens = pick(random, 0, 6);
    expect_gpu_twice(
        {"fused_qk_norm_rope",
         {random_tensor(random, dtype, {tokens, 4, 2 * half}), random_tensor(random, dtype, {tokens, 2, 2 * half}),
          random_tensor(random, dtype, {2 * half}), random_tensor(random, dtype, {2 * half}),
          random_tensor(random, DType::f32, {tokens, 1, half}), random_tensor(random, DType::f32, {tokens, 1, half})},
         {{"eps_q", 1e-6}, {"eps_k", 1e-5}, {"interleaved", random() % 2 == 0}}},
        random, steps(dtype), 16);
  }
}

// A value that lies near the middle between two codes may be rounded either way: one step of the 8-bit float is
// allowed.
TEST_CASE("gpu: quantised norms and activations agree with the reference") {
  Random random(4);
  for (const DType out : small_floats)
    for (int i = 0; i < rounds(8); ++i) {
      const DType dtype = any_of(random, activations);
      const double one_code = epsilon(out) / epsilon(DType::f32);
      std::vector<std::int64_t> shape = random_shape(random, 1, 2);
      shape.back() = 32 * pick(random, 1, 9);
      Tensor scale = Tensor::zeros(DType::f32, std::vector<std::int64_t>{1});
      store_element(scale.view, 0, 0.037);
      const Tensor x = random_tensor(random, dtype, shape);
      const Tensor weight = random_tensor(random, dtype, {shape.back()});
      INFO(to_string(dtype) << " to " << to_string(out));
      expect_gpu_twice({"fused_rms_norm_static_quant", {x, weight, scale}, {{"eps", 1e-6}, {"dtype", out}}}, random,
                       one_code);
      expect_gpu_twice({"fused_silu_and_mul_static_quant", {x, scale}, {{"dtype", out}}}, random, one_code);
      for (const int group : {0, 32})
        expect_gpu_twice(
            {"fused_rms_norm_dynamic_quant", {x, weight}, {{"eps", 1e-6}, {"dtype", out}, {"group", group}}}, random,
            one_code);
    }
}
