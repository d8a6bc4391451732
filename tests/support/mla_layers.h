// The graph on which matching is benchmarked: N layers of the operations of an MLA attention block.
//
// It is the graph of the peers' measurements (docs/benchmarks.md): 19 operations a layer, of which six are weights
// (values here, operations there), one cast is dead and one rope is a duplicate.
#pragma once

#include <memory>
#include <string>

#include <tandem/ir/builder.h>

namespace tandem::test {

inline Graph mla_layers(const std::shared_ptr<Context>& context, int layers) {
  GraphBuilder b(context, "mla_layers");
  const Dim T = b.dim("T", {.min = 1, .max = 131072});
  Value x = b.input("x", DType::bf16, {T, 7168});
  const Value cos = b.input("cos", DType::bf16, {T, 32}), sin = b.input("sin", DType::bf16, {T, 32});
  for (int i = 0; i < layers; ++i) {
    const std::string p = "l" + std::to_string(i) + ".";
    const Value w_down = b.weight(p + "w_down", DType::bf16, {2112, 7168});
    const Value q_w = b.weight(p + "q_w", DType::bf16, {1536});
    const Value kv_w = b.weight(p + "kv_w", DType::bf16, {512});
    const Value w_q = b.weight(p + "w_q", DType::bf16, {576, 1536});
    const Value w_kv = b.weight(p + "w_kv", DType::bf16, {512, 512});
    const Value w_o = b.weight(p + "w_o", DType::bf16, {7168, 512});
    const Value down = b.op("linear", {x, w_down});
    const auto [q, kv] = b.op<2>("split", {down}, {{"axis", -1}, {"sizes", {1536, 576}}});
    const auto [c, pe] = b.op<2>("split", {kv}, {{"axis", -1}, {"sizes", {512, 64}}});
    const Value qn = b.op("rms_norm", {q, q_w}, {{"eps", 1e-6}});
    b.op("cast", {qn}, {{"dtype", DType::f32}});
    const Value cn = b.op("rms_norm", {c, kv_w}, {{"eps", 1e-6}});
    const Value qb = b.op("linear", {qn, w_q});
    const Value kb = b.op("linear", {cn, w_kv});
    const Value r1 = b.op("rope", {pe, cos, sin});
    const Value r2 = b.op("rope", {pe, cos, sin});
    const Value k = b.op("concat", {kb, r1}, {{"axis", -1}});
    const Value a = b.op("attention", {qb, k, kb}, {{"scale", 0.0721687836487032}, {"causal", true}});
    const Value o = b.op("linear", {a, w_o});
    x = b.op("add", {x, o});
    (void)r2;
  }
  b.output(x);
  return std::move(b).finish();
}

}  // namespace tandem::test
