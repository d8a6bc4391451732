// What reference kernels of reductions and scans compute.
#include "tests/support/catch.h"

#include "tests/kernels/reference/run_kernel.h"

using namespace tandem;
using namespace tandem::test;

namespace {

const Tensor& table() {
  static const Tensor x = tensor(DType::f32, {2, 3}, {1, 5, 3, 4, 2, 6});
  return x;
}

}  // namespace

TEST_CASE("reference: reductions fold over their axes") {
  ReferenceRun run;
  const auto reduce = [&](const char* op, std::vector<Dim> axes, bool keepdims = false) {
    return run.values(op, {table()}, {{"axes", std::move(axes)}, {"keepdims", keepdims}});
  };
  CHECK(reduce("sum", {0}) == Same{{5, 7, 9}});
  CHECK(reduce("sum", {-1}) == Same{{9, 12}});
  CHECK(reduce("sum", {1, 0}) == Same{{21}});
  CHECK(reduce("sum", {0}, true) == Same{{5, 7, 9}});
  CHECK(reduce("mean", {1}) == Same{{3, 4}});
  CHECK(reduce("prod", {1}) == Same{{15, 48}});
  CHECK(reduce("reduce_max", {1}) == Same{{5, 6}});
  CHECK(reduce("reduce_min", {0}, true) == Same{{1, 2, 3}});
  CHECK(reduce("any", {0}) == Same{{1, 1, 1}});
}

TEST_CASE("reference: a reduction over a middle axis keeps the others apart") {
  ReferenceRun run;
  const Tensor x = tensor(DType::i32, {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(run.values("sum", {x}, {{"axes", {1}}}) == Same{{4, 6, 12, 14}});
  CHECK(run.values("sum", {x}, {{"axes", {0, 2}}, {"keepdims", true}}) == Same{{14, 22}});
}

TEST_CASE("reference: sums of bf16 are not rounded in between") {
  ReferenceRun run;
  CHECK(run.values("sum", {tensor(DType::bf16, {3}, {256, 1, 1})}, {{"axes", {0}}}) == Same{{258}});
}

TEST_CASE("reference: integer sums and products wrap around") {
  ReferenceRun run;
  const Tensor x = tensor(DType::i8, {2}, {100, 100});
  CHECK(run.values("sum", {x}, {{"axes", {0}}}) == Same{{-56}});
  CHECK(run.values("prod", {x}, {{"axes", {0}}}) == Same{{16}});
  CHECK(run.values("cumsum", {x}, {{"axis", 0}}) == Same{{100, -56}});
}

TEST_CASE("reference: over nothing there is the neutral element") {
  ReferenceRun run;
  const auto reduce = [&](const char* op, DType dtype) {
    return run.values(op, {tensor(dtype, {1, 0}, {})}, {{"axes", {1}}});
  };
  CHECK(reduce("sum", DType::f32) == Same{{0}});
  CHECK(reduce("prod", DType::f32) == Same{{1}});
  CHECK(reduce("mean", DType::f32) == Same{{NaN}});
  CHECK(reduce("reduce_max", DType::f32) == Same{{-inf}});
  CHECK(reduce("reduce_min", DType::f32) == Same{{inf}});
  CHECK(reduce("sum", DType::i8) == Same{{0}});
  CHECK(reduce("prod", DType::i8) == Same{{1}});
  CHECK(reduce("reduce_max", DType::i8) == Same{{-128}});
  CHECK(reduce("reduce_min", DType::i8) == Same{{127}});
  CHECK(reduce("reduce_max", DType::u8) == Same{{0}});
  CHECK(reduce("reduce_min", DType::u8) == Same{{255}});
  CHECK(reduce("reduce_min", DType::i32) == Same{{2147483647}});
  CHECK(reduce("any", DType::f32) == Same{{0}});
  CHECK(reduce("all", DType::f32) == Same{{1}});
}

TEST_CASE("reference: maximum and minimum give NaN if one is NaN") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {3, 2}, {NaN, 1, 2, NaN, 3, 4});
  CHECK(run.values("reduce_max", {x}, {{"axes", {1}}}) == Same{{NaN, NaN, 4}});
  CHECK(run.values("reduce_min", {x}, {{"axes", {1}}}) == Same{{NaN, NaN, 3}});
}

TEST_CASE("reference: any and all take what is not zero for true") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {3, 2}, {0, -0.0, 0, NaN, 1, -2});
  CHECK(run.values("any", {x}, {{"axes", {1}}}) == Same{{0, 1, 1}});
  CHECK(run.values("all", {x}, {{"axes", {1}}}) == Same{{0, 0, 1}});
}

TEST_CASE("reference: argmax and argmin give the first of equals, or the first NaN") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {4, 3}, {1, 3, 3, 2, 1, 1, 5, NaN, NaN, NaN, 9, 0});
  CHECK(run.values("argmax", {x}, {{"axis", 1}}) == Same{{1, 0, 1, 0}});
  CHECK(run.values("argmin", {x}, {{"axis", -1}}) == Same{{0, 1, 1, 0}});
  CHECK(run.values("argmax", {x}, {{"axis", 0}, {"keepdims", true}}) == Same{{3, 2, 2}});
  // As doubles these two are equal.
  constexpr std::int64_t big = std::numeric_limits<std::int64_t>::max();
  CHECK(run.values("argmax", {integers({2}, {big - 1, big})}, {{"axis", 0}}) == Same{{1}});
  CHECK(run.values("argmax", {tensor(DType::f32, {0, 3}, {})}, {{"axis", 1}}) == Same{{}});
}

TEST_CASE("reference: cumsum runs along an axis") {
  ReferenceRun run;
  CHECK(run.values("cumsum", {table()}, {{"axis", 1}}) == Same{{1, 6, 9, 4, 6, 12}});
  CHECK(run.values("cumsum", {table()}, {{"axis", 0}}) == Same{{1, 5, 3, 5, 7, 9}});
  // The running sum is not rounded, only what is stored of it.
  CHECK(run.values("cumsum", {tensor(DType::bf16, {3}, {256, 1, 1})}, {{"axis", 0}}) == Same{{256, 256, 258}});
  CHECK(run.values("cumsum", {tensor(DType::f32, {0}, {})}, {{"axis", 0}}) == Same{{}});
}
