#include <tandem/kernels/hip/walk_of.h>

namespace tandem::hip {

#define TANDEM_SAME(type) static_assert(static_cast<int>(gpu::ElementType::type) == static_cast<int>(DType::type))
TANDEM_SAME(f64);
TANDEM_SAME(f32);
TANDEM_SAME(f16);
TANDEM_SAME(bf16);
TANDEM_SAME(f8e4m3);
TANDEM_SAME(f8e4m3fnuz);
TANDEM_SAME(f8e5m2);
TANDEM_SAME(i64);
TANDEM_SAME(i32);
TANDEM_SAME(i16);
TANDEM_SAME(i8);
TANDEM_SAME(u8);
TANDEM_SAME(boolean);
#undef TANDEM_SAME

}  // namespace tandem::hip
