// What reference kernels of fused ops compute, also against the ops that they stand for.
#include "tests/support/catch.h"

#include <cmath>

#include "tests/kernels/reference/run_kernel.h"

#include <tandem/runtime/executor.h>

using namespace tandem;
using namespace tandem::test;

namespace {

/// `count` numbers of both signs and several sizes.
std::vector<double> mixed(std::size_t count, double seed) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(std::sin(seed + static_cast<double>(i) * 1.7) * (1 + static_cast<double>(i % 3)));
  return out;
}

}  // namespace

TEST_CASE("reference: fused_mla_dual_rms_norm normalises each tensor by its own mean square and epsilon") {
  ReferenceRun run;
  const std::vector<Tensor> results = run.all("fused_mla_dual_rms_norm",
                                              {tensor(DType::f32, {1, 2}, {2, -2}), tensor(DType::f32, {2}, {1, 10}),
                                               tensor(DType::f32, {1, 1}, {1}), tensor(DType::f32, {1}, {8})},
                                              {{"eps_q", 0.0}, {"eps_kv", 3.0}});
  CHECK(values(results.at(0)) == Same{{1, -10}});
  CHECK(values(results.at(1)) == Same{{4}});
}

TEST_CASE("reference: fused_mla_dual_rms_norm is two rms_norms") {
  ReferenceRun run;
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    for (const bool round_before_weight : {false, true}) {
      CAPTURE(to_string(dtype), round_before_weight);
      const Tensor q = strided(tensor(dtype, {2, 3, 6}, mixed(36, 1)));
      const Tensor q_weight = tensor(dtype, {6}, mixed(6, 2));
      const Tensor kv = tensor(dtype, {2, 3, 4}, mixed(24, 3));
      const Tensor kv_weight = tensor(DType::f32, {4}, mixed(4, 4));
      const std::vector<Tensor> fused =
          run.all("fused_mla_dual_rms_norm", {q, q_weight, kv, kv_weight},
                  {{"eps_q", 1e-6}, {"eps_kv", 0.5}, {"round_before_weight", round_before_weight}});
      const auto norm = [&](const Tensor& x, const Tensor& weight, double eps) {
        return run.values("rms_norm", {x, weight}, {{"eps", eps}, {"round_before_weight", round_before_weight}});
      };
      CHECK(values(fused.at(0)) == Same{norm(q, q_weight, 1e-6)});
      CHECK(values(fused.at(1)) == Same{norm(kv, kv_weight, 0.5)});
    }
  }
}

TEST_CASE("reference: fused_add_rms_norm normalises the rounded sum") {
  ReferenceRun run;
  // bf16 has no 257: the sum is 256 (ties to even), and the norm sees that.
  const std::vector<Tensor> results =
      run.all("fused_add_rms_norm",
              {tensor(DType::bf16, {1, 1}, {256}), tensor(DType::bf16, {1, 1}, {1}), tensor(DType::bf16, {1}, {3})},
              {{"eps", 0.0}});
  CHECK(values(results.at(0)) == Same{{3}});
  CHECK(values(results.at(1)) == Same{{256}});
}

TEST_CASE("reference: fused_silu_and_mul multiplies what was rounded") {
  ReferenceRun run;
  CHECK(run.values("fused_silu_and_mul", {tensor(DType::f32, {2, 4}, {0, -inf, 2, 1, inf, NaN, -1, 1})}) ==
        Same{{0, NaN, -inf, NaN}});
  const double silu = round_to(DType::bf16, 1 / (1 + std::exp(-1.0)));
  CHECK(run.values("fused_silu_and_mul", {tensor(DType::bf16, {2}, {1, 3})}) ==
        Same{{round_to(DType::bf16, 3 * silu)}});
}

TEST_CASE("reference: static quantisation saturates at the limit of its dtype and keeps NaN") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {4, 1}, {1, -1, 1, NaN});
  const Tensor weight = tensor(DType::f32, {1}, {1e6});
  const auto quantized = [&](DType dtype, double scale) {
    return run.values("fused_rms_norm_static_quant", {x, weight, tensor(DType::f32, {1}, {scale})},
                      {{"eps", 0.0}, {"dtype", dtype}});
  };
  CHECK(quantized(DType::f8e4m3, 1) == Same{{448, -448, 448, NaN}});
  CHECK(quantized(DType::f8e4m3fnuz, 1) == Same{{224, -224, 224, NaN}});
  CHECK(quantized(DType::f8e5m2, 1) == Same{{57344, -57344, 57344, NaN}});
  CHECK(quantized(DType::f8e4m3, 1e6) == Same{{1, -1, 1, NaN}});
  CHECK(run.values("fused_silu_and_mul_static_quant",
                   {tensor(DType::f16, {1, 2}, {1000, 3}), tensor(DType::f32, {}, {100})},
                   {{"dtype", DType::f8e4m3}}) == Same{{30}});
}

