// rms_norm on the GPU. Kernels: rms_norm.hip; other dtypes: wide_norms.hip.
#include <array>

#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/norm_launch.h>

namespace tandem::hip {

void add_rms_norm(HipKernelTable& table) {
  HipKernel kernel;
  kernel.run = [](const KernelCall& call, Launcher& launcher) {
    const TensorView* weight = call.operands.size() > 1 ? &call.operands[1] : nullptr;
    const std::array norms{NormTensors{call.operands[0], weight, call.results[0], call.attr("eps").real()}};
    launch_rms_norms(norms, call.attr("round_before_weight").boolean(), launcher);
  };
  kernel.supports = [](const HipQuery& query) -> std::string {
    const DType x = query.operands[0].dtype;
    if (norm_takes(x, query.operands.size() > 1 ? query.operands[1].dtype : x))
      return {};
    return "takes bf16, f16 and f32, with a weight of the same dtype or f32";
  };
  table.add("rms_norm", kernel);
}

}  // namespace tandem::hip
