// What reductions and scans accept.
#include "tests/support/catch.h"

#include "tests/ir/ops/inference.h"

using namespace tandem;
using tandem::test::TypeInference;

TEST_CASE("a reduction drops its axes or keeps them as ones") {
  TypeInference infer;
  for (const char* op : {"sum", "mean", "prod", "reduce_max", "reduce_min"}) {
    CAPTURE(op);
    CHECK(infer(op, {"f32[A, B, C]"}, {{"axes", {0, -1}}}) == "f32[B]");
    CHECK(infer(op, {"f32[A, B, C]"}, {{"axes", {0, -1}}, {"keepdims", true}}) == "f32[1, B, 1]");
    CHECK(infer(op, {"f32[]"}, {{"axes", std::vector<Dim>{}}}) == "f32[]");
  }
  CHECK(infer("any", {"f32[A, B]"}, {{"axes", {1}}}) == "bool[A]");
  CHECK(infer("all", {"bool[A, B]"}, {{"axes", {0, 1}}}) == "bool[]");
}

TEST_CASE("a reduction wants each of its axes once") {
  TypeInference infer;
  const auto sum = [&](std::vector<Dim> axes) {
    return infer.refusal("sum", {"f32[A, B]"}, {{"axes", std::move(axes)}});
  };
  CHECK(sum({2}) == "'axes'[0] is 2, which is no axis of rank 2");
  CHECK(sum({0, -3}) == "'axes'[1] is -3, which is no axis of rank 2");
  CHECK(sum({1, -1}) == "'axes' names axis -1 twice");
  CHECK(sum({infer.dim("T")}) == "'axes'[0] is T; expected a constant");
  CHECK(sum({}) == "'axes' is empty; expected the axes by number");
}

TEST_CASE("sums are of numbers, means of floats") {
  TypeInference infer;
  CHECK(infer("sum", {"i32[4]"}, {{"axes", {0}}}) == "i32[]");
  for (const char* op : {"sum", "prod", "reduce_max", "reduce_min"})
    CHECK(infer.refusal(op, {"bool[4]"}, {{"axes", {0}}}) == "'x' is bool[4]; expected a float or integer dtype");
  CHECK(infer.refusal("mean", {"i32[4]"}, {{"axes", {0}}}) == "'x' is i32[4]; expected a float dtype");
}

TEST_CASE("argmax and argmin give an index, so there must be elements") {
  TypeInference infer;
  for (const char* op : {"argmax", "argmin"}) {
    CAPTURE(op);
    CHECK(infer(op, {"f32[T, 8]"}, {{"axis", -1}}) == "i64[T]");
    CHECK(infer(op, {"bool[T, 8]"}, {{"axis", 0}, {"keepdims", true}}) == "i64[1, 8]");
    CHECK(infer.refusal(op, {"f32[T, 0]"}, {{"axis", 1}}) ==
          "'x' is f32[T, 0]; expected one or more elements along axis 1");
    CHECK(infer.refusal(op, {"f32[]"}, {{"axis", 0}}).find("out of range for rank 0") != std::string::npos);
  }
}

TEST_CASE("cumsum keeps the type") {
  TypeInference infer;
  CHECK(infer("cumsum", {"i64[T, 8]"}, {{"axis", -1}}) == "i64[T, 8]");
  CHECK(infer.refusal("cumsum", {"bool[8]"}, {{"axis", 0}}) == "'x' is bool[8]; expected a float or integer dtype");
  CHECK(infer.refusal("cumsum", {"f32[8]"}, {{"axis", 1}}).find("out of range for rank 1") != std::string::npos);
}
