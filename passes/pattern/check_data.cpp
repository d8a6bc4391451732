#include <tandem/passes/pattern/check_data.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tandem {

namespace {

struct Format {
  double epsilon;   ///< From 1 to the next number.
  double smallest;  ///< Subnormal.
  double largest;
};

Format format_of(DType dtype) {
  switch (dtype) {
    case DType::f64: return {0x1p-52, 0x1p-1074, std::numeric_limits<double>::max()};
    case DType::f32: return {0x1p-23, 0x1p-149, std::numeric_limits<float>::max()};
    case DType::f16: return {0x1p-10, 0x1p-24, 65504};
    case DType::bf16: return {0x1p-7, 0x1p-133, 0x1.fep127};
    case DType::f8e4m3: return {0x1p-3, 0x1p-9, 448};
    case DType::f8e4m3fnuz: return {0x1p-3, 0x1p-10, 240};
    case DType::f8e5m2: return {0x1p-2, 0x1p-16, 57344};
    default: return {0, 0, 127};
  }
}

double normal(CheckRandom& random) {
  const double u = 1.0 - random.uniform();
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * random.uniform());
}

double special(const Format& f, CheckRandom& random) {
  const double values[] = {std::nan(""), INFINITY, -INFINITY, 0.0, -0.0, f.smallest, -f.smallest};
  return random.pick(values);
}

double element(DType dtype, DataKind kind, CheckRandom& random) {
  if (is_boolean(dtype))
    return random.percent(50) ? 1 : 0;
  if (!is_float(dtype))
    return static_cast<double>(random.below(2));  // small enough to be an index of nearly anything
  const Format f = format_of(dtype);
  switch (kind) {
    case DataKind::normal: return normal(random);
    case DataKind::small: return 1e-3 * normal(random);
    case DataKind::mixed: return normal(random) * std::pow(10.0, 6 * random.uniform() - 3);
    case DataKind::zeros: return random.percent(80) ? 0.0 : normal(random);
    case DataKind::special: return random.percent(10) ? special(f, random) : normal(random);
    case DataKind::denormal: return f.smallest * std::floor(8 * (random.uniform() - 0.5));
    case DataKind::large: return std::sqrt(f.largest) / 32 * (random.uniform() - 0.5);  // sums of squares stay finite
  }
  return 0;
}

double largest_finite(const CheckTensor& t) {
  double most = 0;
  for (double v : t.values) {
    if (std::isfinite(v))
      most = std::max(most, std::abs(v));
  }
  return most;
}

}  // namespace

CheckTensor filled(DType dtype, std::vector<std::int64_t> shape, double value) {
  std::size_t count = 1;
  for (std::int64_t d : shape)
    count *= static_cast<std::size_t>(d);
  return {dtype, std::move(shape), std::vector<double>(count, value)};
}

CheckTensor random_tensor(DType dtype, std::vector<std::int64_t> shape, DataKind kind, CheckRandom& random) {
  CheckTensor t = filled(dtype, std::move(shape), 0.0);
  const std::size_t count = t.values.size();
  // One number is most often a scale: positive, within some powers of two.
  if (count == 1 && is_float(dtype) && is_tame(kind) && random.percent(80)) {
    t.values[0] = std::exp2(6 * random.uniform() - 4);
    return t;
  }
  for (double& v : t.values)
    v = element(dtype, kind, random);
  return t;
}

std::vector<CheckTensor> nudged(std::span<const CheckTensor> tensors, CheckRandom& random) {
  std::vector<CheckTensor> moved(tensors.begin(), tensors.end());
  for (CheckTensor& t : moved) {
    const double step = is_float(t.dtype) ? format_of(t.dtype).epsilon : 0;
    for (double& v : t.values) {
      const double beside = v * (random.percent(50) ? 1 + step : 1 - step);
      if (std::abs(beside) <= format_of(t.dtype).largest)
        v = beside;  // rounded when it is stored
    }
  }
  return moved;
}

Comparison compare_outputs(std::span<const CheckTensor> got, std::span<const CheckTensor> want,
                           const CheckTolerance& allowed, bool finite_inputs) {
  Comparison c;
  c.narrow.resize(want.size());
  for (std::size_t o = 0; o < want.size(); ++o) {
    const CheckTensor &g = got[o], &w = want[o];
    if (g.dtype != w.dtype || g.shape != w.shape) {
      c.failure = {.output = o, .type = type_text(w), .other_type = true};
      return c;
    }
    const Format f = format_of(w.dtype);
    const bool narrow = is_float(w.dtype) && f.epsilon > 0x1p-20;
    const double arithmetic = w.dtype == DType::f64 ? 0x1p-52 : 0x1p-23;
    const double scale = largest_finite(w);
    for (std::size_t i = 0; i < w.values.size(); ++i) {
      const double a = g.values[i], b = w.values[i];
      ++c.elements;
      c.narrow[o].elements += narrow ? 1 : 0;
      if (a == b || (std::isnan(a) && std::isnan(b)))
        continue;
      ++c.inexact;
      const bool finite = std::isfinite(a) && std::isfinite(b);
      if (!std::isfinite(b) && (finite_inputs || allowed.relaxed))
        continue;
      c.narrow[o].inexact += narrow ? 1 : 0;
      const double last_place = is_float(w.dtype) ? 1.01 * f.epsilon * std::abs(b) + 2 * f.smallest : 0;
      const double several = allowed.relaxed ? 8 * f.epsilon * scale : 0;
      const double more = allowed.more.empty() ? 0 : allowed.more[o][i];
      const double tolerance = is_float(w.dtype) ? last_place + several + more + allowed.steps * arithmetic * scale : 0;
      if (finite && std::abs(a - b) <= tolerance)
        continue;
      if (!c.failure)
        c.failure = {.output = o, .element = i, .type = type_text(w), .got = a, .want = b};
    }
  }
  return c;
}

std::string describe(const Comparison::Difference& d, std::string_view output) {
  if (d.other_type)
    return fmt::format("{} is not {}", output, d.type);
  return fmt::format("element {} of {} ({}) is {}, expected {}", d.element, output, d.type, number_text(d.got),
                     number_text(d.want));
}

std::string number_text(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{}", value);
}

std::string type_text(const CheckTensor& tensor) {
  return fmt::format("{}[{}]", to_string(tensor.dtype), fmt::join(tensor.shape, ", "));
}

std::optional<std::size_t> rounds_otherwise(const Comparison& sum) {
  for (std::size_t o = 0; o < sum.narrow.size(); ++o) {
    const Comparison::Narrow& n = sum.narrow[o];
    if (n.inexact > 4 && static_cast<double>(n.inexact) > 0.02 * static_cast<double>(n.elements))
      return o;
  }
  return std::nullopt;
}

std::size_t narrow_elements(const Comparison& c) {
  std::size_t fewest = c.narrow.empty() ? 0 : c.narrow[0].elements;
  for (const Comparison::Narrow& n : c.narrow)
    fewest = std::min(fewest, n.elements);
  return fewest;
}

void accumulate(Comparison& sum, const Comparison& more, DataKind kind) {
  sum.elements += more.elements;
  sum.inexact += more.inexact;
  if (!is_tame(kind) || kind == DataKind::zeros)
    return;  // what says little of rounding would hide it
  sum.narrow.resize(std::max(sum.narrow.size(), more.narrow.size()));
  for (std::size_t o = 0; o < more.narrow.size(); ++o) {
    sum.narrow[o].elements += more.narrow[o].elements;
    sum.narrow[o].inexact += more.narrow[o].inexact;
  }
}

}  // namespace tandem
