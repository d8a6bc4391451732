// What ops that move elements accept.
#include "tests/support/catch.h"

#include "tests/ir/ops/inference.h"

using namespace tandem;
using tandem::test::TypeInference;

TEST_CASE("split gives one part for each size") {
  TypeInference infer;
  CHECK(infer("split", {"bf16[T, 2112]"}, {{"axis", -1}, {"sizes", {1536, 576}}}) == "bf16[T, 1536], bf16[T, 576]");
  CHECK(infer("split", {"f32[3*T, 2]"}, {{"axis", 0}, {"sizes", {infer.dim("T"), infer.dim("2*T")}}}) ==
        "f32[T, 2], f32[2*T, 2]");
  CHECK(infer("split", {"f32[4]"}, {{"axis", 0}, {"sizes", {4, 0}}}) == "f32[4], f32[0]");
}

TEST_CASE("split wants sizes that add up to the length of an axis") {
  TypeInference infer;
  CHECK(infer.refusal("split", {"f32[T, 8]"}, {{"axis", 1}, {"sizes", {3, 4}}}) ==
        "'sizes' [3, 4] add up to 7; expected 8, dim 1 of 'x', which is f32[T, 8]");
  CHECK(infer.refusal("split", {"f32[T, 8]"}, {{"axis", 0}, {"sizes", {3, infer.dim("S")}}}) ==
        "'sizes' [3, S] add up to S + 3; expected T, dim 0 of 'x', which is f32[T, 8]");
  CHECK(infer.refusal("split", {"f32[8]"}, {{"axis", 0}, {"sizes", {9, -1}}}) ==
        "'sizes'[1] is -1; a size cannot be negative");
  CHECK(infer.refusal("split", {"f32[8]"}, {{"axis", 0}, {"sizes", std::vector<Dim>{}}}) ==
        "'sizes' is empty; expected the size of each part");
}

TEST_CASE("an axis lies within the rank") {
  TypeInference infer;
  const std::vector<Dim> sizes{8};
  CHECK(infer("split", {"f32[8]"}, {{"axis", -1}, {"sizes", sizes}}) == "f32[8]");
  CHECK(infer.refusal("split", {"f32[8]"}, {{"axis", 1}, {"sizes", sizes}}).find("out of range for rank 1") !=
        std::string::npos);
  CHECK(infer.refusal("split", {"f32[8]"}, {{"axis", -2}, {"sizes", sizes}}).find("out of range for rank 1") !=
        std::string::npos);
  CHECK(infer.refusal("split", {"f32[]"}, {{"axis", 0}, {"sizes", sizes}}).find("out of range for rank 0") !=
        std::string::npos);
}

TEST_CASE("slice takes a range of an axis in steps") {
  TypeInference infer;
  const auto slice = [&](std::string_view x, Dim start, Dim end, std::int64_t step = 1) {
    return infer.refusal("slice", {x}, {{"axis", 0}, {"start", start}, {"end", end}, {"step", step}});
  };
  CHECK(slice("f32[8, 2]", 2, 8) == "accepted: f32[6, 2]");
  CHECK(slice("f32[8]", 0, 8) == "accepted: f32[8]");
  CHECK(slice("f32[8]", 8, 8) == "accepted: f32[0]");
  CHECK(slice("f32[8]", 1, 8, 3) == "accepted: f32[3]");
  CHECK(slice("f32[T]", 0, infer.dim("T - 1")) == "accepted: f32[T - 1]");
  CHECK(slice("f32[T]", infer.dim("S"), infer.dim("T")) == "accepted: f32[-S + T]");
  CHECK(slice("f32[8]", -1, 8) == "'start' is -1; expected 0 or more");
  CHECK(slice("f32[8]", 5, 3) == "'start' is 5, beyond 'end', which is 3");
  CHECK(slice("f32[8]", 0, 9) == "'end' is 9, beyond 8, dim 0 of 'x', which is f32[8]");
  CHECK(slice("f32[T]", 0, infer.dim("T + 1")) == "'end' is T + 1, beyond T, dim 0 of 'x', which is f32[T]");
  CHECK(slice("f32[T]", infer.dim("T + 1"), infer.dim("T")) == "'start' is T + 1, beyond 'end', which is T");
  CHECK(slice("f32[8]", 0, 8, 0) == "'step' is 0; expected 1 or more");
  CHECK(slice("f32[8]", 0, 8, -1) == "'step' is -1; expected 1 or more");
}

TEST_CASE("concat joins tensors that differ along one axis only") {
  TypeInference infer;
  CHECK(infer("concat", {"f32[2, T]", "f32[2, 3]", "f32[2, S]"}, {{"axis", -1}}) == "f32[2, S + T + 3]");
  CHECK(infer("concat", {"f32[2, 3]"}, {{"axis", 0}}) == "f32[2, 3]");
  CHECK(infer.refusal("concat", {"f32[2]", "f16[2]"}, {{"axis", 0}}) ==
        "'parts[0]' is f32[2] and 'parts[1]' is f16[2]; expected one dtype, so cast one of them");
  CHECK(infer.refusal("concat", {"f32[2]", "f32[2, 1]"}, {{"axis", 0}}) == "'parts[1]' is f32[2, 1]; expected rank 1");
  CHECK(infer.refusal("concat", {"f32[2, T]", "f32[2, S]"}, {{"axis", 0}}) ==
        "'parts[1]' is f32[2, S], with S as dim 1; expected T, as in 'parts[0]'");
  CHECK(infer.refusal("concat", {}, {{"axis", 0}}) == "there are no operands; expected one or more");
}

