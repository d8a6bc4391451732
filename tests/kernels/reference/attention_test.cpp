// What reference kernels of attention and rope compute.
#include "tests/support/catch.h"

#include <cmath>

#include "tests/kernels/reference/run_kernel.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("reference: rope turns halves, or neighbours, by an angle") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {1, 4}, {1, 2, 3, 4});
  const Tensor cos = tensor(DType::f32, {2}, {0, 1});
  const Tensor sin = tensor(DType::f32, {2}, {1, 0});
  // The first pair by a quarter turn, the second not at all: (a, b) -> (-b, a).
  CHECK(run.values("rope", {x, cos, sin}) == Same{{-3, 2, 1, 4}});
  CHECK(run.values("rope", {x, cos, sin}, {{"interleaved", true}}) == Same{{-2, 1, 3, 4}});
}

TEST_CASE("reference: rope's angles broadcast over heads") {
  ReferenceRun run;
  const Tensor x = tensor(DType::bf16, {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor cos = tensor(DType::f32, {2, 1, 1}, {1, 0});
  const Tensor sin = tensor(DType::f32, {2, 1, 1}, {0, 1});
  CHECK(run.values("rope", {x, cos, sin}) == Same{{1, 2, 3, 4, -6, 5, -8, 7}});
}

TEST_CASE("reference: attention weighs values by the softmax of the scores") {
  ReferenceRun run;
  // Scores are log 3 and 0, so the weights are 3/4 and 1/4.
  const Tensor q = tensor(DType::f64, {1, 1}, {2 * std::log(3.0)});
  const Tensor k = tensor(DType::f64, {2, 1}, {1, 0});
  const Tensor v = tensor(DType::f64, {2, 2}, {4, 8, 0, 16});
  const std::vector<double> y = run.values("attention", {q, k, v}, {{"scale", 0.5}});
  REQUIRE(y.size() == 2);
  CHECK(y[0] == Approx(3));
  CHECK(y[1] == Approx(10));
}

TEST_CASE("reference: attention's masks") {
  ReferenceRun run;
  const Tensor q = tensor(DType::f32, {2, 1}, {0, 0});
  const Tensor k = tensor(DType::f32, {2, 1}, {0, 0});
  const Tensor v = tensor(DType::f32, {2, 1}, {2, 4});
  const auto masked = [&](const Tensor& mask) { return run.values("attention", {q, k, v, mask}, {{"scale", 1.0}}); };
  CHECK(run.values("attention", {q, k, v}, {{"scale", 1.0}}) == Same{{3, 3}});
  CHECK(masked(tensor(DType::boolean, {2, 2}, {1, 0, 0, 1})) == Same{{2, 4}});
  CHECK(masked(tensor(DType::boolean, {1, 2}, {0, 1})) == Same{{4, 4}});
  CHECK(masked(tensor(DType::f32, {2, 2}, {0, -inf, 0, 0})) == Same{{2, 3}});
  CHECK(masked(tensor(DType::boolean, {2, 2}, {0, 0, 1, 1})) == Same{{0, 3}});
}

TEST_CASE("reference: causal attention keeps n <= m + N - M") {
  ReferenceRun run;
  const Tensor k = tensor(DType::f32, {3, 1}, {0, 0, 0});
  const Tensor v = tensor(DType::f32, {3, 1}, {3, 6, 12});
  const auto causal = [&](std::int64_t m) {
    const Tensor q = tensor(DType::f32, {m, 1}, std::vector<double>(static_cast<std::size_t>(m), 0.0));
    return run.values("attention", {q, k, v}, {{"scale", 1.0}, {"causal", true}});
  };
  CHECK(causal(3) == Same{{3, 4.5, 7}});
  CHECK(causal(2) == Same{{4.5, 7}});
  CHECK(causal(4) == Same{{0, 3, 4.5, 7}});
}

TEST_CASE("reference: attention keeps batches apart") {
  ReferenceRun run;
  const Tensor q = tensor(DType::f32, {2, 1, 1}, {0, 0});
  const Tensor k = tensor(DType::f32, {2, 2, 1}, {0, 0, 0, 0});
  const Tensor v = tensor(DType::f32, {2, 2, 1}, {1, 3, 10, 30});
  CHECK(run.values("attention", {q, k, v}, {{"scale", 1.0}}) == Same{{2, 20}});
}

TEST_CASE("reference: attention over no keys is 0") {
  ReferenceRun run;
  const Tensor q = tensor(DType::f32, {1, 1}, {1});
  const Tensor none = tensor(DType::f32, {0, 1}, {});
  CHECK(run.values("attention", {q, none, none}, {{"scale", 1.0}}) == Same{{0}});
}
