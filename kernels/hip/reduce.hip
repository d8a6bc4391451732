// Reductions over any axes, in f64 or 64-bit integers: a thread, a wave or a block for each result.
#include "element.h"
#include "index.h"
#include "reduce_params.h"
#include "wave.h"

namespace tandem::gpu {

namespace {

constexpr int threads = 256;

/// A value and where it stood. The position decides between equals: the first counts.
template <class T>
struct Best {
  T value;
  i64 at;
};

TANDEM_DEVICE bool is_nan(double x) {
  return x != x;
}
TANDEM_DEVICE bool is_nan(i64) {
  return false;
}

template <class T>
TANDEM_DEVICE T combine(Reduction reduction, T a, T b) {
  switch (reduction) {
    case Reduction::sum:
    case Reduction::mean: return a + b;
    case Reduction::prod: return a * b;
    case Reduction::max: return is_nan(a) || a > b ? a : b;
    case Reduction::min: return is_nan(a) || a < b ? a : b;
    case Reduction::any: return a != 0 || b != 0 ? T(1) : T(0);
    default: return a != 0 && b != 0 ? T(1) : T(0);
  }
}

template <class T>
TANDEM_DEVICE Best<T> combine(Reduction reduction, Best<T> a, Best<T> b) {
  bool first = b.at < 0;
  if (a.at >= 0 && b.at >= 0) {
    if (a.value == b.value || (is_nan(a.value) && is_nan(b.value)))
      first = a.at < b.at;
    else if (is_nan(a.value) || is_nan(b.value))
      first = is_nan(a.value);
    else
      first = (reduction == Reduction::argmax) == (a.value > b.value);
  }
  // Member by member: a choice between whole structs would go through memory.
  return {first ? a.value : b.value, first ? a.at : b.at};
}

template <class T>
TANDEM_DEVICE T neutral(Reduction reduction, ElementType type);

template <>
TANDEM_DEVICE double neutral<double>(Reduction reduction, ElementType) {
  switch (reduction) {
    case Reduction::prod:
    case Reduction::all: return 1;
    case Reduction::max: return -__builtin_huge_val();
    case Reduction::min: return __builtin_huge_val();
    default: return 0;
  }
}
template <>
TANDEM_DEVICE i64 neutral<i64>(Reduction reduction, ElementType type) {
  const bool is_unsigned = type == ElementType::u8 || type == ElementType::boolean;
  const i64 highest = is_unsigned ? (type == ElementType::u8 ? 255 : -1)
                                  : static_cast<i64>(0x7fffffffffffffffULL >> (64 - 8 * size_of(type)));
  switch (reduction) {
    case Reduction::prod:
    case Reduction::all: return 1;
    case Reduction::max: return is_unsigned ? 0 : -highest - 1;
    case Reduction::min: return highest;
    default: return 0;
  }
}
template <class T>
struct Neutral {
  TANDEM_DEVICE static T of(Reduction reduction, ElementType type) { return neutral<T>(reduction, type); }
};
template <class T>
struct Neutral<Best<T>> {
  TANDEM_DEVICE static Best<T> of(Reduction, ElementType) { return {T(0), -1}; }
};

template <class T>
TANDEM_DEVICE T element(const ReduceParams& p, i64 at, i64, T*) {
  if (p.reduction == Reduction::any || p.reduction == Reduction::all)
    return is_float(p.x_type) ? T(load_real(p.x, p.x_type, at) != 0) : T(load_integer(p.x, p.x_type, at) != 0);
  if constexpr (sizeof(T) == 8 && T(0.5) != T(0))
    return load_real(p.x, p.x_type, at);
  else
    return load_integer(p.x, p.x_type, at);
}
template <class T>
TANDEM_DEVICE Best<T> element(const ReduceParams& p, i64 at, i64 position, Best<T>*) {
  if constexpr (T(0.5) != T(0))
    return {load_real(p.x, p.x_type, at), position};
  else
    return {load_integer(p.x, p.x_type, at), position};
}

TANDEM_DEVICE void store(const ReduceParams& p, i64 at, double value) {
  if (p.reduction == Reduction::mean)
    value /= static_cast<double>(p.reduced.size);
  store_real(p.y, p.y_type, at, value);
}
TANDEM_DEVICE void store(const ReduceParams& p, i64 at, i64 value) {
  store_integer(p.y, p.y_type, at, value);
}
template <class T>
TANDEM_DEVICE void store(const ReduceParams& p, i64 at, Best<T> value) {
  store_integer(p.y, p.y_type, at, value.at);
}

template <class T>
TANDEM_DEVICE void reduce(const ReduceParams& p) {
  __shared__ u64 room[2 * threads / wave_size];
  T* const of_waves = reinterpret_cast<T*>(room);
  begin_kernel();
  const int team = p.by == ReduceBy::thread ? 1 : p.by == ReduceBy::wave ? wave_size : threads;
  const int teams = threads / team;
  for (i64 block = block_x(); block * teams < p.kept.size; block += grid_blocks()) {
    const i64 result = block * teams + static_cast<int>(thread_x()) / team;
    // All lanes stay for the exchanges below; those of results that do not exist reduce nothing.
    const bool exists = result < p.kept.size;
    i64 at[2] = {};
    if (exists)
      locate(p.kept, result, at);
    T total = Neutral<T>::of(p.reduction, p.x_type);
    if (exists) {
      for (i64 i = static_cast<int>(thread_x()) % team; i < p.reduced.size; i += team) {
        i64 x_at[1] = {at[1]};
        locate(p.reduced, i, x_at);
        total = combine(p.reduction, total, element(p, x_at[0], i, static_cast<T*>(nullptr)));
      }
    }
    if (p.by != ReduceBy::thread)
      total = wave_reduce(total, [&](T a, T b) { return combine(p.reduction, a, b); });
    if (p.by == ReduceBy::block) {
      if (lane_id() == 0)
        of_waves[wave_id()] = total;
      block_barrier();
      total = of_waves[0];
      for (int i = 1; i < threads / wave_size; ++i)
        total = combine(p.reduction, total, of_waves[i]);
    }
    if (exists && static_cast<int>(thread_x()) % team == 0)
      store(p, at[0], total);
    if (p.by == ReduceBy::block)
      block_barrier();
  }
}

}  // namespace

TANDEM_KERNEL(reduce_real, 256, ReduceParams) { reduce<double>(p); }
TANDEM_KERNEL(reduce_integer, 256, ReduceParams) { reduce<i64>(p); }
TANDEM_KERNEL(arg_reduce_real, 256, ReduceParams) { reduce<Best<double>>(p); }
TANDEM_KERNEL(arg_reduce_integer, 256, ReduceParams) { reduce<Best<i64>>(p); }

}  // namespace tandem::gpu
