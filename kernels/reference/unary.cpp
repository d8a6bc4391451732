// Reference kernels of elementwise ops of one operand: a line each, the function on doubles and, where the op has them,
// on integers.
#include <cmath>
#include <cstdint>
#include <numbers>

#include <tandem/kernels/reference/elements.h>
#include <tandem/kernels/reference/families.h>
#include <tandem/kernels/reference/wrapping.h>

namespace tandem::reference {

namespace {

double sign(double x) {
  return x > 0 ? 1.0 : x < 0 ? -1.0 : x == 0 ? 0.0 : x;
}
double relu(double x) {
  return x > 0 || std::isnan(x) ? x : 0.0;
}
double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}
double silu(double x) {
  return x * sigmoid(x);
}
/// log(1 + exp(x)) without overflow for large x and without loss for very negative x.
double softplus(double x) {
  return (x > 0 ? x : 0.0) + std::log1p(std::exp(-std::fabs(x)));
}
/// Phi(x) = erfc(-x / sqrt(2)) / 2, which keeps its digits for negative x where 1 + erf(x / sqrt(2)) loses them.
double gelu(double x) {
  return x * 0.5 * std::erfc(-x / std::numbers::sqrt2);
}
double gelu_tanh(double x) {
  const double inner = std::numbers::sqrt2 * std::numbers::inv_sqrtpi * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + std::tanh(inner));
}

/// y = real(x).
template <class Real>
KernelFn unary(Real real) {
  return [real](const KernelCall& call) {
    Cursor x(call.operands[0]);
    for_each(call.results[0], [&](const TensorView& y, const Index&) {
      write_real(y, real(read_real(*x)));
      x.advance();
    });
  };
}

/// y = real(x) for floats, integer(x) for integers and bools.
template <class Real, class Integer>
KernelFn unary(Real real, Integer integer) {
  return [real, integer](const KernelCall& call) {
    Cursor x(call.operands[0]);
    for_each(call.results[0], [&](const TensorView& y, const Index&) {
      if (is_float((*x).dtype)) {
        write_real(y, real(read_real(*x)));
      } else {
        write_integer(y, integer(read_integer(*x)));
      }
      x.advance();
    });
  };
}

void bitwise_not(const KernelCall& call) {
  Cursor x(call.operands[0]);
  for_each(call.results[0], [&](const TensorView& y, const Index&) {
    write_integer(y, is_boolean(y.dtype) ? (read_integer(*x) == 0 ? 1 : 0) : ~read_integer(*x));
    x.advance();
  });
}

void logical_not(const KernelCall& call) {
  Cursor x(call.operands[0]);
  for_each(call.results[0], [&](const TensorView& y, const Index&) {
    write_integer(y, read_truth(*x) ? 0 : 1);
    x.advance();
  });
}

void cast(const KernelCall& call) {
  Cursor x(call.operands[0]);
  if (call.operands[0].dtype == call.results[0].dtype)
    return copy(call.operands[0], call.results[0]);
  for_each(call.results[0], [&](const TensorView& y, const Index&) {
    if (is_float((*x).dtype)) {
      write_real(y, read_real(*x));
    } else {
      write_integer(y, read_integer(*x));
    }
    x.advance();
  });
}

}  // namespace

void add_unary_elementwise(KernelTable& table) {
  using Int = std::int64_t;
  table.add("neg", unary([](double x) { return -x; }, [](Int x) { return wrapping_sub(0, x); }));
  table.add("abs", unary([](double x) { return std::fabs(x); }, [](Int x) { return x < 0 ? wrapping_sub(0, x) : x; }));
  table.add("sign", unary(sign, [](Int x) { return x > 0 ? Int{1} : x < 0 ? Int{-1} : Int{0}; }));
  table.add("square", unary([](double x) { return x * x; }, [](Int x) { return wrapping_mul(x, x); }));
  table.add("relu", unary(relu, [](Int x) { return x > 0 ? x : 0; }));
  table.add("exp", unary([](double x) { return std::exp(x); }));
  table.add("log", unary([](double x) { return std::log(x); }));
  table.add("sqrt", unary([](double x) { return std::sqrt(x); }));
  table.add("rsqrt", unary([](double x) { return 1.0 / std::sqrt(x); }));
  table.add("reciprocal", unary([](double x) { return 1.0 / x; }));
  table.add("sin", unary([](double x) { return std::sin(x); }));
  table.add("cos", unary([](double x) { return std::cos(x); }));
  table.add("tanh", unary([](double x) { return std::tanh(x); }));
  table.add("erf", unary([](double x) { return std::erf(x); }));
  table.add("sigmoid", unary(sigmoid));
  table.add("silu", unary(silu));
  table.add("gelu", [exact = unary(gelu), approximate = unary(gelu_tanh)](const KernelCall& call) {
    (call.attr("tanh_approximation").boolean() ? approximate : exact)(call);
  });
  table.add("softplus", unary(softplus));
  table.add("floor", unary([](double x) { return std::floor(x); }));
  table.add("ceil", unary([](double x) { return std::ceil(x); }));
  table.add("round", unary([](double x) { return std::nearbyint(x); }));
  table.add("trunc", unary([](double x) { return std::trunc(x); }));
  table.add("is_nan", unary([](double x) { return std::isnan(x) ? 1.0 : 0.0; }));
  table.add("is_inf", unary([](double x) { return std::isinf(x) ? 1.0 : 0.0; }));
  table.add("logical_not", logical_not);
  table.add("bitwise_not", bitwise_not);
  table.add("cast", cast);
}

}  // namespace tandem::reference
