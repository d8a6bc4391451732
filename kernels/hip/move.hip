// Kernels that move elements without looking at them, and that make them from nothing.
#include "element.h"
#include "index.h"
#include "move_params.h"

namespace tandem::gpu {

namespace {

template <class Word>
TANDEM_DEVICE void copy(const CopyParams& p) {
  begin_kernel();
  for (i64 item = first_item(); item < p.walk.size; item += item_step()) {
    i64 at[2] = {};
    locate(p.walk, item, at);
    static_cast<Word*>(p.to)[at[0]] = static_cast<const Word*>(p.from)[at[1]];
  }
}

}  // namespace

TANDEM_KERNEL(copy_1, 256, CopyParams) { copy<u8>(p); }
TANDEM_KERNEL(copy_2, 256, CopyParams) { copy<u16>(p); }
TANDEM_KERNEL(copy_4, 256, CopyParams) { copy<u32>(p); }
TANDEM_KERNEL(copy_8, 256, CopyParams) { copy<u64>(p); }
TANDEM_KERNEL(copy_16, 256, CopyParams) { copy<u32x4>(p); }

TANDEM_KERNEL(fill, 256, FillParams) {
  begin_kernel();
  for (i64 item = first_item(); item < p.walk.size; item += item_step()) {
    i64 at[1] = {};
    locate(p.walk, item, at);
    switch (p.element_bytes) {
      case 1: static_cast<u8*>(p.to)[at[0]] = static_cast<u8>(p.bits); break;
      case 2: static_cast<u16*>(p.to)[at[0]] = static_cast<u16>(p.bits); break;
      case 4: static_cast<u32*>(p.to)[at[0]] = static_cast<u32>(p.bits); break;
      default: static_cast<u64*>(p.to)[at[0]] = p.bits; break;
    }
  }
}

TANDEM_KERNEL(iota, 256, IotaParams) {
  begin_kernel();
  for (i64 item = first_item(); item < p.length; item += item_step()) {
    const i64 value = static_cast<i64>(p.start + p.step * static_cast<u64>(item));
    if (is_float(p.type))
      store_real(p.to, p.type, item * p.to_step, p.type == ElementType::f64 ? static_cast<double>(value) : to_odd_f64(value));
    else
      store_integer(p.to, p.type, item * p.to_step, value);
  }
}

TANDEM_KERNEL(one_hot, 256, OneHotParams) {
  begin_kernel();
  for (i64 item = first_item(); item < p.walk.size; item += item_step()) {
    i64 at[3] = {};
    locate(p.walk, item, at);
    const bool hot = load_integer(p.x, p.x_type, at[1]) == at[2];
    if (is_float(p.type))
      store_real(p.to, p.type, at[0], hot ? 1.0 : 0.0);
    else
      store_integer(p.to, p.type, at[0], hot ? 1 : 0);
  }
}

}  // namespace tandem::gpu
