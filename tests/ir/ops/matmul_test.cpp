// What matrix products accept.
#include "tests/support/catch.h"

#include "tests/ir/ops/inference.h"

using namespace tandem;
using tandem::test::TypeInference;

TEST_CASE("linear multiplies the last axis") {
  TypeInference infer;
  CHECK(infer("linear", {"bf16[T, 7168]", "bf16[2112, 7168]"}) == "bf16[T, 2112]");
  CHECK(infer("linear", {"f32[B, T, K]", "f32[N, K]", "f32[N]"}) == "f32[B, T, N]");
  CHECK(infer("linear", {"f32[K]", "f32[N, K]"}) == "f32[N]");
  CHECK(infer.refusal("linear", {"f32[T, K]", "f32[N, J]"}) ==
        "'weight' is f32[N, J], with J as dim 1; expected K, the last dim of 'x'");
  CHECK(infer.refusal("linear", {"f32[T, 8]", "f32[8, 4]"}) ==
        "'weight' is f32[8, 4], with 4 as dim 1; expected 8, the last dim of 'x'");
  CHECK(infer.refusal("linear", {"f32[]", "f32[8, 4]"}) == "'x' is f32[]; expected rank 1 or more");
  CHECK(infer.refusal("linear", {"f32[8]", "f32[8]"}) == "'weight' is f32[8]; expected rank 2");
  CHECK(infer.refusal("linear", {"f32[8]", "f32[4, 8]", "f32[8]"}) ==
        "'bias' is f32[8], with 8 as dim 0; expected 4, dim 0 of 'weight'");
  CHECK(infer.refusal("linear", {"f32[8]", "f32[4, 8]", "f32[1, 4]"}) == "'bias' is f32[1, 4]; expected rank 1");
  CHECK(infer.refusal("linear", {"bf16[8]", "f32[4, 8]"}) ==
        "'x' is bf16[8] and 'weight' is f32[4, 8]; expected one dtype, so cast one of them");
  CHECK(infer.refusal("linear", {"i8[8]", "i8[4, 8]"}) == "'x' is i8[8]; expected a float dtype");
}

TEST_CASE("matmul broadcasts leading axes") {
  TypeInference infer;
  CHECK(infer("matmul", {"f32[M, K]", "f32[K, N]"}) == "f32[M, N]");
  CHECK(infer("matmul", {"f32[B, 1, M, K]", "f32[H, K, N]"}) == "f32[B, H, M, N]");
  CHECK(infer.refusal("matmul", {"f32[M, K]", "f32[J, N]"}) ==
        "'b' is f32[J, N], with J as dim 0; expected K, the last dim of 'a'");
  CHECK(infer.refusal("matmul", {"f32[2, M, K]", "f32[3, K, N]"}) ==
        "'a' is f32[2, M, K] and 'b' is f32[3, K, N], whose leading dims do not broadcast: 2 and 3 are not provably "
        "equal, and neither is 1");
  CHECK(infer.refusal("matmul", {"f32[K]", "f32[K, N]"}) == "'a' is f32[K]; expected rank 2 or more");
  CHECK(infer.refusal("matmul", {"f32[M, K]", "f32[K]"}) == "'b' is f32[K]; expected rank 2 or more");
}

TEST_CASE("batch_matmul does not broadcast") {
  TypeInference infer;
  CHECK(infer("batch_matmul", {"f32[B, M, K]", "f32[B, K, N]"}) == "f32[B, M, N]");
  CHECK(infer.refusal("batch_matmul", {"f32[B, M, K]", "f32[1, K, N]"}) ==
        "'b' is f32[1, K, N], with 1 as dim 0; expected B, dim 0 of 'a'");
  CHECK(infer.refusal("batch_matmul", {"f32[B, M, K]", "f32[B, N, K]"}) ==
        "'b' is f32[B, N, K], with N as dim 1; expected K, the last dim of 'a'");
  CHECK(infer.refusal("batch_matmul", {"f32[M, K]", "f32[B, K, N]"}) == "'a' is f32[M, K]; expected rank 3");
}