TEST_CASE("reference: dynamic quantisation has a scale for each row or group, which is never zero") {
  ReferenceRun run;
  const Tensor x = tensor(DType::f32, {1, 4}, {0, 0, 1, -2});
  const Tensor weight = tensor(DType::f32, {4}, {1, 1, 448, 448});
  const auto quantized = [&](int group) {
    return run.all("fused_rms_norm_dynamic_quant", {x, weight},
                   {{"eps", 2.75}, {"dtype", DType::f8e4m3}, {"group", group}});
  };
  // mean(x^2) + eps = 4, so n = 0, 0, 224, -448.
  CHECK(values(quantized(0).at(0)) == Same{{0, 0, 224, -448}});
  CHECK(values(quantized(0).at(1)) == Same{{1}});
  CHECK(values(quantized(2).at(0)) == Same{{0, 0, 224, -448}});
  CHECK(values(quantized(2).at(1)) == Same{{round_to(DType::f32, 1.0 / (448 * 512)), 1}});
}

TEST_CASE("reference: a fused op computes what its decomposition does, bit by bit") {
  struct Call {
    std::string_view op;
    std::vector<Sizes> shapes;  // f32 where an operand is a scale or an angle
    std::size_t first_f32;
    std::vector<NamedAttr> attrs;
  };
  const std::vector<Call> calls{
      {"fused_mla_dual_rms_norm", {{3, 6}, {6}, {3, 4}, {4}}, 4, {{"eps_q", 1e-6}, {"eps_kv", 0.5}}},
      {"fused_add_rms_norm", {{2, 3, 5}, {2, 3, 5}, {5}}, 3, {{"eps", 1e-6}}},
      {"fused_add_rms_norm", {{3, 5}, {3, 5}, {5}}, 2, {{"eps", 1e-6}, {"round_before_weight", true}}},
      {"fused_silu_and_mul", {{2, 3, 10}}, 1, {}},
      {"fused_qk_norm_rope",
       {{3, 4, 6}, {3, 1, 6}, {6}, {6}, {3, 1, 3}, {3, 1, 3}},
       4,
       {{"eps_q", 1e-6}, {"eps_k", 0.5}}},
      {"fused_qk_norm_rope",
       {{3, 4, 6}, {3, 2, 6}, {6}, {6}, {3}, {3}},
       2,
       {{"eps_q", 1e-6}, {"eps_k", 0.5}, {"interleaved", true}, {"round_before_weight", true}}},
      {"fused_rms_norm_static_quant", {{4, 9}, {9}, {1}}, 2, {{"eps", 1e-6}, {"dtype", DType::f8e4m3}}},
      {"fused_rms_norm_static_quant",
       {{4, 9}, {9}, {}},
       1,
       {{"eps", 1e-6}, {"dtype", DType::f8e5m2}, {"round_before_weight", true}}},
      {"fused_rms_norm_dynamic_quant", {{4, 9}, {9}}, 2, {{"eps", 1e-6}, {"dtype", DType::f8e4m3fnuz}}},
      {"fused_rms_norm_dynamic_quant", {{4, 9}, {9}}, 2, {{"eps", 1e-6}, {"dtype", DType::f8e4m3}, {"group", 3}}},
      {"fused_rms_norm_dynamic_quant", {{0, 8}, {8}}, 2, {{"eps", 1e-6}, {"dtype", DType::f8e4m3}, {"group", 4}}},
      {"fused_silu_and_mul_static_quant", {{5, 8}, {1}}, 1, {{"dtype", DType::f8e4m3}}},
  };
  for (const Call& call : calls) {
    for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
      CAPTURE(std::string(call.op), std::string(to_string(dtype)));
      GraphBuilder b(Context::create(), "main");
      std::vector<Value> operands;
      std::vector<Tensor> inputs;
      for (std::size_t i = 0; i < call.shapes.size(); ++i) {
        const Sizes& shape = call.shapes[i];
        std::size_t count = 1;
        for (std::int64_t d : shape)
          count *= static_cast<std::size_t>(d);
        inputs.push_back(
            tensor(i >= call.first_f32 ? DType::f32 : dtype, shape, mixed(count, static_cast<double>(i + 1))));
        operands.push_back(
            b.input("x" + std::to_string(i), inputs.back().view.dtype, std::vector<Dim>(shape.begin(), shape.end())));
      }
      const Node node = b.node(call.op, operands, call.attrs);
      for (std::size_t i = 0; i < b.graph().num_results(node); ++i)
        b.output(b.graph().result(node, i));
      const Graph graph = std::move(b).finish();

      // The same table without the fused op: the plan puts the decomposition in its place.
      KernelTable core("core");
      const KernelTable reference = reference_kernels();
      for (const OpDef& def : graph.context().ops()) {
        if (const KernelFn* kernel = reference.find(def.name); kernel != nullptr && !def.has(trait::fused))
          core.add(def.name, *kernel);
      }
      PlanOptions as_fused;
      as_fused.providers = {reference};
      PlanOptions as_core;
      as_core.providers = {core};
      const std::vector<Tensor> fused = Executor(Plan::compile(graph, {}, as_fused)).run(inputs);
      const std::vector<Tensor> decomposed = Executor(Plan::compile(graph, {}, as_core)).run(inputs);
      for (std::size_t i = 0; i < fused.size(); ++i)
        CHECK(values(fused[i]) == Same{values(decomposed[i])});
    }
  }
}
