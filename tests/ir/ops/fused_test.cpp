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
        "'kv_weight' is bf16[C]; expected f32, as 'kv' has it, or f32");
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

TEST_CASE("fused_add_rms_norm adds what is alike and keeps the sum") {
  TypeInference infer;
  const auto fused = [&](std::vector<std::string_view> operands) {
    return infer.refusal("fused_add_rms_norm", operands, {{"eps", 1e-6}});
  };
  CHECK(fused({"bf16[T, H]", "bf16[T, H]", "bf16[H]"}) == "accepted: bf16[T, H], bf16[T, H]");
  CHECK(fused({"f16[8]", "f16[8]", "f32[8]"}) == "accepted: f16[8], f16[8]");
  CHECK(fused({"bf16[T, H]", "bf16[1, H]", "bf16[H]"}) ==
        "'x' is bf16[T, H] and 'residual' is bf16[1, H]; expected one shape");
  CHECK(fused({"bf16[T, H]", "f32[T, H]", "bf16[H]"}) ==
        "'x' is bf16[T, H] and 'residual' is f32[T, H]; expected one dtype, so cast one of them");
  CHECK(fused({"i32[H]", "i32[H]", "f32[H]"}) == "'x' is i32[H]; expected f64, f32, f16 or bf16");
  CHECK(fused({"f32[T, H]", "f32[T, H]", "f32[T]"}) ==
        "'weight' is f32[T], with T as dim 0; expected H, the last dim of 'x'");
}

TEST_CASE("fused_silu_and_mul halves an even last dim") {
  TypeInference infer;
  const auto fused = [&](std::string_view x) { return infer.refusal("fused_silu_and_mul", {x}); };
  CHECK(fused("bf16[T, 2*H]") == "accepted: bf16[T, H]");
  CHECK(fused("f32[0]") == "accepted: f32[0]");
  CHECK(fused("f32[T, 7]") == "'x' is f32[T, 7]; expected an even last dim, but 7 is not provably even");
  CHECK(fused("f32[T, H]") == "'x' is f32[T, H]; expected an even last dim, but H is not provably even");
  CHECK(fused("f32[]") == "'x' is f32[]; expected rank 1 or more");
}

TEST_CASE("fused_qk_norm_rope wants heads of one length and angles for half of it") {
  TypeInference infer;
  const auto fused = [&](std::string_view q, std::string_view k, std::string_view cos) {
    return infer.refusal("fused_qk_norm_rope", {q, k, "bf16[128]", "bf16[128]", cos, cos},
                         {{"eps_q", 1e-6}, {"eps_k", 1e-6}});
  };
  CHECK(fused("bf16[T, 32, 128]", "bf16[T, 4, 128]", "f32[T, 1, 64]") == "accepted: bf16[T, 32, 128], bf16[T, 4, 128]");
  CHECK(fused("bf16[T, 32, 128]", "bf16[T, 4, 64]", "f32[64]") ==
        "'k' is bf16[T, 4, 64], with 64 as dim 2; expected 128, the last dim of 'q'");
  CHECK(fused("bf16[T, 32, 128]", "bf16[T, 4, 128]", "f32[T, 1, 128]") ==
        "'cos' is f32[T, 1, 128], with 128 as dim 2; expected 64, half of the last dim of 'q'");
  CHECK(fused("bf16[T, 32, 128]", "bf16[T, 4, 128]", "f32[T, 32, 64]") ==
        "'cos' is f32[T, 32, 64], whose leading dims do not broadcast to those of 'k', which is bf16[T, 4, 128]");
}

