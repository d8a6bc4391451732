// fused_mla_dual_rms_norm on the GPU: both norms in one launch. Kernels: fused_mla_dual_rms_norm.hip, rms_norm.hip.
#include <array>

#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/norm_launch.h>

namespace tandem::hip {

void add_dual_norm(HipKernelTable& table) {
  HipKernel kernel;
  kernel.run = [](const KernelCall& call, Launcher& launcher) {
    const std::array norms{
        NormTensors{call.operands[0], &call.operands[1], call.results[0], call.attr("eps_q").real()},
        NormTensors{call.operands[2], &call.operands[3], call.results[1], call.attr("eps_kv").real()},
    };
    launch_rms_norms(norms, call.attr("round_before_weight").boolean(), launcher);
  };
  kernel.supports = [](const HipQuery& query) -> std::string {
    const DType x = query.operands[0].dtype;
    if (norm_takes(x, query.operands[1].dtype) && norm_takes(x, query.operands[3].dtype))
      return {};
    return "takes bf16, f16 and f32, with weights of the same dtype or f32";
  };
  table.add("fused_mla_dual_rms_norm", kernel);
}

}  // namespace tandem::hip
