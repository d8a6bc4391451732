// What reference kernels without operands compute.
#include "tests/support/catch.h"

#include "tests/kernels/reference/run_kernel.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("reference: a constant is its literal") {
  ReferenceRun run;
  TensorLiteral literal{run.context().type(DType::i16, {2, 2}), std::vector<std::byte>(8)};
  const std::array<std::int16_t, 4> numbers{1, -2, 300, 0};
  std::memcpy(literal.data.data(), numbers.data(), 8);
  CHECK(run.values("constant", {}, {{"value", literal}}) == Same{{1, -2, 300, 0}});
  const TensorLiteral empty{run.context().type(DType::i16, {0}), {}};
  CHECK(run.values("constant", {}, {{"value", empty}}) == Same{{}});
}

TEST_CASE("reference: full rounds its value to the dtype") {
  ReferenceRun run;
  const auto full = [&](std::vector<Dim> shape, double value, DType dtype) {
    return run.values("full", {}, {{"shape", std::move(shape)}, {"value", value}, {"dtype", dtype}});
  };
  CHECK(full({2, 1}, 257, DType::bf16) == Same{{256, 256}});
  CHECK(full({}, -inf, DType::f32) == Same{{-inf}});
  CHECK(full({run.bind("T", 3)}, -7, DType::i8) == Same{{-7, -7, -7}});
  CHECK(full({1}, 1, DType::boolean) == Same{{1}});
  CHECK(full({0}, 1, DType::f32) == Same{{}});
}

TEST_CASE("reference: iota counts in 64-bit integers and rounds each element once") {
  ReferenceRun run;
  CHECK(run.values("iota", {}, {{"length", 4}, {"start", run.bind("S", 5)}, {"step", -2}}) == Same{{5, 3, 1, -1}});
  CHECK(run.values("iota", {}, {{"length", run.bind("T", 3)}, {"start", 255}, {"dtype", DType::bf16}}) ==
        Same{{255, 256, 256}});
  CHECK(run.values("iota", {}, {{"length", 0}}) == Same{{}});
}

TEST_CASE("reference: dim_value is the size that a symbol has at run time") {
  ReferenceRun run;
  const Dim T = run.bind("T", 12);
  CHECK(run.values("dim_value", {}, {{"value", T * 2 + 1}}) == Same{{25}});
  CHECK(run.values("dim_value", {}, {{"value", T}, {"dtype", DType::f16}}) == Same{{12}});
}
