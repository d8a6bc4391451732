// See compare.h.
#include <tandem/tools/compare.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>

namespace tandem::cli {
namespace {

/// Between runs that add up in another order; what the project promises against PyTorch.
double default_relative(DType dtype) {
  switch (dtype) {
    case DType::f64: return 1e-12;
    case DType::f32: return 1e-5;
    case DType::f16: return 4e-3;
    case DType::bf16: return 2e-2;
    default: return is_float8(dtype) ? 0.15 : 0.0;
  }
}

double element_difference(double a, double b) {
  if (std::isnan(a) && std::isnan(b))
    return 0.0;
  if (a == b)
    return 0.0;
  const double d = std::abs(a - b);
  return std::isnan(d) ? std::numeric_limits<double>::infinity() : d;
}

std::string shown_type(const TensorView& view) {
  return fmt::format("{}[{}]", to_string(view.dtype), fmt::join(view.dims(), ", "));
}

}  // namespace

Difference difference(const std::string& name, const Tensor& actual, const Tensor& reference,
                      const Tolerance& tolerance) {
  Difference d;
  d.name = name;
  d.type = shown_type(actual.view);
  // Beyond 2^53 a double would make different integers equal.
  const bool integers = !is_float(actual.view.dtype) && !is_float(reference.view.dtype);
  for (std::int64_t i = 0, n = actual.view.size(); i < n; ++i) {
    const double a = load_element(actual.view, i), b = load_element(reference.view, i);
    double distance = element_difference(a, b);
    if (integers && distance == 0.0 && load_integer(actual.view, i) != load_integer(reference.view, i))
      distance = 1.0;
    if (distance > d.max_absolute) {
      d.max_absolute = distance;
      d.at = i;
    }
    if (std::isfinite(b))
      d.max_reference = std::max(d.max_reference, std::abs(b));
  }
  if (d.max_absolute > 0.0)
    d.max_relative = d.max_reference > 0.0 ? d.max_absolute / d.max_reference : std::numeric_limits<double>::infinity();
  d.tolerance = tolerance.absolute.value_or(0.0) +
                tolerance.relative.value_or(default_relative(actual.view.dtype)) * d.max_reference;
  return d;
}

const Tensor& find_reference(const TensorStore& references, const std::string& file, const NamedTensor& output,
                             std::size_t index) {
  const std::string by_position = fmt::format("output.{}", index);
  const Tensor* found = references.find(output.name);
  if (!found)
    found = references.find(by_position);
  const auto fail = [&](std::string_view code, std::string message, std::string help) {
    Diagnostic d;
    d.code = code;
    d.where.file = file;
    d.where.path = output.name;
    d.message = std::move(message);
    d.help = std::move(help);
    throw Error(std::move(d));
  };
  if (!found) {
    std::vector<std::string_view> names = references.names();
    if (names.size() > 8)
      names.resize(8);
    fail("compare.missing", fmt::format("neither '{}' nor '{}' is in this file", output.name, by_position),
         fmt::format("it holds {}{}", fmt::join(names, ", "), references.size() > 8 ? ", ..." : ""));
  }
  if (!std::ranges::equal(found->view.dims(), output.tensor.view.dims()))
    fail("compare.shape",
         fmt::format("the output is {}, the reference {}", shown_type(output.tensor.view), shown_type(found->view)),
         "compare with outputs for the same inputs");
  return *found;
}

std::string to_text(std::span<const Difference> differences, std::string_view against) {
  std::size_t width = 6;
  for (const Difference& d : differences)
    width = std::max(width, d.name.size());
  std::string text = fmt::format("largest differences from {}\n{:<{}}  {:>11}  {:>11}  {:>11}\n", against, "output",
                                 width, "absolute", "relative", "tolerated");
  for (const Difference& d : differences)
    text += fmt::format("{:<{}}  {:>11.4g}  {:>11.4g}  {:>11.4g}  {}{}\n", d.name, width, d.max_absolute,
                        d.max_relative, d.tolerance, d.within() ? "ok" : "ABOVE TOLERANCE",
                        d.within() ? "" : fmt::format(", largest at element {} of {}", d.at, d.type));
  return text;
}

nlohmann::ordered_json to_json(std::span<const Difference> differences, std::string_view against) {
  // JSON has no infinity: such a difference is null.
  const auto number = [](double x) { return std::isfinite(x) ? nlohmann::ordered_json(x) : nlohmann::ordered_json(); };
  nlohmann::ordered_json json;
  json["against"] = against;
  bool all_within = true;
  json["outputs"] = nlohmann::ordered_json::array();
  for (const Difference& d : differences) {
    all_within = all_within && d.within();
    json["outputs"].push_back({{"name", d.name},
                               {"type", d.type},
                               {"max_absolute", number(d.max_absolute)},
                               {"max_relative", number(d.max_relative)},
                               {"max_reference", d.max_reference},
                               {"tolerance", d.tolerance},
                               {"within", d.within()}});
  }
  json["within"] = all_within;
  return json;
}

}  // namespace tandem::cli
