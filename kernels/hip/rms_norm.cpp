// rms_norm on the GPU. Kernels: rms_norm.hip; other dtypes: row_norm.hip.
#include <array>

#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/norm_launch.h>
#include <tandem/kernels/hip/row_norm.h>

namespace tandem::hip {

void launch_any_rms_norm(const TensorView& x, const TensorView* weight, const TensorView& y, double epsilon,
                         bool round_before_weight, Launcher& launcher) {
  if (norm_takes(x.dtype, weight ? weight->dtype : x.dtype)) {
    const std::array norms{NormTensors{x, weight, y, epsilon}};
    return launch_rms_norms(norms, round_before_weight, launcher);
  }
  launch_row_norm(RowNorm{x, y, weight, nullptr, epsilon, true, round_before_weight}, launcher);
}

void add_rms_norm(HipKernelTable& table) {
  table.add("rms_norm", [](const KernelCall& call, Launcher& launcher) {
    launch_any_rms_norm(call.operands[0], call.operands.size() > 1 ? &call.operands[1] : nullptr, call.results[0],
                        call.attr("eps").real(), call.attr("round_before_weight").boolean(), launcher);
  });
}

}  // namespace tandem::hip
