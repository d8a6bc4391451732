// What softmax, norms, rope and attention accept.
#include "tests/support/catch.h"

#include <limits>

#include "tests/ir/ops/inference.h"

using namespace tandem;
using tandem::test::TypeInference;

TEST_CASE("softmax keeps the type") {
  TypeInference infer;
  CHECK(infer("softmax", {"f32[T, 8]"}, {{"axis", -1}}) == "f32[T, 8]");
  CHECK(infer.refusal("softmax", {"i32[8]"}, {{"axis", 0}}) == "'x' is i32[8]; expected a float dtype");
  CHECK(infer.refusal("softmax", {"f32[8]"}, {{"axis", 1}}).find("out of range for rank 1") != std::string::npos);
}

TEST_CASE("norms take float vectors as long as the last axis and keep x's type") {
  TypeInference infer;
  for (const char* op : {"rms_norm", "layer_norm"}) {
    CAPTURE(op);
    CHECK(infer(op, {"bf16[T, 8]"}, {{"eps", 1e-6}}) == "bf16[T, 8]");
    CHECK(infer(op, {"bf16[T, 8]", "f32[8]"}, {{"eps", 0}}) == "bf16[T, 8]");
    CHECK(infer.refusal(op, {"bf16[T, 8]", "bf16[T]"}, {{"eps", 1e-6}}) ==
          "'weight' is bf16[T], with T as dim 0; expected 8, the last dim of 'x'");
    CHECK(infer.refusal(op, {"bf16[T, 8]", "bf16[1, 8]"}, {{"eps", 1e-6}}) ==
          "'weight' is bf16[1, 8]; expected rank 1");
    CHECK(infer.refusal(op, {"bf16[T, 8]", "i8[8]"}, {{"eps", 1e-6}}) == "'weight' is i8[8]; expected a float dtype");
    CHECK(infer.refusal(op, {"i8[T, 8]"}, {{"eps", 1e-6}}) == "'x' is i8[T, 8]; expected a float dtype");
    CHECK(infer.refusal(op, {"f32[]"}, {{"eps", 1e-6}}) == "'x' is f32[]; expected rank 1 or more");
  }
  CHECK(infer("layer_norm", {"f16[8]", "f16[8]", "f32[8]"}, {{"eps", 1e-6}}) == "f16[8]");
  CHECK(infer.refusal("layer_norm", {"f16[8]", "f16[8]", "f32[7]"}, {{"eps", 1e-6}}) ==
        "'bias' is f32[7], with 7 as dim 0; expected 8, the last dim of 'x'");
}

TEST_CASE("an epsilon is finite and not negative") {
  TypeInference infer;
  CHECK(infer.refusal("rms_norm", {"f32[8]"}, {{"eps", -1e-6}}) ==
        "'eps' is -1e-06; expected a finite number that is not negative");
  CHECK(infer.refusal("layer_norm", {"f32[8]"}, {{"eps", std::numeric_limits<double>::quiet_NaN()}}) ==
        "'eps' is nan; expected a finite number that is not negative");
  CHECK(infer.refusal("rms_norm", {"f32[8]"}, {{"eps", std::numeric_limits<double>::infinity()}}) ==
        "'eps' is inf; expected a finite number that is not negative");
}

