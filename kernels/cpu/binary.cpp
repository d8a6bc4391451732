// Elementwise ops of two operands, and `where`.
#include <cmath>
#include <cstdint>
#include <limits>

#include <tandem/kernels/cpu/elementwise.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/wrapping.h>

namespace tandem::cpu {
namespace {

template <class F>
void add_float(Registry& registry, std::string_view op, F f) {
  registry.add(
      op,
      [f](const KernelCall& call) {
        if (lane_of(call.operands[0].dtype) == Lane::f64)
          map_elements<double, double, 2>(call, f);
        else
          map_elements<float, float, 2>(call, f);
      },
      takes_floats);
}

template <class F, class G>
void add_arithmetic(Registry& registry, std::string_view op, F f, G g) {
  registry.add(op, [f, g](const KernelCall& call) {
    switch (lane_of(call.operands[0].dtype)) {
      case Lane::f64: return map_elements<double, double, 2>(call, f);
      case Lane::f32: return map_elements<float, float, 2>(call, f);
      case Lane::i64: return map_elements<Int, Int, 2>(call, g);
    }
  });
}

template <class F>
void add_test(Registry& registry, std::string_view op, F f) {
  registry.add(op, [f](const KernelCall& call) {
    switch (lane_of(call.operands[0].dtype)) {
      case Lane::f64: return map_elements<double, Int, 2>(call, f);
      case Lane::f32: return map_elements<float, Int, 2>(call, f);
      case Lane::i64: return map_elements<Int, Int, 2>(call, f);
    }
  });
}

template <class F>
void add_bitwise(Registry& registry, std::string_view op, F f) {
  registry.add(op, [f](const KernelCall& call) { map_elements<Int, Int, 2>(call, f); });
}

/// Of zeros that compare equal, +0 is the larger.
template <class T>
T larger(T a, T b) {
  if (a != a || b != b)
    return std::numeric_limits<T>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
template <class T>
T smaller(T a, T b) {
  if (a != a || b != b)
    return std::numeric_limits<T>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

/// a - b * floor(a / b), exactly.
template <class T>
T remainder(T a, T b) {
  const T r = std::fmod(a, b);
  if (r == 0)
    return std::copysign(T{0}, b);
  return (r < 0) != (b < 0) ? r + b : r;
}

/// Elements are moved, not computed: by their size, whatever they mean.
template <class Bits>
void where_bits(const KernelCall& call) {
  const std::array<TensorView, 4> tensors{call.results[0], call.operands[0], call.operands[1], call.operands[2]};
  const LoopNest nest(tensors);
  for_each_chunk(nest, [&](std::int64_t r, std::int64_t begin, std::int64_t count) {
    const Row y = nest.row(0, r, begin, count), condition = nest.row(1, r, begin, count);
    const Row a = nest.row(2, r, begin, count), b = nest.row(3, r, begin, count);
    auto* to = reinterpret_cast<Bits*>(y.data);
    const auto* test = reinterpret_cast<const std::uint8_t*>(condition.data);
    const auto* yes = reinterpret_cast<const Bits*>(a.data);
    const auto* no = reinterpret_cast<const Bits*>(b.data);
    for (std::int64_t i = 0; i < count; ++i)
      to[i * y.stride] = test[i * condition.stride] != 0 ? yes[i * a.stride] : no[i * b.stride];
  });
}

void where(const KernelCall& call) {
  switch (byte_size(call.results[0].dtype)) {
    case 1: return where_bits<std::uint8_t>(call);
    case 2: return where_bits<std::uint16_t>(call);
    case 4: return where_bits<std::uint32_t>(call);
    default: return where_bits<std::uint64_t>(call);
  }
}

}  // namespace

void add_binary(Registry& r) {
  add_arithmetic(
      r, "add", [](auto a, auto b) { return a + b; },
      [](Int a, Int b) { return wrapped(unsigned_of(a) + unsigned_of(b)); });
  add_arithmetic(
      r, "sub", [](auto a, auto b) { return a - b; },
      [](Int a, Int b) { return wrapped(unsigned_of(a) - unsigned_of(b)); });
  add_arithmetic(
      r, "mul", [](auto a, auto b) { return a * b; },
      [](Int a, Int b) { return wrapped(unsigned_of(a) * unsigned_of(b)); });
  add_arithmetic(
      r, "maximum", [](auto a, auto b) { return larger(a, b); }, [](Int a, Int b) { return a > b ? a : b; });
  add_arithmetic(
      r, "minimum", [](auto a, auto b) { return smaller(a, b); }, [](Int a, Int b) { return a < b ? a : b; });
  add_float(r, "div", [](auto a, auto b) { return a / b; });
  add_float(r, "remainder", [](auto a, auto b) { return remainder(a, b); });
  add_float(r, "pow", [](auto a, auto b) { return std::pow(a, b); });
  add_test(r, "logical_and", [](auto a, auto b) { return a != 0 && b != 0; });
  add_test(r, "logical_or", [](auto a, auto b) { return a != 0 || b != 0; });
  add_test(r, "logical_xor", [](auto a, auto b) { return (a != 0) != (b != 0); });
  add_test(r, "eq", [](auto a, auto b) { return a == b; });
  add_test(r, "ne", [](auto a, auto b) { return a != b; });
  add_test(r, "lt", [](auto a, auto b) { return a < b; });
  add_test(r, "le", [](auto a, auto b) { return a <= b; });
  add_test(r, "gt", [](auto a, auto b) { return a > b; });
  add_test(r, "ge", [](auto a, auto b) { return a >= b; });
  add_bitwise(r, "bitwise_and", [](Int a, Int b) { return a & b; });
  add_bitwise(r, "bitwise_or", [](Int a, Int b) { return a | b; });
  add_bitwise(r, "bitwise_xor", [](Int a, Int b) { return a ^ b; });
  r.add("where", where);
}

}  // namespace tandem::cpu
