// MLA dual RMSNorm: the two norms of the compressed query and key/value latents become one kernel launch.
//
//     %q, %kv = split %p {sizes = [Q, C + P]}
//     %c, %pe = split %kv {sizes = [C, P]}                         the splits stay (they are views)
//     %qn = rms_norm %q, %q_w {eps = $eps_q}              ->       %qn, %cn = fused_mla_dual_rms_norm %q, %q_w,
//     %cn = rms_norm %c, %kv_w {eps = $eps_kv}                         %c, %kv_w {eps_q = $eps_q, eps_kv = $eps_kv}
//
// The same when %q and %c come from one flat split, from slices, or from two projections of one value. DeepSeek-V3 and
// Kimi-K2 have 61 of these. The fusion is vLLM's MLADualRMSNormFusionPass
// (vllm/compilation/passes/fusion/rocm_aiter_fusion.py); the kernel AITER's fused_qk_rmsnorm.

#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/builder.h>

namespace tandem {

namespace {

Pattern mla_dual_rms_norm() {
  PatternBuilder p("mla_dual_rms_norm");
  p.doc("Two RMSNorms of the MLA latents, one launch.")
      .level(OptLevel::O1)
      .flag("fuse_mla_dual_rms_norm")
      .requires_kernel("fused_mla_dual_rms_norm")
      .platform("rocm")
      .benefit(10);
  const auto [Q, C, P] = p.dims("Q", "C", "P");
  const PatternType T = p.dtype("T", {DType::bf16, DType::f16, DType::f32, DType::f64});
  const PatternValueName q{"q"}, c{"c"}, kv{"kv"}, x{"x"};
  const auto q_w = p.input("q_w", T, {Q});
  const auto kv_w = p.input("kv_w", T, {C});

  p.either({[&] {  // one flat split; further parts may follow
              p.match("split", {x}).keep().attr("axis", -1).attr("sizes", {Q, C, P, rest_of_list()}).results("q", "c", "pe", "more...");
            },
            [&] {  // nested, as vLLM writes it
              p.match("split", {x}).keep().attr("axis", -1).attr("sizes", {Q, C + P, rest_of_list()}).results("q", "kv", "more...");
              p.match("split", {kv}).keep().attr("axis", -1).attr("sizes", {C, P}).results("c", "pe");
            },
            [&] {  // slices
              p.match("slice", {x}).keep().attr("axis", -1).attr("start", 0).attr("end", Q).result("q");
              p.match("slice", {x}).keep().attr("axis", -1).attr("start", Q).attr("end", Q + C).result("c");
            }});
  const auto qn = p.match("rms_norm", {q, q_w}).attr("eps", capture("eps_q")).attr("round_before_weight", capture("round")).result("qn");
  const auto cn = p.match("rms_norm", {c, kv_w}).attr("eps", capture("eps_kv")).attr("round_before_weight", capture("round")).result("cn");
  const auto [a, b] = p.create("fused_mla_dual_rms_norm", {q, q_w, c, kv_w})
                          .attr("eps_q", capture("eps_q"))
                          .attr("eps_kv", capture("eps_kv"))
                          .attr("round_before_weight", capture("round"))
                          .results("fused_q", "fused_c");
  p.replace(qn, a);
  p.replace(cn, b);
  return p.finish();
}

}  // namespace

std::vector<Pattern> shipped_fusions() { return {mla_dual_rms_norm()}; }

}  // namespace tandem
