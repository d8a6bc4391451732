// rope on the GPU. Kernel: rope.hip.
#include <array>
#include <vector>

#include <tandem/kernels/hip/families.h>
#include <tandem/kernels/hip/rope_params.h>
#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

void add_rope(HipKernelTable& table) {
  table.add("rope", [](const KernelCall& call, Launcher& launcher) {
    const TensorView& x = call.operands[0];
    const TensorView& y = call.results[0];
    const std::size_t last = x.rank - 1U;
    const bool interleaved = call.attr("interleaved").boolean();
    const std::int64_t half = x.shape[last] / 2;
    std::array pairs{y, x, x, x};
    for (TensorView& view : pairs) {
      view.shape[last] = half;
      view.strides[last] *= interleaved ? 2 : 1;
    }
    pairs[2] = broadcast_to(call.operands[1], pairs[1].dims());
    pairs[3] = broadcast_to(call.operands[2], pairs[1].dims());
    gpu::RopeParams p{};
    p.pairs = walk_of(pairs);
    p.x = x.data;
    p.cosine = pairs[2].data;
    p.sine = pairs[3].data;
    p.y = y.data;
    p.x_second = x.strides[last] * (interleaved ? 1 : half);
    p.y_second = y.strides[last] * (interleaved ? 1 : half);
    p.type = element_type(x.dtype);
    p.cosine_type = element_type(pairs[2].dtype);
    p.sine_type = element_type(pairs[3].dtype);
    launch_items(launcher, "rope", p.pairs.size, p);
  });
}

}  // namespace tandem::hip
