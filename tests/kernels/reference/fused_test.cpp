// What reference kernels of fused ops compute, also against the ops that they stand for.
#include "tests/support/catch.h"

#include <cmath>

#include "tests/kernels/reference/run_kernel.h"

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
