// What ops with index tensors accept.
#include "tests/support/catch.h"

#include "tests/ir/ops/inference.h"

using namespace tandem;
using tandem::test::TypeInference;

TEST_CASE("embedding adds the row to the shape of the ids") {
  TypeInference infer;
  CHECK(infer("embedding", {"bf16[V, H]", "i64[B, T]"}) == "bf16[B, T, H]");
  CHECK(infer("embedding", {"bf16[V, H]", "i32[]"}) == "bf16[H]");
  CHECK(infer.refusal("embedding", {"bf16[V]", "i64[T]"}) == "'table' is bf16[V]; expected rank 2");
  CHECK(infer.refusal("embedding", {"bf16[V, H]", "f32[T]"}) == "'ids' is f32[T]; expected an integer dtype");
}

TEST_CASE("take replaces an axis by those of the index") {
  TypeInference infer;
  CHECK(infer("take", {"f32[A, B, C]", "i64[M, N]"}, {{"axis", 1}}) == "f32[A, M, N, C]");
  CHECK(infer("take", {"f32[A, B]", "i64[]"}, {{"axis", -1}}) == "f32[A]");
  CHECK(infer.refusal("take", {"f32[A]", "bool[M]"}, {{"axis", 0}}) == "'index' is bool[M]; expected an integer dtype");
  CHECK(infer.refusal("take", {"f32[A]", "i64[M]"}, {{"axis", 1}}).find("out of range for rank 1") !=
        std::string::npos);
}

TEST_CASE("gather's index has x's dims but along the axis") {
  TypeInference infer;
  CHECK(infer("gather", {"f32[T, 256]", "i64[T, 8]"}, {{"axis", -1}}) == "f32[T, 8]");
  CHECK(infer.refusal("gather", {"f32[T, 256]", "i64[S, 8]"}, {{"axis", 1}}) ==
        "'index' is i64[S, 8], with S as dim 0; expected T, as in 'x'");
  CHECK(infer.refusal("gather", {"f32[T, 256]", "i64[8]"}, {{"axis", 1}}) == "'index' is i64[8]; expected rank 2");
  CHECK(infer.refusal("gather", {"f32[8]", "f32[8]"}, {{"axis", 0}}) == "'index' is f32[8]; expected an integer dtype");
}

TEST_CASE("gather_nd's coordinates name leading axes") {
  TypeInference infer;
  CHECK(infer("gather_nd", {"f32[A, B, C]", "i64[N, 2]"}) == "f32[N, C]");
  CHECK(infer("gather_nd", {"f32[A, B]", "i64[2]"}) == "f32[]");
  CHECK(infer.refusal("gather_nd", {"f32[A, B]", "i64[N, 3]"}) ==
        "'indices' is i64[N, 3]; expected a constant last dim from 1 to 2, the rank of 'x'");
  CHECK(infer.refusal("gather_nd", {"f32[A, B]", "i64[N, K]"}).find("expected a constant last dim") !=
        std::string::npos);
  CHECK(infer.refusal("gather_nd", {"f32[A, B]", "i64[]"}) == "'indices' is i64[]; expected rank 1 or more");
  CHECK(infer.refusal("gather_nd", {"f32[A, B]", "f32[1]"}) == "'indices' is f32[1]; expected an integer dtype");
}

TEST_CASE("scatter's updates have the index's shape") {
  TypeInference infer;
  CHECK(infer("scatter", {"f32[T, 256]", "i64[T, 8]", "f32[T, 8]"}, {{"axis", 1}}) == "f32[T, 256]");
  CHECK(infer("scatter", {"i8[8]", "i64[3]", "i8[3]"}, {{"axis", 0}, {"mode", "add"}}) == "i8[8]");
  CHECK(infer.refusal("scatter", {"f32[8]", "i64[3]", "f32[4]"}, {{"axis", 0}}) ==
        "'index' is i64[3] and 'updates' is f32[4]; expected one shape");
  CHECK(infer.refusal("scatter", {"f32[8]", "i64[3]", "f16[3]"}, {{"axis", 0}}) ==
        "'x' is f32[8] and 'updates' is f16[3]; expected one dtype, so cast one of them");
  CHECK(infer.refusal("scatter", {"f32[8]", "i64[3]", "f32[3]"}, {{"axis", 0}, {"mode", "max"}}) ==
        "'mode' is \"max\"; expected \"set\" or \"add\"");
  CHECK(infer.refusal("scatter", {"bool[8]", "i64[3]", "bool[3]"}, {{"axis", 0}, {"mode", "add"}}) ==
        "'x' is bool[8]; expected a float or integer dtype");
}

TEST_CASE("scatter_nd's updates have the shape that gather_nd would give") {
  TypeInference infer;
  CHECK(infer("scatter_nd", {"f32[A, B, C]", "i64[N, 2]", "f32[N, C]"}) == "f32[A, B, C]");
  CHECK(infer.refusal("scatter_nd", {"f32[A, B]", "i64[N, 1]", "f32[N, A]"}) ==
        "'updates' is f32[N, A], with A as dim 1; expected B, as gather_nd would give it");
  CHECK(infer.refusal("scatter_nd", {"f32[A, B]", "i64[N, 1]", "f32[N]"}) == "'updates' is f32[N]; expected rank 2");
  CHECK(infer.refusal("scatter_nd", {"f32[A]", "i64[N, 1]", "f32[N]"}, {{"mode", "mul"}}) ==
        "'mode' is \"mul\"; expected \"set\" or \"add\"");
}

TEST_CASE("topk gives no more than there is") {
  TypeInference infer;
  CHECK(infer("topk", {"f32[T, 256]"}, {{"k", 8}}) == "f32[T, 8], i64[T, 8]");
  CHECK(infer("topk", {"f32[T, 256]"}, {{"k", infer.dim("S")}, {"axis", 0}}) == "f32[S, 256], i64[S, 256]");
  CHECK(infer.refusal("topk", {"f32[T, 256]"}, {{"k", 257}}) ==
        "'k' is 257, beyond 256, dim 1 of 'x', which is f32[T, 256]");
  CHECK(infer.refusal("topk", {"f32[T]"}, {{"k", infer.dim("T + 1")}}) ==
        "'k' is T + 1, beyond T, dim 0 of 'x', which is f32[T]");
  CHECK(infer.refusal("topk", {"f32[T, 256]"}, {{"k", -1}}) == "'k' is -1; a size cannot be negative");
}

TEST_CASE("sort gives values and indices") {
  TypeInference infer;
  CHECK(infer("sort", {"bool[T, 8]"}) == "bool[T, 8], i64[T, 8]");
  CHECK(infer.refusal("sort", {"f32[]"}).find("out of range for rank 0") != std::string::npos);
}

TEST_CASE("one_hot adds an axis") {
  TypeInference infer;
  CHECK(infer("one_hot", {"i64[T]"}, {{"classes", 4}}) == "i64[T, 4]");
  CHECK(infer("one_hot", {"i32[]"}, {{"classes", infer.dim("E")}, {"dtype", DType::boolean}}) == "bool[E]");
  CHECK(infer.refusal("one_hot", {"f32[T]"}, {{"classes", 4}}) == "'x' is f32[T]; expected an integer dtype");
  CHECK(infer.refusal("one_hot", {"i64[T]"}, {{"classes", -1}}) == "'classes' is -1; a size cannot be negative");
}
