// Ops that move elements. (Views cost nothing: the runtime resolves them, see runtime/view_geometry.h.)
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/strided_copy.h>

namespace tandem::cpu {
namespace {

void concat(const KernelCall& call) {
  const TensorView& y = call.results[0];
  const std::size_t axis = call.axis("axis", y.rank);
  TensorView part = y;
  for (const TensorView& x : call.operands) {
    part.shape[axis] = x.shape[axis];
    if (x.size() > 0) {
      copy_strided(x, part);
      part.data += x.shape[axis] * y.strides[axis] * static_cast<std::int64_t>(byte_size(y.dtype));
    }
  }
}

}  // namespace

void add_movement(Registry& r) {
  r.add("concat", concat);
}

}  // namespace tandem::cpu
