// rms_norm on the GPU. Kernels: rms_norm.hip; other dtypes: row_norm.hip.
#include <array>

#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/norm_launch.h>
#include <tandem/kernels/hip/row_norm.h>

namespace tandem::hip {

void add_rms_norm(HipKernelTable& table) {
  table.add("rms_norm", [](const KernelCall& call, Launcher& launcher) {
    const TensorView& x = call.operands[0];
    const TensorView* weight = call.operands.size() > 1 ? &call.operands[1] : nullptr;
    const double epsilon = call.attr("eps").real();
    const bool round_before_weight = call.attr("round_before_weight").boolean();
    if (norm_takes(x.dtype, weight ? weight->dtype : x.dtype)) {
      const std::array norms{NormTensors{x, weight, call.results[0], epsilon}};
      return launch_rms_norms(norms, round_before_weight, launcher);
    }
    launch_row_norm(RowNorm{x, call.results[0], weight, nullptr, epsilon, true, round_before_weight}, launcher);
  });
}

}  // namespace tandem::hip
