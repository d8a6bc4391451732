// What elementwise ops accept.
#include "tests/support/catch.h"

#include "tests/ir/ops/inference.h"

using namespace tandem;
using tandem::test::TypeInference;

TEST_CASE("unary arithmetic keeps the type and refuses bool") {
  TypeInference infer;
  for (const char* op : {"neg", "abs", "sign", "square", "relu"}) {
    CAPTURE(op);
    CHECK(infer(op, {"bf16[T, 8]"}) == "bf16[T, 8]");
    CHECK(infer(op, {"i8[]"}) == "i8[]");
    CHECK(infer.refusal(op, {"bool[4]"}) == "'x' is bool[4]; expected a float or integer dtype");
  }
}

TEST_CASE("functions of real numbers take floats only") {
  TypeInference infer;
  for (const char* op : {"exp", "log", "sqrt", "rsqrt", "reciprocal", "sin", "cos", "tanh", "erf", "sigmoid", "silu",
                         "gelu", "softplus", "floor", "ceil", "round", "trunc"}) {
    CAPTURE(op);
    CHECK(infer(op, {"f16[2*T + 1]"}) == "f16[2*T + 1]");
    CHECK(infer.refusal(op, {"i64[4]"}) == "'x' is i64[4]; expected a float dtype");
  }
}

TEST_CASE("tests of one operand give bools of its shape") {
  TypeInference infer;
  for (const char* op : {"is_nan", "is_inf", "logical_not"}) {
    CAPTURE(op);
    CHECK(infer(op, {"f32[T, 1]"}) == "bool[T, 1]");
    CHECK(infer(op, {"i32[3]"}) == "bool[3]");
    CHECK(infer(op, {"bool[]"}) == "bool[]");
  }
}

TEST_CASE("bitwise ops take integers and bools") {
  TypeInference infer;
  CHECK(infer("bitwise_not", {"u8[4]"}) == "u8[4]");
  CHECK(infer("bitwise_not", {"bool[4]"}) == "bool[4]");
  CHECK(infer.refusal("bitwise_not", {"f32[4]"}) == "'x' is f32[4]; expected an integer dtype or bool");
  for (const char* op : {"bitwise_and", "bitwise_or", "bitwise_xor"}) {
    CAPTURE(op);
    CHECK(infer(op, {"i64[4]", "i64[2, 1]"}) == "i64[2, 4]");
    CHECK(infer.refusal(op, {"f32[4]", "f32[4]"}) == "'a' is f32[4]; expected an integer dtype or bool");
  }
}

TEST_CASE("cast changes the dtype, identity nothing") {
  TypeInference infer;
  CHECK(infer("cast", {"f32[T]"}, {{"dtype", DType::f8e4m3fnuz}}) == "f8e4m3fnuz[T]");
  CHECK(infer("identity", {"bool[T]"}) == "bool[T]");
}

TEST_CASE("binary ops broadcast like NumPy") {
  TypeInference infer;
  CHECK(infer("add", {"f32[T, 8]", "f32[T, 8]"}) == "f32[T, 8]");
  CHECK(infer("add", {"f32[T, 8]", "f32[8]"}) == "f32[T, 8]");
  CHECK(infer("add", {"f32[]", "f32[T, 8]"}) == "f32[T, 8]");
  CHECK(infer("add", {"f32[T, 1]", "f32[1, S]"}) == "f32[T, S]");
  CHECK(infer("add", {"f32[3, 1, 5]", "f32[4, 1]"}) == "f32[3, 4, 5]");
  CHECK(infer("add", {"f32[0]", "f32[1]"}) == "f32[0]");
  CHECK(infer("mul", {"f32[2*(T + 1)]", "f32[T + T + 2]"}) == "f32[2*T + 2]");
}

TEST_CASE("dims that are not provably equal do not broadcast") {
  TypeInference infer;
  CHECK(infer.refusal("add", {"f32[T, 8]", "f32[S, 8]"}) ==
        "'b' is f32[S, 8], which does not broadcast with [T, 8], the shape of 'a': the dims T and S are not provably "
        "equal, and neither is 1");
  CHECK(infer.refusal("lt", {"f32[3]", "f32[4]"}) ==
        "'b' is f32[4], which does not broadcast with [3], the shape of 'a': the dims 3 and 4 are not provably equal, "
        "and neither is 1");
  CHECK(infer.refusal("where", {"bool[2]", "f32[2]", "f32[3]"}) ==
        "'b' is f32[3], which does not broadcast with [2], the shape of 'condition' and 'a': the dims 2 and 3 are not "
        "provably equal, and neither is 1");
}

TEST_CASE("a result takes over the shape of an operand that has it") {
  TypeInference infer;
  const Shape wide = infer.context().shape({infer.dim("T"), 8});
  CHECK(infer.types("add", {"f32[1, 8]", "f32[T, 8]"})[0].shape == wide);
  CHECK(infer.types("add", {"f32[T, 1]", "f32[1, 8]"})[0].shape == wide);
}

TEST_CASE("binary ops want one dtype") {
  TypeInference infer;
  for (const char* op : {"add", "sub", "mul", "div", "floor_div", "remainder", "pow", "maximum", "minimum", "eq", "ne",
                         "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"}) {
    CAPTURE(op);
    CHECK(infer.refusal(op, {"f32[4]", "bf16[4]"}) ==
          "'a' is f32[4] and 'b' is bf16[4]; expected one dtype, so cast one of them");
  }
}

TEST_CASE("of binary arithmetic, bools have or, and, maximum and minimum") {
  TypeInference infer;
  for (const char* op : {"add", "mul", "maximum", "minimum"})
    CHECK(infer(op, {"bool[4]", "bool[4]"}) == "bool[4]");
  for (const char* op : {"sub", "floor_div", "remainder", "pow"}) {
    CAPTURE(op);
    CHECK(infer(op, {"i32[4]", "i32[]"}) == "i32[4]");
    CHECK(infer.refusal(op, {"bool[4]", "bool[4]"}) == "'a' is bool[4]; expected a float or integer dtype");
  }
}

TEST_CASE("div is for floats") {
  TypeInference infer;
  CHECK(infer("div", {"f64[4]", "f64[4]"}) == "f64[4]");
  CHECK(infer.refusal("div", {"i32[4]", "i32[4]"}) == "'a' is i32[4]; expected a float dtype");
}

TEST_CASE("comparisons and logic give bools") {
  TypeInference infer;
  for (const char* op : {"eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"}) {
    CAPTURE(op);
    CHECK(infer(op, {"bf16[T, 1]", "bf16[4]"}) == "bool[T, 4]");
    CHECK(infer(op, {"bool[2]", "bool[2]"}) == "bool[2]");
  }
}

TEST_CASE("where chooses by a bool") {
  TypeInference infer;
  CHECK(infer("where", {"bool[T, 1]", "f32[]", "f32[4]"}) == "f32[T, 4]");
  CHECK(infer.refusal("where", {"i8[4]", "f32[4]", "f32[4]"}) == "'condition' is i8[4]; expected bool");
  CHECK(infer.refusal("where", {"bool[4]", "f32[4]", "f64[4]"}) ==
        "'a' is f32[4] and 'b' is f64[4]; expected one dtype, so cast one of them");
}

TEST_CASE("a result has a rank of 16 at most") {
  TypeInference infer;
  const std::string ones = "f32[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]";  // 17
  CHECK(infer.refusal("add", {ones, "f32[2]"}) == "the result has a rank above 16, the most");
}