TEST_CASE("fused ops that quantise give an 8-bit float, and a scale where they choose it") {
  TypeInference infer;
  const auto fixed = [&](std::string_view x, std::string_view scale, DType dtype) {
    return infer.refusal("fused_rms_norm_static_quant", {x, "f32[H]", scale}, {{"eps", 1e-6}, {"dtype", dtype}});
  };
  CHECK(fixed("bf16[T, H]", "f32[]", DType::f8e4m3) == "accepted: f8e4m3[T, H]");
  CHECK(fixed("f32[T, H]", "f32[1]", DType::f8e5m2) == "accepted: f8e5m2[T, H]");
  CHECK(fixed("bf16[T, H]", "f32[H]", DType::f8e4m3) == "'scale' is f32[H]; expected f32[] or f32[1]");
  CHECK(fixed("bf16[T, H]", "bf16[]", DType::f8e4m3) == "'scale' is bf16[]; expected f32[] or f32[1]");
  CHECK(fixed("bf16[T, H]", "f32[]", DType::i8) == "'dtype' is i8; expected f8e4m3, f8e4m3fnuz or f8e5m2");
  CHECK(fixed("f64[T, H]", "f32[]", DType::f8e4m3) == "'x' is f64[T, H]; expected f32, f16 or bf16");

  const auto dynamic = [&](std::string_view x, std::string_view weight, int group) {
    return infer.refusal("fused_rms_norm_dynamic_quant", {x, weight},
                         {{"eps", 1e-6}, {"dtype", DType::f8e4m3fnuz}, {"group", group}});
  };
  CHECK(dynamic("bf16[T, H]", "bf16[H]", 0) == "accepted: f8e4m3fnuz[T, H], f32[T, 1]");
  CHECK(dynamic("bf16[T, 7168]", "bf16[7168]", 128) == "accepted: f8e4m3fnuz[T, 7168], f32[T, 56]");
  CHECK(dynamic("bf16[T, 64*H]", "bf16[64*H]", 32) == "accepted: f8e4m3fnuz[T, 64*H], f32[T, 2*H]");
  CHECK(dynamic("bf16[T, 100]", "bf16[100]", 64) ==
        "'x' is bf16[T, 100]; expected a last dim of whole groups, but 100 is not provably divisible by 64");
  CHECK(dynamic("bf16[T, 64]", "bf16[64]", -64) ==
        "'group' is negative; expected a number of elements, or 0 for whole rows");

  const auto activation = [&](std::string_view x, std::string_view scale) {
    return infer.refusal("fused_silu_and_mul_static_quant", {x, scale}, {{"dtype", DType::f8e4m3}});
  };
  CHECK(activation("f16[T, 2*H]", "f32[1]") == "accepted: f8e4m3[T, H]");
  CHECK(activation("f16[T, H]", "f32[1]") == "'x' is f16[T, H]; expected an even last dim, but H is not provably even");
}

TEST_CASE("the decomposition of a fused op has the types that its row infers") {
  struct Call {
    std::string_view op;
    std::vector<std::string_view> operands;
    std::vector<NamedAttr> attrs;
  };
  const std::vector<Call> calls{
      {"fused_mla_dual_rms_norm", {"f16[T, 6]", "f16[6]", "f16[T, 4]", "f32[4]"}, {{"eps_q", 1e-6}, {"eps_kv", 1e-5}}},
      {"fused_add_rms_norm", {"bf16[T, H]", "bf16[T, H]", "bf16[H]"}, {{"eps", 1e-6}}},
      {"fused_silu_and_mul", {"bf16[T, 2*H]"}, {}},
      {"fused_qk_norm_rope",
       {"bf16[T, 8, 4]", "bf16[T, 2, 4]", "bf16[4]", "bf16[4]", "f32[T, 1, 2]", "f32[T, 1, 2]"},
       {{"eps_q", 1e-6}, {"eps_k", 1e-5}, {"interleaved", true}}},
      {"fused_rms_norm_static_quant", {"f32[T, H]", "f32[H]", "f32[1]"}, {{"eps", 1e-6}, {"dtype", DType::f8e5m2}}},
      {"fused_rms_norm_dynamic_quant", {"bf16[B, T, H]", "bf16[H]"}, {{"eps", 1e-6}, {"dtype", DType::f8e4m3}}},
      {"fused_rms_norm_dynamic_quant",
       {"bf16[B, T, 32*H]", "bf16[32*H]"},
       {{"eps", 1e-6}, {"dtype", DType::f8e4m3}, {"group", 16}}},
      {"fused_silu_and_mul_static_quant", {"f16[T, 2*H]", "f32[]"}, {{"dtype", DType::f8e4m3fnuz}}},
  };
  std::size_t seen = 0;
  const auto context = Context::create();
  for (const OpDef& def : context->ops())
    seen += def.has(trait::fused) ? 1 : 0;
  CHECK(seen + 1 == calls.size());  // one op stands twice
  for (const Call& call : calls) {
    CAPTURE(std::string(call.op));
    GraphBuilder b(context, "main");
    std::vector<Value> operands;
    for (std::size_t i = 0; i < call.operands.size(); ++i) {
      const TensorType type = parse_type(b.context(), call.operands[i]);
      operands.push_back(b.input("x" + std::to_string(i), type.dtype, type.shape.dims()));
    }
    const Node fused = b.node(call.op, operands, call.attrs);
    std::vector<TensorType> expected;
    for (std::size_t i = 0; i < b.graph().num_results(fused); ++i)
      expected.push_back(b.graph().type(b.graph().result(fused, i)));
    const OpDef& def = b.context().op(b.graph().op(fused));
    const std::vector<Value> results = def.decompose(b, operands, fit_attributes(b.context(), def, call.attrs));
    REQUIRE(results.size() == expected.size());
    for (std::size_t i = 0; i < results.size(); ++i) {
      CHECK(b.graph().type(results[i]) == expected[i]);
      b.output(results[i]);
    }
    CHECK_NOTHROW(std::move(b).finish());
  }
}
