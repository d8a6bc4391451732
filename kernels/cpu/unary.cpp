// Elementwise ops of one operand, and casts.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numbers>

#include <tandem/kernels/cpu/elementwise.h>
#include <tandem/kernels/cpu/math.h>
#include <tandem/kernels/cpu/registry.h>
#include <tandem/kernels/cpu/strided_copy.h>
#include <tandem/kernels/cpu/wrapping.h>

namespace tandem::cpu {
namespace {

/// f on floats and doubles; integers (where the op takes them) are the reference's.
template <class F>
void add_float(Registry& registry, std::string_view op, F f) {
  registry.add(
      op,
      [f](const KernelCall& call) {
        if (lane_of(call.operands[0].dtype) == Lane::f64)
          map_elements<double, double, 1>(call, f);
        else
          map_elements<float, float, 1>(call, f);
      },
      takes_floats);
}

/// f on floats and doubles, g on integers and bools.
template <class F, class G>
void add_arithmetic(Registry& registry, std::string_view op, F f, G g) {
  registry.add(op, [f, g](const KernelCall& call) {
    switch (lane_of(call.operands[0].dtype)) {
      case Lane::f64: return map_elements<double, double, 1>(call, f);
      case Lane::f32: return map_elements<float, float, 1>(call, f);
      case Lane::i64: return map_elements<Int, Int, 1>(call, g);
    }
  });
}

/// f to a truth value.
template <class F>
void add_test(Registry& registry, std::string_view op, F f) {
  registry.add(op, [f](const KernelCall& call) {
    switch (lane_of(call.operands[0].dtype)) {
      case Lane::f64: return map_elements<double, Int, 1>(call, f);
      case Lane::f32: return map_elements<float, Int, 1>(call, f);
      case Lane::i64: return map_elements<Int, Int, 1>(call, f);
    }
  });
}

template <class T>
T sigmoid(T x) {
  return T{1} / (T{1} + exponential(-x));
}
template <class T>
T gelu(T x) {
  return x * T{0.5} * std::erfc(-x / std::numbers::sqrt2_v<T>);
}
template <class T>
T gelu_tanh(T x) {
  const T inner = std::numbers::sqrt2_v<T> * std::numbers::inv_sqrtpi_v<T> * (x + T(0.044715) * x * x * x);
  return T{0.5} * x * (T{1} + std::tanh(inner));
}

/// Between floats by way of float (exact for all narrower) or double; integers by int64. What would round twice, a wide
/// integer to a narrow float, is the reference's.
void cast(const KernelCall& call) {
  const DType from = call.operands[0].dtype, to = call.results[0].dtype;
  const auto same = [](auto x) { return x; };
  if (from == to)
    return copy_strided(call.operands[0], call.results[0]);
  switch (lane_of(from)) {
    case Lane::f32: return map_elements<float, float, 1>(call, same);
    case Lane::f64: return map_elements<double, double, 1>(call, same);
    case Lane::i64: return map_elements<Int, Int, 1>(call, same);
  }
}
bool cast_rounds_once(const KernelCall& call) {
  const DType from = call.operands[0].dtype, to = call.results[0].dtype;
  return is_float(from) || !is_float(to) || byte_size(to) >= 4;
}

}  // namespace

void add_unary(Registry& r) {
  add_arithmetic(
      r, "neg", [](auto x) { return -x; }, [](Int x) { return wrapped(0 - unsigned_of(x)); });
  add_arithmetic(
      r, "abs", [](auto x) { return std::fabs(x); }, [](Int x) { return x < 0 ? wrapped(0 - unsigned_of(x)) : x; });
  add_arithmetic(
      r, "sign", [](auto x) { return x > 0    ? decltype(x){1}
                                     : x < 0  ? decltype(x){-1}
                                     : x == 0 ? decltype(x){0}
                                              : x; },
      [](Int x) { return Int{x > 0} - Int{x < 0}; });
  add_arithmetic(
      r, "square", [](auto x) { return x * x; }, [](Int x) { return wrapped(unsigned_of(x) * unsigned_of(x)); });
  add_arithmetic(
      r, "relu", [](auto x) { return x > 0 || x != x ? x : decltype(x){0}; }, [](Int x) { return x > 0 ? x : 0; });
  add_float(r, "exp", [](auto x) { return exponential(x); });
  add_float(r, "log", [](auto x) { return std::log(x); });
  add_float(r, "sqrt", [](auto x) { return std::sqrt(x); });
  add_float(r, "rsqrt", [](auto x) { return 1 / std::sqrt(x); });
  add_float(r, "reciprocal", [](auto x) { return 1 / x; });
  add_float(r, "sin", [](auto x) { return std::sin(x); });
  add_float(r, "cos", [](auto x) { return std::cos(x); });
  add_float(r, "tanh", [](auto x) { return std::tanh(x); });
  add_float(r, "erf", [](auto x) { return std::erf(x); });
  add_float(r, "sigmoid", [](auto x) { return sigmoid(x); });
  add_float(r, "silu", [](auto x) { return x * sigmoid(x); });
  add_float(r, "softplus", [](auto x) { return (x > 0 ? x : decltype(x){0}) + std::log1p(std::exp(-std::fabs(x))); });
  add_float(r, "floor", [](auto x) { return std::floor(x); });
  add_float(r, "ceil", [](auto x) { return std::ceil(x); });
  add_float(r, "round", [](auto x) { return std::nearbyint(x); });
  add_float(r, "trunc", [](auto x) { return std::trunc(x); });
  add_test(r, "is_nan", [](auto x) { return x != x; });
  add_test(r, "is_inf", [](auto x) { return std::isinf(static_cast<double>(x)); });
  add_test(r, "logical_not", [](auto x) { return x == 0; });
  r.add(
      "gelu",
      [](const KernelCall& call) {
        const bool approximate = call.attr("tanh_approximation").boolean();
        const auto f = [approximate](auto x) { return approximate ? gelu_tanh(x) : gelu(x); };
        if (lane_of(call.operands[0].dtype) == Lane::f64)
          map_elements<double, double, 1>(call, f);
        else
          map_elements<float, float, 1>(call, f);
      },
      takes_floats);
  r.add("cast", cast, cast_rounds_once);
}

}  // namespace tandem::cpu
