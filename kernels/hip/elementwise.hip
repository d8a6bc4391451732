// Interpreters of elementwise programs (elementwise_params.h). Slots lie in shared memory, as many as a program
// uses, a column a thread, because registers cannot be indexed.
//
//   narrow  floats up to f32, and bools: 4 elements a thread, in f32
//   wide    everything: doubles and 64-bit integers, an element a thread
#include "element.h"
#include "elementwise_params.h"
#include "index.h"
#include "device_math.h"

namespace tandem::gpu {

namespace {

constexpr int threads = 256;

/// Where an element stands along each axis.
struct Place {
  i64 at[max_axes];

  TANDEM_DEVICE Place(const ElementwiseParams& p, i64 linear) {
#pragma unroll
    for (int axis = max_axes - 1; axis >= 0; --axis) {
      at[axis] = 0;
      if (axis >= p.walk.axes)
        continue;
      const i64 count = p.walk.axis[axis].count;
      i64 rest = 0;
      if (axis > 0)
        rest = ((static_cast<u64>(linear) | static_cast<u64>(count)) >> 32) == 0
                   ? static_cast<i64>(static_cast<u32>(linear) / static_cast<u32>(count))
                   : linear / count;
      at[axis] = linear - rest * count;
      linear = rest;
    }
  }
  TANDEM_DEVICE i64 in(const ElementwiseParams& p, int tensor) const {
    i64 offset = 0;
#pragma unroll
    for (int axis = 0; axis < max_axes; ++axis)
      if (axis < p.walk.axes)
        offset += at[axis] * p.walk.axis[axis].step[tensor];
    return offset;
  }
};

// --- one op --------------------------------------------------------------------------------------------------------

TANDEM_DEVICE float larger(float a, float b) {
  if (a != a || b != b)
    return bit_cast<float>(0x7fc00000U);
  return a == b ? (sign_bit(a) ? b : a) : a > b ? a : b;
}
TANDEM_DEVICE double larger(double a, double b) {
  if (a != a || b != b)
    return bit_cast<double>(0x7ff8000000000000ULL);
  return a == b ? (sign_bit(a) ? b : a) : a > b ? a : b;
}
template <class Real>
TANDEM_DEVICE Real smaller(Real a, Real b) {
  return -larger(-a, -b);
}

/// What floats and doubles have in common. False when the op is none of these.
template <class Real>
TANDEM_DEVICE bool common(const ElementwiseStep& s, Real a, Real b, Real& y) {
  switch (s.op) {
    case Op::neg: y = -a; return true;
    case Op::abs: y = absolute(a); return true;
    case Op::sign: y = a > 0 ? Real(1) : a < 0 ? Real(-1) : a == 0 ? Real(0) : a; return true;
    case Op::square: y = a * a; return true;
    case Op::exp: y = exponential(a); return true;
    case Op::sqrt: y = square_root(a); return true;
    case Op::rsqrt: y = Real(1) / square_root(a); return true;
    case Op::reciprocal: y = Real(1) / a; return true;
    case Op::tanh: y = hyperbolic_tangent(a); return true;
    case Op::sigmoid: y = sigmoid(a); return true;
    case Op::silu: y = a * sigmoid(a); return true;
    case Op::relu: y = a > 0 || a != a ? a : Real(0); return true;
    case Op::floor: y = round_down(a); return true;
    case Op::ceil: y = round_up(a); return true;
    case Op::round: y = round_to_even(a); return true;
    case Op::trunc: y = truncate(a); return true;
    case Op::is_nan: y = a != a; return true;
    case Op::is_inf: y = a == a && a - a != a - a; return true;
    case Op::logical_not: y = a == 0; return true;
    case Op::cast: y = a; return true;
    case Op::add: y = a + b; return true;
    case Op::sub: y = a - b; return true;
    case Op::mul: y = a * b; return true;
    case Op::div: y = a / b; return true;
    case Op::maximum: y = larger(a, b); return true;
    case Op::minimum: y = smaller(a, b); return true;
    case Op::logical_and: y = a != 0 && b != 0; return true;
    case Op::logical_or: y = a != 0 || b != 0; return true;
    case Op::logical_xor: y = (a != 0) != (b != 0); return true;
    case Op::eq: y = a == b; return true;
    case Op::ne: y = a != b; return true;
    case Op::lt: y = a < b; return true;
    case Op::le: y = a <= b; return true;
    case Op::gt: y = a > b; return true;
    case Op::ge: y = a >= b; return true;
    default: return false;
  }
}

TANDEM_DEVICE double remainder_of(double a, double b) {
  const double r = float_remainder(a, b);
  if (r == 0)
    return copy_sign(0.0, b);
  return (r < 0) != (b < 0) ? r + b : r;
}
TANDEM_DEVICE double floored_quotient(double a, double b) {
  const double quotient = a / b;
  if (quotient - quotient != 0 || absolute(b) == infinity)
    return round_down(quotient);
  const double r = float_remainder(a, b);
  const double truncated = round_to_even((a - r) / b);
  const double floored = r != 0 && (r < 0) != (b < 0) ? truncated - 1 : truncated;
  return floored == 0 ? copy_sign(0.0, quotient) : floored;
}

TANDEM_DEVICE double real_op(const ElementwiseStep& s, double a, double b) {
  double y = 0;
  if (common<double>(s, a, b, y))
    return y;
  switch (s.op) {
    case Op::log: return logarithm(a);
    case Op::sin: return sine(a);
    case Op::cos: return sine(a, 1);
    case Op::erf: return erf(a);
    case Op::gelu:
      if (s.variant != 0)
        return 0.5 * a * (1.0 + hyperbolic_tangent(0.79788456080286535588 * (a + 0.044715 * a * a * a)));
      return a * 0.5 * erfc(-a * 0.70710678118654752440);
    case Op::softplus: return (a > 0 ? a : 0.0) + log1p(exponential(-absolute(a)));
    case Op::floor_div: return floored_quotient(a, b);
    case Op::remainder: return remainder_of(a, b);
    case Op::pow: return power(a, b);
    case Op::atan2: return arc_tangent_of(a, b);
    default: return 0;
  }
}

TANDEM_DEVICE i64 integer_power(i64 a, i64 b) {
  if (b < 0)
    return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
  u64 power = 1;
  for (u64 base = static_cast<u64>(a); b != 0; b >>= 1, base *= base)
    if ((b & 1) != 0)
      power *= base;
  return static_cast<i64>(power);
}

TANDEM_DEVICE i64 integer_op(const ElementwiseStep& s, i64 a, i64 b) {
  const u64 x = static_cast<u64>(a);
  const u64 y = static_cast<u64>(b);
  switch (s.op) {
    case Op::neg: return static_cast<i64>(0 - x);
    case Op::abs: return a < 0 ? static_cast<i64>(0 - x) : a;
    case Op::sign: return a > 0 ? 1 : a < 0 ? -1 : 0;
    case Op::square: return static_cast<i64>(x * x);
    case Op::relu: return a > 0 ? a : 0;
    case Op::logical_not: return a == 0;
    case Op::bitwise_not: return s.type == ElementType::boolean ? a == 0 : ~a;
    case Op::cast: return a;
    case Op::add: return static_cast<i64>(x + y);
    case Op::sub: return static_cast<i64>(x - y);
    case Op::mul: return static_cast<i64>(x * y);
    case Op::div:
    case Op::floor_div:
      if (b == 0 || b == -1)
        return b == 0 ? 0 : static_cast<i64>(0 - x);
      return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
    case Op::remainder: {
      if (b == 0 || b == -1)
        return 0;
      const i64 r = a % b;
      return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    }
    case Op::pow: return integer_power(a, b);
    case Op::maximum: return a > b ? a : b;
    case Op::minimum: return a < b ? a : b;
    case Op::logical_and: return a != 0 && b != 0;
    case Op::logical_or: return a != 0 || b != 0;
    case Op::logical_xor: return (a != 0) != (b != 0);
    case Op::bitwise_and: return a & b;
    case Op::bitwise_or: return a | b;
    case Op::bitwise_xor: return a ^ b;
    case Op::eq: return a == b;
    case Op::ne: return a != b;
    case Op::lt: return a < b;
    case Op::le: return a <= b;
    case Op::gt: return a > b;
    case Op::ge: return a >= b;
    default: return 0;
  }
}

// --- wide ----------------------------------------------------------------------------------------------------------

/// A double or a 64-bit integer, as the steps know.
using Wide = u64;

TANDEM_DEVICE Wide wide_load(const ElementwiseParams& p, int tensor, i64 at) {
  const ElementType type = p.type[tensor];
  return is_float(type) ? bit_cast<u64>(load_real(p.data[tensor], type, at))
                        : bit_cast<u64>(load_integer(p.data[tensor], type, at));
}

TANDEM_DEVICE Wide wide_step(const ElementwiseStep& s, Wide a, Wide b, Wide c) {
  if (s.op == Op::where)
    return a != 0 ? b : c;
  if (s.integer != 0) {
    const i64 y = integer_op(s, bit_cast<i64>(a), bit_cast<i64>(b));
    if (is_float(s.type))  // a cast
      return bit_cast<u64>(round_real(s.type == ElementType::f64 ? static_cast<double>(y) : to_odd_f64(y), s.type));
    return bit_cast<u64>(wrap(y, s.type));
  }
  const double y = real_op(s, bit_cast<double>(a), bit_cast<double>(b));
  if (is_float(s.type))
    return bit_cast<u64>(round_real(y, s.type));
  return bit_cast<u64>(s.type == ElementType::boolean ? static_cast<i64>(y != 0) : saturate(y, s.type));
}

TANDEM_DEVICE void run_wide(const ElementwiseParams& p, Wide* slots) {
  for (i64 item = first_item(); item < p.walk.size; item += item_step()) {
    const Place place(p, item);
    Wide acc = 0;
    const auto fetch = [&](u8 from) -> Wide {
      if (from == source::accumulator)
        return acc;
      if (from >= source::immediates && from < source::slots)
        return bit_cast<u64>(p.immediate[from - source::immediates]);
      return from >= source::slots ? slots[(from - source::slots) * threads + thread_x()]
                                   : wide_load(p, from, place.in(p, from));
    };
    for (int i = 0; i < p.steps; ++i) {
      const ElementwiseStep& s = p.step[i];
      const Wide a = fetch(s.operand[0]);
      const Wide b = s.operand[1] == no_place ? a : fetch(s.operand[1]);
      const Wide c = s.op == Op::where ? fetch(s.operand[2]) : 0;
      acc = wide_step(s, a, b, c);
      if (s.save != no_place)
        slots[s.save * threads + thread_x()] = acc;
      if (s.output != no_place) {
        const i64 at = place.in(p, s.output);
        if (is_float(s.type))
          store_real(p.data[s.output], s.type, at, bit_cast<double>(acc));
        else
          store_integer(p.data[s.output], s.type, at, bit_cast<i64>(acc));
      }
    }
  }
}

// --- narrow --------------------------------------------------------------------------------------------------------

constexpr int group = elementwise_group;

struct Narrow {
  float e[group];
};

TANDEM_DEVICE Narrow narrow_load(const ElementwiseParams& p, int tensor, i64 at, int count) {
  const ElementType type = p.type[tensor];
  const void* data = p.data[tensor];
  const i64 step = p.walk.axes == 0 ? 0 : p.walk.axis[p.walk.axes - 1].step[tensor];
  Narrow x;
  if (p.whole_vectors[tensor] != 0 && count == group) {
    if (size_of(type) == 4) {
      const u32x4 v = *reinterpret_cast<const u32x4*>(static_cast<const float*>(data) + at);
      unpack<float>(v, x.e);
      return x;
    }
    if (size_of(type) == 2) {
      const u64 v = *reinterpret_cast<const u64*>(static_cast<const u16*>(data) + at);
#pragma unroll
      for (int i = 0; i < group; ++i) {
        const u16 bits = static_cast<u16>(v >> (16 * i));
        x.e[i] = type == ElementType::bf16 ? to_f32(Bf16{bits}) : to_f32(F16{bits});
      }
      return x;
    }
  }
#pragma unroll
  for (int i = 0; i < group; ++i)
    x.e[i] = i < count ? load_f32(data, type, at + i * step) : 0.0f;
  return x;
}

TANDEM_DEVICE void narrow_store(const ElementwiseParams& p, int tensor, i64 at, int count, const Narrow& x) {
  const ElementType type = p.type[tensor];
  void* data = p.data[tensor];
  const i64 step = p.walk.axes == 0 ? 0 : p.walk.axis[p.walk.axes - 1].step[tensor];
  if (p.whole_vectors[tensor] != 0 && count == group) {
    if (size_of(type) == 4) {
      *reinterpret_cast<u32x4*>(static_cast<float*>(data) + at) = pack<float>(x.e);
      return;
    }
    if (size_of(type) == 2) {
      const bool bf16 = type == ElementType::bf16;
      const u64 low = bf16 ? pack_bf16(x.e[0], x.e[1]) : pack_f16(x.e[0], x.e[1]);
      const u64 high = bf16 ? pack_bf16(x.e[2], x.e[3]) : pack_f16(x.e[2], x.e[3]);
      *reinterpret_cast<u64*>(static_cast<u16*>(data) + at) = low | (high << 32);
      return;
    }
  }
#pragma unroll
  for (int i = 0; i < group; ++i) {
    if (i >= count)
      continue;
    if (type == ElementType::boolean)
      static_cast<u8*>(data)[at + i * step] = x.e[i] != 0 ? 1 : 0;
    else
      store_f32(data, type, at + i * step, x.e[i]);
  }
}

TANDEM_DEVICE void run_narrow(const ElementwiseParams& p, Narrow* slots) {
  const i64 last_axis = p.walk.axes == 0 ? 1 : p.walk.axis[p.walk.axes - 1].count;
  const i64 groups = (p.walk.size + p.group - 1) / p.group;
  for (i64 item = first_item(); item < groups; item += item_step()) {
    const i64 first = item * p.group;
    const Place place(p, first);
    const i64 left = p.walk.axes <= 1 ? last_axis - first : p.group;
    const int count = left < p.group ? static_cast<int>(left) : p.group;
    Narrow acc = {};
    const auto fetch = [&](u8 from) -> Narrow {
      if (from == source::accumulator)
        return acc;
      if (from >= source::immediates && from < source::slots) {
        const float value = static_cast<float>(p.immediate[from - source::immediates]);
        return {{value, value, value, value}};
      }
      return from >= source::slots ? slots[(from - source::slots) * threads + thread_x()]
                                   : narrow_load(p, from, place.in(p, from), count);
    };
    for (int i = 0; i < p.steps; ++i) {
      const ElementwiseStep& s = p.step[i];
      const Narrow a = fetch(s.operand[0]);
      const Narrow b = s.operand[1] == no_place ? a : fetch(s.operand[1]);
      const Narrow c = s.op == Op::where ? fetch(s.operand[2]) : a;
      Narrow y = {};
#pragma unroll
      for (int e = 0; e < group; ++e) {
        if (s.op == Op::where)
          y.e[e] = a.e[e] != 0 ? b.e[e] : c.e[e];
        else
          common<float>(s, a.e[e], b.e[e], y.e[e]);
        y.e[e] = s.type == ElementType::boolean ? (y.e[e] != 0 ? 1.0f : 0.0f) : round_f32(y.e[e], s.type);
      }
      acc = y;
      if (s.save != no_place)
        slots[s.save * threads + thread_x()] = acc;
      if (s.output != no_place)
        narrow_store(p, s.output, place.in(p, s.output), count, acc);
    }
  }
}

}  // namespace

TANDEM_KERNEL(elementwise_wide, 256, ElementwiseParams) {
  begin_kernel();
  run_wide(p, reinterpret_cast<Wide*>(dynamic_shared));
}

TANDEM_KERNEL(elementwise_narrow, 256, ElementwiseParams) {
  begin_kernel();
  run_narrow(p, reinterpret_cast<Narrow*>(dynamic_shared));
}

}  // namespace tandem::gpu
