// What reference kernels of matrix products compute.
#include "tests/support/catch.h"

#include "tests/kernels/reference/run_kernel.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("reference: linear multiplies by the transposed weight and adds the bias") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor weight = tensor(DType::f32, {2, 3}, {1, 0, -1, 2, 1, 0});
  CHECK(run.values("linear", {x, weight}) == Same{{-2, 4, -2, 13}});
  CHECK(run.values("linear", {x, weight, tensor(DType::f32, {2}, {10, 20})}) == Same{{8, 24, 8, 33}});
  CHECK(run.values("linear", {tensor(DType::f32, {3}, {1, 2, 3}), weight}) == Same{{-2, 4}});
}

TEST_CASE("reference: a sum over nothing is 0 and a product without rows empty") {
  ReferenceRun run;
  CHECK(run.values("linear", {tensor(DType::f32, {1, 0}, {}), tensor(DType::f32, {2, 0}, {})}) == Same{{0, 0}});
  CHECK(run.values("linear", {tensor(DType::f32, {1, 2}, {1, 2}), tensor(DType::f32, {0, 2}, {})}) == Same{{}});
  CHECK(run.values("matmul", {tensor(DType::f32, {2, 0}, {}), tensor(DType::f32, {0, 1}, {})}) == Same{{0, 0}});
}

TEST_CASE("reference: products are summed in float64 and rounded once") {
  ReferenceRun run;
  // In bf16 256 + 1 + 1 would stay 256.
  const Tensor x = tensor(DType::bf16, {3}, {256, 1, 1});
  const Tensor ones = tensor(DType::bf16, {1, 3}, {1, 1, 1});
  CHECK(run.values("linear", {x, ones}) == Same{{258}});
  // In float32 2^30 + 1 - 2^30 would be 0.
  const Tensor y = tensor(DType::f32, {3}, {0x1p30, 1, -0x1p30});
  CHECK(run.values("linear", {y, tensor(DType::f32, {1, 3}, {1, 1, 1})}) == Same{{1}});
}

TEST_CASE("reference: matmul broadcasts leading axes") {
  ReferenceRun run;
  const Tensor a = tensor(DType::f32, {2, 1, 1, 2}, {1, 2, 3, 4});
  const Tensor b = tensor(DType::f32, {2, 2, 1}, {1, 10, 2, 20});
  CHECK(run.values("matmul", {a, b}) == Same{{21, 42, 43, 86}});
  const Tensor m = tensor(DType::f64, {2, 2}, {1, 2, 3, 4});
  CHECK(run.values("matmul", {m, tensor(DType::f64, {2, 3}, {1, 0, 5, 0, 1, 6})}) == Same{{1, 2, 17, 3, 4, 39}});
}

TEST_CASE("reference: batch_matmul multiplies pairs of matrices") {
  ReferenceRun run;
  const Tensor a = tensor(DType::f32, {2, 1, 2}, {1, 2, 3, 4});
  const Tensor b = tensor(DType::f32, {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(run.values("batch_matmul", {a, b}) == Same{{7, 10, 43, 50}});
}

TEST_CASE("reference: expert_linear uses the matrix that each row names") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {3, 2}, {1, 2, 3, 4, 5, 6});
  const Tensor weight = tensor(DType::f32, {2, 1, 2}, {1, 1, 10, -10});
  CHECK(run.values("expert_linear", {x, weight, integers({3}, {1, 0, 1})}) == Same{{-10, 7, -10}});
  CHECK(run.refusal("expert_linear", {x, weight, integers({3}, {1, 2, 1})}) ==
        "run.index: expert_linear: index 2 is out of range for axis 0 of 'weight', which has 2 elements; expected an "
        "index from 0, below that");
}

TEST_CASE("reference: conv1d correlates, with zeros beyond the ends") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {1, 1, 4}, {1, 2, 3, 4});
  const Tensor weight = tensor(DType::f32, {1, 1, 2}, {1, 10});
  CHECK(run.values("conv1d", {x, weight}) == Same{{21, 32, 43}});
  CHECK(run.values("conv1d", {x, weight}, {{"padding", 1}}) == Same{{10, 21, 32, 43, 4}});
  CHECK(run.values("conv1d", {x, weight}, {{"padding", 1}, {"stride", 2}}) == Same{{10, 32, 4}});
  CHECK(run.values("conv1d", {x, weight}, {{"dilation", 2}}) == Same{{31, 42}});
  CHECK(run.values("conv1d", {x, weight, tensor(DType::f32, {1}, {0.5})}) == Same{{21.5, 32.5, 43.5}});
}

TEST_CASE("reference: conv1d's groups see their own channels") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {1, 4, 1}, {1, 2, 3, 4});
  const Tensor weight = tensor(DType::f32, {2, 2, 1}, {1, 10, 100, 1000});
  CHECK(run.values("conv1d", {x, weight}, {{"groups", 2}}) == Same{{21, 4300}});
  const Tensor depthwise = tensor(DType::f32, {4, 1, 1}, {1, 2, 3, 4});
  CHECK(run.values("conv1d", {x, depthwise}, {{"groups", 4}}) == Same{{1, 4, 9, 16}});
}
