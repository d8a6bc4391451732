// What ops without operands accept.
#include "tests/support/catch.h"

#include <limits>

#include "tests/ir/ops/inference.h"

using namespace tandem;
using tandem::test::TypeInference;

namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("a constant has the type of its literal, whose data must fill it") {
  TypeInference infer;
  const TensorLiteral good{infer.context().type(DType::i16, {2, 3}), std::vector<std::byte>(12)};
  CHECK(infer("constant", {}, {{"value", good}}) == "i16[2, 3]");
  const TensorLiteral empty{infer.context().type(DType::i16, {0}), {}};
  CHECK(infer("constant", {}, {{"value", empty}}) == "i16[0]");
  const TensorLiteral shorter{infer.context().type(DType::i16, {2, 3}), std::vector<std::byte>(11)};
  CHECK(infer.refusal("constant", {}, {{"value", shorter}}) ==
        "'value' is of type i16[2, 3], which takes 12 bytes, but has 11");
  const TensorLiteral symbolic{infer.context().type(DType::i16, {infer.dim("T")}), {}};
  CHECK(infer.refusal("constant", {}, {{"value", symbolic}}) ==
        "'value' is of type i16[T]; expected a shape of constants, none negative");
  const TensorLiteral huge{infer.context().type(DType::f64, {Dim::max_constant, 16}), {}};
  CHECK(infer.refusal("constant", {}, {{"value", huge}}) ==
        "'value' is of type f64[2305843009213693952, 16], which is too large");
}

TEST_CASE("full has a shape and a value that its dtype can hold") {
  TypeInference infer;
  const auto full = [&](std::vector<Dim> shape, double value, DType dtype) {
    return infer.refusal("full", {}, {{"shape", shape}, {"value", value}, {"dtype", dtype}});
  };
  CHECK(full({infer.dim("T"), 4}, 0.1, DType::bf16) == "accepted: bf16[T, 4]");
  CHECK(full({}, -std::numeric_limits<double>::infinity(), DType::f32) == "accepted: f32[]");
  CHECK(full({4}, 255, DType::u8) == "accepted: u8[4]");
  CHECK(full({4}, -0x1p63, DType::i64) == "accepted: i64[4]");
  CHECK(full({-1}, 0, DType::f32) == "'shape'[0] is -1; a size cannot be negative");
  CHECK(full({3, infer.dim("-T - 1")}, 0, DType::f32) == "'shape'[1] is -T - 1; a size cannot be negative");
  CHECK(full({4}, 256, DType::u8) == "'value' is 256.0, which is no u8; expected an integer from 0 to 255");
  CHECK(full({4}, 1.5, DType::i8) == "'value' is 1.5, which is no i8; expected an integer from -128 to 127");
  CHECK(full({4}, 2, DType::boolean) == "'value' is 2.0, which is no bool; expected an integer from 0 to 1");
  CHECK(full({4}, std::numeric_limits<double>::quiet_NaN(), DType::i32) ==
        "'value' is nan, which is no i32; expected an integer from -2147483648 to 2147483647");
  CHECK(
      full({4}, 0x1p63, DType::i64).ends_with("expected an integer from -9223372036854775808 to 9223372036854775807"));
  CHECK(full(std::vector<Dim>(17, Dim(1)), 0, DType::f32) == "'shape' has rank 17; the most is 16");
}

TEST_CASE("iota has a length and values that its dtype can hold") {
  TypeInference infer;
  const auto iota = [&](Dim length, Dim start, std::int64_t step, DType dtype) {
    return infer.refusal("iota", {}, {{"length", length}, {"start", start}, {"step", step}, {"dtype", dtype}});
  };
  CHECK(infer("iota", {}, {{"length", infer.dim("T + 1")}}) == "i64[T + 1]");
  CHECK(iota(128, 0, 1, DType::i8) == "accepted: i8[128]");
  CHECK(iota(0, 500, 1, DType::i8) == "accepted: i8[0]");
  CHECK(iota(4, -3, -1, DType::f16) == "accepted: f16[4]");
  CHECK(iota(-1, 0, 1, DType::i64) == "'length' is -1; a size cannot be negative");
  CHECK(iota(129, 0, 1, DType::i8) ==
        "'start + step * (length - 1)' is 128, which is no i8; expected an integer from -128 to 127");
  CHECK(iota(1, -1, 1, DType::u8) == "'start' is -1, which is no u8; expected an integer from 0 to 255");
  CHECK(iota(3, 0, int64_max, DType::i64) ==
        "the last of 3 elements from 0 in steps of 9223372036854775807 is no 64-bit integer");
  CHECK(iota(3, 0, 1, DType::boolean) == "'dtype' is bool; expected a float or integer dtype");
}

TEST_CASE("dim_value is a scalar that its dtype can hold") {
  TypeInference infer;
  CHECK(infer("dim_value", {}, {{"value", infer.dim("T - 1")}}) == "i64[]");
  CHECK(infer("dim_value", {}, {{"value", 7}, {"dtype", DType::f32}}) == "f32[]");
  CHECK(infer.refusal("dim_value", {}, {{"value", 128}, {"dtype", DType::i8}}) ==
        "'value' is 128, which is no i8; expected an integer from -128 to 127");
  CHECK(infer.refusal("dim_value", {}, {{"value", 1}, {"dtype", DType::boolean}}) ==
        "'dtype' is bool; expected a float or integer dtype");
}

TEST_CASE("return takes anything and has no results") {
  TypeInference infer;
  CHECK(infer("return", {"f32[T]", "bool[]"}) == "");
  CHECK(infer("return", {}) == "");
}