TEST_CASE("expert_linear picks a matrix for each row") {
  TypeInference infer;
  CHECK(infer("expert_linear", {"bf16[R, K]", "bf16[256, N, K]", "i64[R]"}) == "bf16[R, N]");
  CHECK(infer.refusal("expert_linear", {"f32[R, K]", "f32[E, N, K]", "i32[R]"}) == "'experts' is i32[R]; expected i64");
  CHECK(infer.refusal("expert_linear", {"f32[R, K]", "f32[E, N, K]", "i64[S]"}) ==
        "'experts' is i64[S], with S as dim 0; expected R, dim 0 of 'x'");
  CHECK(infer.refusal("expert_linear", {"f32[R, K]", "f32[E, K, N]", "i64[R]"}) ==
        "'weight' is f32[E, K, N], with N as dim 2; expected K, the last dim of 'x'");
  CHECK(infer.refusal("expert_linear", {"f32[B, R, K]", "f32[E, N, K]", "i64[R]"}) ==
        "'x' is f32[B, R, K]; expected rank 2");
}

TEST_CASE("conv1d has strides, padding, dilation and groups") {
  TypeInference infer;
  const auto conv = [&](std::string_view x, std::string_view weight, std::vector<NamedAttr> attrs = {}) {
    return infer.refusal("conv1d", {x, weight}, attrs);
  };
  CHECK(conv("f32[B, 4, 10]", "f32[6, 4, 3]") == "accepted: f32[B, 6, 8]");
  CHECK(conv("f32[B, 4, 10]", "f32[6, 4, 3]", {{"stride", 2}, {"padding", 1}}) == "accepted: f32[B, 6, 5]");
  CHECK(conv("f32[B, 4, 10]", "f32[6, 4, 3]", {{"dilation", 4}}) == "accepted: f32[B, 6, 2]");
  CHECK(conv("f32[B, 4, T]", "f32[4, 1, 4]", {{"padding", 3}, {"groups", 4}}) == "accepted: f32[B, 4, T + 3]");
  CHECK(infer("conv1d", {"f32[B, 4, 10]", "f32[6, 4, 3]", "f32[6]"}) == "f32[B, 6, 8]");
  CHECK(infer.refusal("conv1d", {"f32[B, 4, 10]", "f32[6, 4, 3]", "f32[4]"}) ==
        "'bias' is f32[4], with 4 as dim 0; expected 6, dim 0 of 'weight'");
  CHECK(conv("f32[4, 10]", "f32[6, 4, 3]") == "'x' is f32[4, 10]; expected rank 3");
  CHECK(conv("f32[B, 4, 10]", "f32[6, 5, 3]") ==
        "'weight' is f32[6, 5, 3] with 'groups' 1, which takes 5 channels; expected 4, dim 1 of 'x'");
  CHECK(conv("f32[B, 4, 10]", "f32[5, 2, 3]", {{"groups", 2}}) ==
        "'weight' is f32[5, 2, 3], and 5 is not provably a multiple of 'groups', 2");
  CHECK(conv("f32[B, 4, 10]", "f32[6, 4, 0]") == "'weight' is f32[6, 4, 0]; expected a kernel of 1 or more elements");
  CHECK(conv("f32[B, 4, 2]", "f32[6, 4, 3]") ==
        "'x' is f32[B, 4, 2], whose padded length 2 is below that of the kernel, 3");
  CHECK(conv("f32[B, 4, 10]", "f32[6, 4, 3]", {{"stride", 0}}) == "'stride' is 0; expected 1 or more");
  CHECK(conv("f32[B, 4, 10]", "f32[6, 4, 3]", {{"padding", -1}}) == "'padding' is -1; expected 0 or more");
  CHECK(conv("f32[B, 4, 10]", "f32[6, 4, 3]", {{"dilation", 0}}) == "'dilation' is 0; expected 1 or more");
  CHECK(conv("f32[B, 4, 10]", "f32[6, 4, 3]", {{"groups", 0}}) == "'groups' is 0; expected 1 or more");
}
