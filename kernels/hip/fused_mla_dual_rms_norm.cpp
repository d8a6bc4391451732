// fused_mla_dual_rms_norm on the GPU: both norms in one launch (f64: in two). Kernels:
// fused_mla_dual_rms_norm.hip, rms_norm.hip, row_norm.hip.
#include <array>

#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/norm_launch.h>
#include <tandem/kernels/hip/row_norm.h>

namespace tandem::hip {

void add_dual_norm(HipKernelTable& table) {
  table.add("fused_mla_dual_rms_norm", [](const KernelCall& call, Launcher& launcher) {
    const bool round_before_weight = call.attr("round_before_weight").boolean();
    const std::array norms{
        NormTensors{call.operands[0], &call.operands[1], call.results[0], call.attr("eps_q").real()},
        NormTensors{call.operands[2], &call.operands[3], call.results[1], call.attr("eps_kv").real()},
    };
    const DType dtype = call.operands[0].dtype;
    if (norm_takes(dtype, norms[0].weight->dtype) && norm_takes(dtype, norms[1].weight->dtype))
      return launch_rms_norms(norms, round_before_weight, launcher);
    for (const NormTensors& n : norms)
      launch_row_norm(RowNorm{n.x, n.y, n.weight, nullptr, n.epsilon, true, round_before_weight}, launcher);
  });
}

}  // namespace tandem::hip
