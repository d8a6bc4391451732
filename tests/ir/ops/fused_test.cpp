// What fused ops accept and what they mean in core ops.
#include "tests/support/catch.h"

#include <limits>

#include "tests/ir/ops/inference.h"

#include <tandem/ir/ops/infer.h>
#include <tandem/ir/verifier.h>

using namespace tandem;
using tandem::test::TypeInference;

TEST_CASE("fused_mla_dual_rms_norm has two tensors of one dtype, each with its weight") {
  TypeInference infer;
  const auto fused = [&](std::vector<std::string_view> operands, double eps_q = 1e-6, double eps_kv = 1e-6) {
    return infer.refusal("fused_mla_dual_rms_norm", operands, {{"eps_q", eps_q}, {"eps_kv", eps_kv}});
  };
  CHECK(fused({"bf16[T, 1536]", "bf16[1536]", "bf16[T, 512]", "bf16[512]"}) == "accepted: bf16[T, 1536], bf16[T, 512]");
  CHECK(fused({"f16[B, T, Q]", "f32[Q]", "f16[B, T, C]", "f16[C]"}) == "accepted: f16[B, T, Q], f16[B, T, C]");
  CHECK(fused({"f64[Q]", "f64[Q]", "f64[C]", "f32[C]"}) == "accepted: f64[Q], f64[C]");
  CHECK(fused({"f8e4m3[Q]", "f8e4m3[Q]", "f8e4m3[C]", "f8e4m3[C]"}) ==
        "'q' is f8e4m3[Q]; expected f64, f32, f16 or bf16");
  CHECK(fused({"bf16[T, Q]", "bf16[Q]", "f16[T, C]", "f16[C]"}) ==
        "'q' is bf16[T, Q] and 'kv' is f16[T, C]; expected one dtype, so cast one of them");
  CHECK(fused({"bf16[T, Q]", "f16[Q]", "bf16[T, C]", "bf16[C]"}) ==
        "'q_weight' is f16[Q]; expected bf16, as 'q' has it, or f32");
  CHECK(fused({"f32[T, Q]", "f32[Q]", "f32[T, C]", "bf16[C]"}) ==
        "'kv_weight' is bf16[C]; expected f32, as 'q' has it, or f32");
  CHECK(fused({"f32[T, Q]", "f32[C]", "f32[T, C]", "f32[C]"}) ==
        "'q_weight' is f32[C], with C as dim 0; expected Q, the last dim of 'q'");
  CHECK(fused({"f32[T, Q]", "f32[Q]", "f32[T, C]", "f32[Q]"}) ==
        "'kv_weight' is f32[Q], with Q as dim 0; expected C, the last dim of 'kv'");
  CHECK(fused({"f32[T, Q]", "f32[Q]", "f32[S, C]", "f32[C]"}) ==
        "'kv' is f32[S, C], with S as dim 0; expected T, as in 'q'");
  CHECK(fused({"f32[T, Q]", "f32[Q]", "f32[C]", "f32[C]"}) == "'kv' is f32[C]; expected rank 2");
  CHECK(fused({"f32[T, Q]", "f32[1, Q]", "f32[T, C]", "f32[C]"}) == "'q_weight' is f32[1, Q]; expected rank 1");
  CHECK(fused({"f32[]", "f32[1]", "f32[]", "f32[1]"}) == "'q' is f32[]; expected rank 1 or more");
  CHECK(fused({"f32[Q]", "f32[Q]", "f32[C]", "f32[C]"}, -1) ==
        "'eps_q' is -1.0; expected a finite number that is not negative");
  CHECK(fused({"f32[Q]", "f32[Q]", "f32[C]", "f32[C]"}, 1, std::numeric_limits<double>::quiet_NaN()) ==
        "'eps_kv' is nan; expected a finite number that is not negative");
}

TEST_CASE("fused_mla_dual_rms_norm means two rms_norms with the same rounding") {
  GraphBuilder b(Context::create(), "main");
  const Dim T = b.dim("T");
  const Value q = b.input("q", DType::bf16, {T, 6});
  const Value q_weight = b.input("q_weight", DType::bf16, {6});
  const Value kv = b.input("kv", DType::bf16, {T, 4});
  const Value kv_weight = b.input("kv_weight", DType::bf16, {4});
  const OpDef& def = b.context().op(op::fused_mla_dual_rms_norm);
  const std::vector<NamedAttr> attrs{{"eps_q", 1e-6}, {"eps_kv", 1e-5}, {"round_before_weight", true}};
  const std::vector<Attribute> fitted = fit_attributes(b.context(), def, attrs);
  const std::array<Value, 4> operands{q, q_weight, kv, kv_weight};

  REQUIRE(def.decompose == &decompose_fused_mla_dual_rms_norm);
  const std::vector<Value> results = def.decompose(b, operands, fitted);
  REQUIRE(results.size() == 2);
  for (Value result : results)
    b.output(result);
  const Graph g = std::move(b).finish();

  const std::array<std::array<Value, 2>, 2> expected_operands{{{q, q_weight}, {kv, kv_weight}}};
  const std::array<double, 2> expected_eps{1e-6, 1e-5};
  for (std::size_t i = 0; i < 2; ++i) {
    const Node norm = g.def_node(results[i]);
    CHECK(g.op(norm) == op::rms_norm);
    CHECK(g.operand(norm, 0) == expected_operands[i][0]);
    CHECK(g.operand(norm, 1) == expected_operands[i][1]);
    CHECK(g.attr(norm, "eps") == Attribute::of(expected_eps[i]));
    CHECK(g.attr(norm, "round_before_weight") == Attribute::of(true));
  }
  CHECK(g.num_nodes() == 2);
}
