// layer_norm on the GPU, and norms of dtypes that have no kernel of their own. Kernels: row_norm.hip.
#include <algorithm>
#include <array>

#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/row_norm.h>
#include <tandem/kernels/hip/row_norm_params.h>
#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

void launch_row_norm(const RowNorm& norm, Launcher& launcher) {
  const std::size_t last = norm.x.rank - 1U;
  std::array heads{norm.y, norm.x};
  for (TensorView& head : heads)
    head.shape[last] = 1;
  gpu::RowNormParams p{};
  p.rows = walk_of(heads);
  p.length = norm.x.shape[last];
  if (p.rows.size == 0 || p.length == 0)
    return;
  p.x = norm.x.data;
  p.y = norm.y.data;
  p.x_step = norm.x.strides[last];
  p.y_step = norm.y.strides[last];
  p.type = element_type(norm.x.dtype);
  if (norm.weight != nullptr) {
    p.weight = norm.weight->data;
    p.weight_step = norm.weight->strides[0];
    p.weight_type = element_type(norm.weight->dtype);
  }
  if (norm.bias != nullptr) {
    p.bias = norm.bias->data;
    p.bias_step = norm.bias->strides[0];
    p.bias_type = element_type(norm.bias->dtype);
  }
  p.epsilon = norm.epsilon;
  p.rms = norm.rms ? 1 : 0;
  p.round_before_weight = norm.round_before_weight ? 1 : 0;
  launcher.launch(norm.x.dtype == DType::f64 ? "row_norm_f64" : "row_norm_f32", block_grid(p.rows.size),
                  Dim3{walk_threads, 1, 1}, p);
}

void add_layer_norm(HipKernelTable& table) {
  table.add("layer_norm", [](const KernelCall& call, Launcher& launcher) {
    RowNorm norm{call.operands[0], call.results[0]};
    norm.weight = call.operands.size() > 1 ? &call.operands[1] : nullptr;
    norm.bias = call.operands.size() > 2 ? &call.operands[2] : nullptr;
    norm.epsilon = call.attr("eps").real();
    launch_row_norm(norm, launcher);
  });
}

}  // namespace tandem::hip