TEST_CASE("reshape keeps the number of elements") {
  TypeInference infer;
  const auto reshape = [&](std::string_view x, std::string_view shape) {
    const Shape dims = parse_shape(infer.context(), shape);
    return infer.refusal("reshape", {x}, {{"shape", std::vector<Dim>(dims.begin(), dims.end())}});
  };
  CHECK(reshape("f32[T, 24576]", "[T, 128, 192]") == "accepted: f32[T, 128, 192]");
  CHECK(reshape("f32[T, 128, 192]", "[128*T, 192]") == "accepted: f32[128*T, 192]");
  CHECK(reshape("f32[T, S + 1]", "[S*T + T]") == "accepted: f32[S*T + T]");
  CHECK(reshape("f32[1, 1]", "[]") == "accepted: f32[]");
  CHECK(reshape("f32[0, 3]", "[5, 0]") == "accepted: f32[5, 0]");
  CHECK(reshape("f32[0, 3]", "[0, 5]") == "accepted: f32[0, 5]");
  CHECK(reshape("f32[2305843009213693952, 2305843009213693952, 0]", "[0]") == "accepted: f32[0]");
  CHECK(reshape("f32[T, 6]", "[T, 7]") ==
        "'x' is f32[T, 6] with 6*T elements, and 'shape' is [T, 7] with 7*T; expected provably as many");
  CHECK(reshape("f32[T]", "[S]") ==
        "'x' is f32[T] with T elements, and 'shape' is [S] with S; expected provably as many");
  CHECK(reshape("f32[T, 4]", "[2*floordiv(T, 2), 4]").ends_with("expected provably as many"));
  CHECK(reshape("f32[6]", "[-2, -3]") == "'shape'[0] is -2; a size cannot be negative");
  CHECK(reshape("f32[6]", "[-1]") == "'shape'[0] is -1; a size cannot be negative");
}

TEST_CASE("transpose wants a permutation") {
  TypeInference infer;
  const auto transpose = [&](std::string_view x, std::vector<Dim> perm) {
    return infer.refusal("transpose", {x}, {{"perm", std::move(perm)}});
  };
  CHECK(transpose("f32[A, B, C]", {2, 0, 1}) == "accepted: f32[C, A, B]");
  CHECK(transpose("f32[]", {}) == "accepted: f32[]");
  CHECK(transpose("f32[A, B]", {0}) == "'perm' is [0] and 'x' is f32[A, B]; expected 2 axes");
  CHECK(transpose("f32[A, B]", {0, 0}) == "'perm' is [0, 0]; expected each of the axes 0 to 1 once");
  CHECK(transpose("f32[A, B]", {0, 2}) == "'perm' is [0, 2]; expected each of the axes 0 to 1 once");
  CHECK(transpose("f32[A, B]", {-1, 0}) == "'perm' is [-1, 0]; expected each of the axes 0 to 1 once");
  CHECK(transpose("f32[A, B]", {infer.dim("T"), 0}) == "'perm' is [T, 0]; expected each of the axes 0 to 1 once");
}

TEST_CASE("expand stretches ones and adds axes in front") {
  TypeInference infer;
  const auto expand = [&](std::string_view x, std::vector<Dim> shape) {
    return infer.refusal("expand", {x}, {{"shape", std::move(shape)}});
  };
  const Dim T = infer.dim("T");
  CHECK(expand("f32[1, 4]", {T, 4}) == "accepted: f32[T, 4]");
  CHECK(expand("f32[]", {2, T}) == "accepted: f32[2, T]");
  CHECK(
      expand("f32[T, 4]", {3, 4}) ==
      "'x' is f32[T, 4], which does not broadcast to 'shape', [3, 4]: aligned at their ends, each dim of 'x' must be 1 "
      "or provably equal");
  CHECK(expand("f32[1, 4]", {4}).find("does not broadcast to 'shape', [4]") != std::string::npos);
  CHECK(expand("f32[1]", {-1}) == "'shape'[0] is -1; a size cannot be negative");
}

TEST_CASE("pad wants two widths for each axis") {
  TypeInference infer;
  const auto pad = [&](std::string_view x, std::vector<Dim> low, std::vector<Dim> high, double value = 0) {
    return infer.refusal("pad", {x}, {{"low", std::move(low)}, {"high", std::move(high)}, {"value", value}});
  };
  CHECK(pad("f32[T, 4]", {0, 1}, {infer.dim("S"), 2}, 0.5) == "accepted: f32[S + T, 7]");
  CHECK(pad("f32[4]", {0, 1}, {0}) == "'low' is [0, 1] and 'x' is f32[4]; expected one number for each axis");
  CHECK(pad("f32[4]", {0}, {}) == "'high' is [] and 'x' is f32[4]; expected one number for each axis");
  CHECK(pad("f32[4]", {-1}, {1}) == "'low'[0] is -1; a size cannot be negative");
  CHECK(pad("i8[4]", {0}, {1}, 0.5) == "'value' is 0.5, which is no i8; expected an integer from -128 to 127");
}
