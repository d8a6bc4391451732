// gather (embedding, take, gather, gather_nd) and scatter (scatter, scatter_nd).
//
// Scatter "set" is deterministic: of several updates of one place the last counts, so every update first leaves its
// number, the largest of which wins; then the winners write. "add": sums are kept in f64 (or i64), and rounded once; in
// which order terms are added to an f64 is open, and so is its last bit.
#include "element.h"
#include "index.h"
#include "move_params.h"

namespace tandem::gpu {

namespace {

/// Where an element of `near` is in `far`, and there in row-major order. False when an index points outside.
struct Target {
  i64 near, far, place;
  bool inside;

  TANDEM_DEVICE Target(const IndexedParams& p, i64 item) {
    i64 at[3] = {};
    locate(p.walk, item, at);
    place = 0;
    i64 rest = item;
    for (int axis = p.walk.axes - 1; axis >= 0; --axis) {
      const i64 count = p.walk.axis[axis].count;
      place += rest % count * p.place_step[axis];
      rest /= count;
    }
    near = at[0];
    far = at[1];
    inside = true;
    for (int i = 0; i < p.parts; ++i) {
      const i64 index = load_integer(p.index, p.index_type, at[2] + i * p.part[i].index_step);
      if (index < 0 || index >= p.part[i].length)
        inside = false;
      far += index * p.part[i].step;
      place += index * p.part[i].place_step;
    }
    if (!inside)
      *p.fault = 1;
  }
};

TANDEM_DEVICE void copy_element(const void* from, i64 from_at, void* to, i64 to_at, int bytes) {
  switch (bytes) {
    case 1: static_cast<u8*>(to)[to_at] = static_cast<const u8*>(from)[from_at]; break;
    case 2: static_cast<u16*>(to)[to_at] = static_cast<const u16*>(from)[from_at]; break;
    case 4: static_cast<u32*>(to)[to_at] = static_cast<const u32*>(from)[from_at]; break;
    default: static_cast<u64*>(to)[to_at] = static_cast<const u64*>(from)[from_at]; break;
  }
}

TANDEM_DEVICE void atomic_max(u64* at, u64 value) {
#if TANDEM_NVIDIA
  atomicMax(at, value);
#else
  __hip_atomic_fetch_max(at, value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
#endif
}
TANDEM_DEVICE void atomic_add(u64* at, u64 value) {
#if TANDEM_NVIDIA
  atomicAdd(at, value);
#else
  __hip_atomic_fetch_add(at, value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
#endif
}
TANDEM_DEVICE void atomic_add(double* at, double value) {
#if TANDEM_NVIDIA
  atomicAdd(at, value);
#else
  __hip_atomic_fetch_add(at, value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
#endif
}

}  // namespace

TANDEM_KERNEL(gather, 256, IndexedParams) {
  begin_kernel();
  for (i64 item = first_item(); item < p.walk.size; item += item_step()) {
    const Target t(p, item);
    if (t.inside)
      copy_element(p.far, t.far, p.near, t.near, p.element_bytes);
  }
}

TANDEM_KERNEL(scatter_claim, 256, IndexedParams) {
  begin_kernel();
  for (i64 item = first_item(); item < p.walk.size; item += item_step()) {
    const Target t(p, item);
    if (t.inside)
      atomic_max(reinterpret_cast<u64*>(p.winners) + t.place, static_cast<u64>(item) + 1);
  }
}

TANDEM_KERNEL(scatter_set, 256, IndexedParams) {
  begin_kernel();
  for (i64 item = first_item(); item < p.walk.size; item += item_step()) {
    const Target t(p, item);
    if (t.inside && p.winners[t.place] == static_cast<u64>(item) + 1)
      copy_element(p.near, t.near, p.far, t.far, p.element_bytes);
  }
}

TANDEM_KERNEL(scatter_add, 256, IndexedParams) {
  begin_kernel();
  for (i64 item = first_item(); item < p.walk.size; item += item_step()) {
    const Target t(p, item);
    if (!t.inside)
      continue;
    if (is_float(p.type))
      atomic_add(static_cast<double*>(p.sums) + t.place, load_real(p.near, p.type, t.near));
    else
      atomic_add(static_cast<u64*>(p.sums) + t.place, static_cast<u64>(load_integer(p.near, p.type, t.near)));
  }
}

}  // namespace tandem::gpu
