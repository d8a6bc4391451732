// What reference kernels that move elements do.
#include "tests/support/catch.h"

#include "tests/kernels/reference/run_kernel.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// 0, 1, 2, ... under a shape.
Tensor counting(const Sizes& shape, DType dtype = DType::f32) {
  Tensor t = Tensor::zeros(dtype, shape);
  for (std::int64_t i = 0; i < t.view.size(); ++i)
    store_element(t.view, i, static_cast<double>(i));
  return t;
}

}  // namespace

TEST_CASE("reference: split cuts along an axis") {
  ReferenceRun run;
  const std::vector<NamedAttr> attrs{{"axis", -1}, {"sizes", {1, 0, 2}}};
  for (const Tensor& x : {counting({2, 3}), strided(counting({2, 3}))}) {
    const std::vector<Tensor> parts = run.all("split", {x}, attrs);
    REQUIRE(parts.size() == 3);
    CHECK(values(parts[0]) == Same{{0, 3}});
    CHECK(values(parts[1]) == Same{{}});
    CHECK(values(parts[2]) == Same{{1, 2, 4, 5}});
  }
}

TEST_CASE("reference: slice takes every step-th element") {
  ReferenceRun run;
  const auto slice = [&](const Tensor& x, int axis, Dim start, Dim end, int step) {
    return run.values("slice", {x}, {{"axis", axis}, {"start", start}, {"end", end}, {"step", step}});
  };
  CHECK(slice(counting({2, 5}), 1, 1, 5, 2) == Same{{1, 3, 6, 8}});
  CHECK(slice(counting({3, 2}, DType::i64), 0, 1, 3, 1) == Same{{2, 3, 4, 5}});
  CHECK(slice(counting({3}), 0, 3, 3, 1) == Same{{}});
  CHECK(slice(counting({4}), 0, run.bind("S", 1), 4, 1) == Same{{1, 2, 3}});
}

TEST_CASE("reference: a symbolic slice that turns out to lie outside is an error") {
  ReferenceRun run;
  const Dim S = run.bind("S", 5);
  const Dim U = run.bind("U", 2);
  const Tensor x = counting({4});
  const auto slice = [&](Dim start, Dim end) {
    return run.refusal("slice", {x}, {{"axis", 0}, {"start", start}, {"end", end}});
  };
  CHECK(slice(0, S) == "run.index: slice: elements 0 to 5 are out of range for axis 0, which has 4 elements");
  CHECK(slice(3, U) == "run.index: slice: elements 3 to 2 are out of range for axis 0, which has 4 elements");
  CHECK(slice(U - 3, 4) == "run.index: slice: elements -1 to 4 are out of range for axis 0, which has 4 elements");
}

TEST_CASE("reference: concat joins along an axis") {
  ReferenceRun run;
  CHECK(run.values("concat", {counting({2, 1}), counting({2, 0}), counting({2, 2})}, {{"axis", 1}}) ==
        Same{{0, 0, 1, 1, 2, 3}});
  CHECK(run.values("concat", {counting({1, 2}, DType::boolean), counting({1, 2}, DType::boolean)}, {{"axis", 0}}) ==
        Same{{0, 1, 0, 1}});
}

TEST_CASE("reference: reshape keeps the row-major order") {
  ReferenceRun run;
  CHECK(run.values("reshape", {counting({2, 3})}, {{"shape", {3, 2}}}) == Same{{0, 1, 2, 3, 4, 5}});
  CHECK(run.values("reshape", {counting({1, 1})}, {{"shape", std::vector<Dim>{}}}) == Same{{0}});
  CHECK(run.values("reshape", {counting({0, 3})}, {{"shape", {5, 0}}}) == Same{{}});
}

TEST_CASE("reference: transpose moves axes") {
  ReferenceRun run;
  const Tensor y = run("transpose", {counting({2, 3, 2})}, {{"perm", {2, 0, 1}}});
  CHECK(y.view.shape[0] == 2);
  CHECK(y.view.shape[1] == 2);
  CHECK(y.view.shape[2] == 3);
  CHECK(run.values("transpose", {counting({2, 3, 2})}, {{"perm", {2, 0, 1}}}) ==
        Same{{0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11}});
}

TEST_CASE("reference: expand repeats") {
  ReferenceRun run;
  CHECK(run.values("expand", {counting({2, 1})}, {{"shape", {2, 2, 3}}}) == Same{{0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1}});
  CHECK(run.values("expand", {tensor(DType::f16, {}, {7})}, {{"shape", {3}}}) == Same{{7, 7, 7}});
  CHECK(run.values("expand", {counting({1})}, {{"shape", {0}}}) == Same{{}});
}

TEST_CASE("reference: pad surrounds") {
  ReferenceRun run;
  CHECK(run.values("pad", {counting({1, 2})}, {{"low", {1, 0}}, {"high", {0, 1}}, {"value", -1.5}}) ==
        Same{{-1.5, -1.5, -1.5, 0, 1, -1.5}});
  CHECK(run.values("pad", {counting({0}, DType::i8)}, {{"low", {1}}, {"high", {1}}, {"value", 9}}) == Same{{9, 9}});
  const Dim S = run.bind("S", 0);
  CHECK(run.refusal("pad", {counting({3})}, {{"low", {S - 1}}, {"high", {2}}}) ==
        "run.index: pad: 'low' or 'high' is negative for axis 0");
}
