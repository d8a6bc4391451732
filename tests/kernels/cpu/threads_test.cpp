// Results do not depend on how many threads compute them.
#include <oneapi/tbb/global_control.h>

#include <cstring>

#include <tests/kernels/cpu/compare.h>
#include <tests/support/catch.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// The bytes of the first result, computed by at most `threads` threads.
std::vector<std::byte> bytes_with(std::size_t threads, const Comparison& comparison) {
  const oneapi::tbb::global_control limit(oneapi::tbb::global_control::max_allowed_parallelism, threads);
  Random random(1);
  const Tensor y = comparison.run(cpu_kernels(), random, true).front();
  std::vector<std::byte> out(static_cast<std::size_t>(y.view.size()) * byte_size(y.view.dtype));
  std::memcpy(out.data(), y.view.data, out.size());
  return out;
}

}  // namespace

TEST_CASE("cpu: one thread and several give the same bits") {
  Random random(21);
  const auto dense = [&](DType dtype, std::vector<std::int64_t> shape) {
    return random_tensor(random, dtype, std::move(shape), Values::ordinary, true);
  };
  const std::vector<Comparison> comparisons{
      {"linear", {dense(DType::bf16, {200, 700}), dense(DType::bf16, {300, 700})}},
      {"linear", {dense(DType::f32, {3, 2000}), dense(DType::f32, {900, 2000})}},
      {"matmul", {dense(DType::f32, {4, 150, 300}), dense(DType::f32, {4, 300, 170})}},
      {"rms_norm", {dense(DType::bf16, {500, 700})}, {{"eps", 1e-6}}},
      {"softmax", {dense(DType::f32, {300, 500})}, {{"axis", -1}}},
      {"sum", {dense(DType::f32, {300, 500})}, {{"axes", {0}}}},
      {"silu", {dense(DType::f16, {300, 500})}},
      {"attention",
       {dense(DType::f32, {4, 100, 64}), dense(DType::f32, {4, 120, 64}), dense(DType::f32, {4, 120, 64})},
       {{"scale", 0.125}, {"causal", true}}},
  };
  for (const Comparison& c : comparisons)
    CHECK(bytes_with(1, c) == bytes_with(4, c));
}
