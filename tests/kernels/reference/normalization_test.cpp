// What reference kernels of softmax and norms compute.
#include "tests/support/catch.h"

#include <cmath>

#include "tests/kernels/reference/run_kernel.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("reference: softmax sums to 1 and does not overflow") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f64, {2, 2}, {0, std::log(3.0), 1000, 1000});
  const std::vector<double> y = run.values("softmax", {x}, {{"axis", 1}});
  CHECK(y[0] == Approx(0.25));
  CHECK(y[1] == Approx(0.75));
  CHECK(y[2] == 0.5);
  CHECK(y[3] == 0.5);
}

TEST_CASE("reference: softmax of infinities and NaN") {
  ReferenceRun run;
  const auto softmax = [&](const std::vector<double>& x) {
    return run.values("softmax", {tensor(DType::f32, {2}, x)}, {{"axis", 0}});
  };
  CHECK(softmax({-inf, 1}) == Same{{0, 1}});
  CHECK(softmax({-inf, -inf}) == Same{{NaN, NaN}});
  CHECK(softmax({inf, 1}) == Same{{NaN, NaN}});
  CHECK(softmax({NaN, 1}) == Same{{NaN, NaN}});
}

TEST_CASE("reference: softmax over another axis") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {2, 2}, {0, 5, 0, 5});
  CHECK(run.values("softmax", {x}, {{"axis", 0}}) == Same{{0.5, 0.5, 0.5, 0.5}});
  CHECK(run.values("softmax", {tensor(DType::f32, {0, 2}, {})}, {{"axis", 0}}) == Same{{}});
}

TEST_CASE("reference: rms_norm divides by the root of the mean square") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {2, 4}, {1, 1, 1, 1, 2, -2, 2, -2});
  CHECK(run.values("rms_norm", {x}, {{"eps", 0.0}}) == Same{{1, 1, 1, 1, 1, -1, 1, -1}});
  CHECK(run.values("rms_norm", {x, tensor(DType::f32, {4}, {1, 2, 3, 4})}, {{"eps", 0.0}}) ==
        Same{{1, 2, 3, 4, 1, -2, 3, -4}});
  CHECK(run.values("rms_norm", {x}, {{"eps", 3.0}})[0] == 0.5);
  CHECK(run.values("rms_norm", {tensor(DType::f32, {2}, {0, 0})}, {{"eps", 0.0}}) == Same{{NaN, NaN}});
  CHECK(run.values("rms_norm", {tensor(DType::f32, {0, 4}, {})}, {{"eps", 0.0}}) == Same{{}});
  CHECK(run.values("rms_norm", {tensor(DType::f32, {4, 0}, {})}, {{"eps", 0.0}}) == Same{{}});
}

TEST_CASE("reference: round_before_weight rounds to x's dtype before the weight") {
  ReferenceRun run;
  // x / rms is 3 / sqrt(5) = 1.341641, which in bf16 is 1.34375. The weight is chosen so that this matters: the product
  // lies on the other side of the middle between two bf16 numbers.
  const Tensor x = tensor(DType::bf16, {2}, {1, 3});
  const Tensor weight = tensor(DType::f32, {2}, {1, 1.0029296875});
  const double exact = 3 / std::sqrt(5.0);
  const double once = round_to(DType::bf16, exact * 1.0029296875);
  const double twice = round_to(DType::bf16, round_to(DType::bf16, exact) * 1.0029296875);
  REQUIRE(once != twice);
  CHECK(run.values("rms_norm", {x, weight}, {{"eps", 0.0}})[1] == once);
  CHECK(run.values("rms_norm", {x, weight}, {{"eps", 0.0}, {"round_before_weight", true}})[1] == twice);
}

TEST_CASE("reference: layer_norm takes the mean away first") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {2, 2}, {1, 3, -5, 5});
  CHECK(run.values("layer_norm", {x}, {{"eps", 0.0}}) == Same{{-1, 1, -1, 1}});
  const Tensor weight = tensor(DType::f32, {2}, {2, 3});
  CHECK(run.values("layer_norm", {x, weight}, {{"eps", 0.0}}) == Same{{-2, 3, -2, 3}});
  CHECK(run.values("layer_norm", {x, weight, tensor(DType::f32, {2}, {10, 20})}, {{"eps", 0.0}}) ==
        Same{{8, 23, 8, 23}});
  CHECK(run.values("layer_norm", {x}, {{"eps", 3.0}})[0] == -0.5);
}
