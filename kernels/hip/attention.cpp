// attention on the GPU. Kernel: attention.hip.
#include <array>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/op_table.h>
#include <tandem/kernels/hip/attention_params.h>
#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

namespace {

TensorView leading(TensorView view) {
  view.rank = static_cast<std::uint8_t>(view.rank - 2U);
  return view;
}

void attention(const KernelCall& call, Launcher& launcher) {
  const TensorView& q = call.operands[0];
  const TensorView& k = call.operands[1];
  const TensorView& v = call.operands[2];
  const TensorView& y = call.results[0];
  const std::size_t row = y.rank - 2U;
  const std::size_t last = y.rank - 1U;
  gpu::AttentionParams p{};
  std::array batch{leading(y), leading(q), leading(k), leading(v), leading(y)};
  if (call.operands.size() > 3) {
    std::vector<std::int64_t> scores(q.dims().begin(), q.dims().end());
    scores[last] = k.shape[row];
    const TensorView mask = broadcast_to(call.operands[3], scores);
    batch[4] = leading(mask);
    p.mask = mask.data;
    p.mask_row = mask.strides[row];
    p.mask_step = mask.strides[last];
    p.mask_type = element_type(mask.dtype);
  }
  p.batch = walk_of(batch);
  p.q = q.data;
  p.k = k.data;
  p.v = v.data;
  p.y = y.data;
  p.rows = q.shape[row];
  p.keys = k.shape[row];
  p.depth = q.shape[last];
  p.columns = y.shape[last];
  p.y_row = y.strides[row];
  p.y_step = y.strides[last];
  p.q_row = q.strides[row];
  p.q_step = q.strides[last];
  p.k_row = k.strides[row];
  p.k_step = k.strides[last];
  p.v_row = v.strides[row];
  p.v_step = v.strides[last];
  p.scale = call.attr("scale").real();
  p.type = element_type(q.dtype);
  p.causal = call.attr("causal").boolean() ? 1 : 0;
  const std::int64_t rows = p.batch.size * p.rows;
  constexpr std::int64_t most_rows = std::int64_t{1} << 23;
  if (rows == 0 || p.columns == 0)
    return;
  if (rows > most_rows)
    throw Error("run.too-large", "attention over " + std::to_string(rows) + " rows; the GPU's kernel takes up to " +
                                     std::to_string(most_rows));
  launcher.launch(
      q.dtype == DType::f64 ? "attention_f64" : "attention_f32",
      Dim3{static_cast<std::uint32_t>(rows),
           static_cast<std::uint32_t>(ceil_div(p.columns, gpu::attention_threads * gpu::attention_columns)), 1},
      Dim3{gpu::attention_threads, 1, 1}, p);
}

}  // namespace

void add_attention(HipKernelTable& table) {
  table.add("attention", attention);
}

}  // namespace tandem::hip