TEST_CASE("rope rotates pairs by angles that broadcast") {
  TypeInference infer;
  CHECK(infer("rope", {"bf16[T, 128, 64]", "f32[T, 1, 32]", "f32[T, 1, 32]"}) == "bf16[T, 128, 64]");
  CHECK(infer("rope", {"f32[T, 2*D]", "f32[D]", "f32[T, D]"}) == "f32[T, 2*D]");
  CHECK(
      infer.refusal("rope", {"f32[T, 64]", "f32[T, 64]", "f32[T, 64]"}) ==
      "'cos' is f32[T, 64] and 'x' is f32[T, 64]; expected the last dim of 'cos' to be half of that of 'x', but twice "
      "64 is not provably 64");
  CHECK(infer.refusal("rope", {"f32[T, 3]", "f32[T, 1]", "f32[T, 1]"}).ends_with("twice 1 is not provably 3"));
  CHECK(infer.refusal("rope", {"f32[T, 64]", "f32[T, 32]", "f32[S, 32]"}) ==
        "'sin' is f32[S, 32], whose leading dims do not broadcast to those of 'x', which is f32[T, 64]");
  CHECK(infer.refusal("rope", {"f32[1, 64]", "f32[T, 32]", "f32[T, 32]"}).find("do not broadcast") !=
        std::string::npos);
  CHECK(infer.refusal("rope", {"f32[T, 64]", "f32[T, 32]", "f16[T, 32]"}) ==
        "'cos' is f32[T, 32] and 'sin' is f16[T, 32]; expected one dtype, so cast one of them");
  CHECK(infer.refusal("rope", {"f32[64]", "i32[32]", "i32[32]"}) == "'cos' is i32[32]; expected a float dtype");
  CHECK(infer.refusal("rope", {"f32[]", "f32[32]", "f32[32]"}) == "'x' is f32[]; expected rank 1 or more");
  CHECK(infer.refusal("rope", {"f32[64]", "f32[]", "f32[32]"}) == "'cos' is f32[]; expected rank 1 or more");
}

TEST_CASE("attention wants leading axes alike") {
  TypeInference infer;
  const auto attention = [&](std::vector<std::string_view> operands, double scale = 0.125) {
    return infer.refusal("attention", operands, {{"scale", scale}});
  };
  CHECK(attention({"bf16[B, H, M, D]", "bf16[B, H, N, D]", "bf16[B, H, N, E]"}) == "accepted: bf16[B, H, M, E]");
  CHECK(attention({"f32[M, D]", "f32[N, D]", "f32[N, E]", "bool[M, N]"}) == "accepted: f32[M, E]");
  CHECK(attention({"f32[H, M, D]", "f32[H, N, D]", "f32[H, N, E]", "f32[M, 1]"}) == "accepted: f32[H, M, E]");
  CHECK(attention({"f32[H, M, D]", "f32[1, N, D]", "f32[H, N, E]"}) ==
        "'k' is f32[1, N, D], with 1 as dim 0; expected H, as in 'q'");
  CHECK(attention({"f32[M, D]", "f32[N, E]", "f32[N, E]"}) ==
        "'k' is f32[N, E], with E as dim 1; expected D, the last dim of 'q'");
  CHECK(attention({"f32[M, D]", "f32[N, D]", "f32[M, E]"}) ==
        "'v' is f32[M, E], with M as dim 0; expected N, as in 'k'");
  CHECK(attention({"f32[D]", "f32[D]", "f32[D]"}) == "'q' is f32[D]; expected rank 2 or more");
  CHECK(attention({"f32[M, D]", "f32[1, N, D]", "f32[N, E]"}) == "'k' is f32[1, N, D]; expected rank 2");
  CHECK(attention({"f32[M, D]", "f16[N, D]", "f32[N, E]"}) ==
        "'q' is f32[M, D] and 'k' is f16[N, D]; expected one dtype, so cast one of them");
  CHECK(attention({"f32[M, D]", "f32[N, D]", "f32[N, E]", "i8[M, N]"}) ==
        "'mask' is i8[M, N]; expected bool or f32, the dtype of 'q'");
  CHECK(attention({"f32[M, D]", "f32[N, D]", "f32[N, E]", "bool[N, M]"}) ==
        "'mask' is bool[N, M], which does not broadcast to the scores, [M, N]");
  CHECK(attention({"f32[M, D]", "f32[N, D]", "f32[N, E]"}, std::numeric_limits<double>::infinity()) ==
        "'scale' is inf; expected a finite number");
}
