// Rotary position embedding: a thread a pair.
#include "element.h"
#include "index.h"
#include "rope_params.h"

namespace tandem::gpu {

namespace {

template <class Real>
TANDEM_DEVICE void rotate(Real a, Real b, Real c, Real s, Real& first, Real& second) {
  first = fused_multiply_add(a, c, -(b * s));
  second = fused_multiply_add(b, c, a * s);
}

}  // namespace

TANDEM_KERNEL(rope, 256, RopeParams) {
  begin_kernel();
  for (i64 item = first_item(); item < p.pairs.size; item += item_step()) {
    i64 at[4] = {};
    locate(p.pairs, item, at);
    if (p.type == ElementType::f64) {
      double first, second;
      rotate<double>(load_real(p.x, p.type, at[1]), load_real(p.x, p.type, at[1] + p.x_second),
                     load_real(p.cosine, p.cosine_type, at[2]), load_real(p.sine, p.sine_type, at[3]), first, second);
      store_real(p.y, p.type, at[0], first);
      store_real(p.y, p.type, at[0] + p.y_second, second);
    } else {
      float first, second;
      rotate<float>(load_f32(p.x, p.type, at[1]), load_f32(p.x, p.type, at[1] + p.x_second),
                    load_f32(p.cosine, p.cosine_type, at[2]), load_f32(p.sine, p.sine_type, at[3]), first, second);
      store_f32(p.y, p.type, at[0], first);
      store_f32(p.y, p.type, at[0] + p.y_second, second);
    }
  }
}

}  // namespace tandem::gpu
