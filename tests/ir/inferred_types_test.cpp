// Remembered type inference gives what inference gives, whatever was asked before.
#include <tandem/ir/inferred_types.h>

#include <vector>

#include "tests/support/catch.h"

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>

using namespace tandem;

TEST_CASE("Types that are remembered are those that are inferred", "[inference]") {
  const auto context = Context::create();
  InferredTypes types(*context);
  const auto of = [&](OpId op, const std::vector<TensorType>& operands, const std::vector<Attribute>& attrs) {
    const auto found = types.of(op, operands, attrs);
    return std::vector<TensorType>(found.begin(), found.end());
  };
  const auto split = [&](std::int64_t a, std::int64_t b) {
    return std::vector<Attribute>{
        Attribute::of(std::int64_t{-1}),
        Attribute::of(context->shape(std::vector<Dim>{Dim(a), Dim(b)})),
    };
  };
  // More questions than are remembered, each asked twice and in two orders.
  for (const int round : {0, 1}) {
    for (std::int64_t i = 1; i < 400; ++i) {
      const std::int64_t a = round == 0 ? i : 400 - i;
      const std::vector<TensorType> x = {context->type(DType::bf16, {Dim(2), Dim(400)})};
      for (int again = 0; again < 2; ++again) {
        const auto parts = of(op::split, x, split(a, 400 - a));
        REQUIRE(parts.size() == 2);
        REQUIRE(parts[0] == context->type(DType::bf16, {Dim(2), Dim(a)}));
        REQUIRE(parts[1] == context->type(DType::bf16, {Dim(2), Dim(400 - a)}));
      }
    }
  }
  SECTION("the same shapes of another dtype are another question") {
    const std::vector<TensorType> f32 = {context->type(DType::f32, {Dim(2), Dim(400)})};
    CHECK(of(op::split, f32, split(1, 399))[0].dtype == DType::f32);
  }
  SECTION("what cannot be inferred throws each time, and leaves the rest as it was") {
    const std::vector<TensorType> x = {context->type(DType::bf16, {Dim(2), Dim(400)})};
    CHECK_THROWS_AS(of(op::split, x, split(1, 1)), Error);
    CHECK_THROWS_AS(of(op::split, x, split(1, 1)), Error);
    CHECK(of(op::split, x, split(1, 399)).size() == 2);
  }
}
