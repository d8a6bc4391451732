// Runs one reference kernel on tensors written as lists.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/kernels/kernel.h>

namespace tandem::test {

inline constexpr double NaN = std::numeric_limits<double>::quiet_NaN();
inline constexpr double inf = std::numeric_limits<double>::infinity();

using Sizes = std::vector<std::int64_t>;

/// A row-major tensor of `values`, each rounded to `dtype`.
inline Tensor tensor(DType dtype, const Sizes& shape, const std::vector<double>& values) {
  Tensor t = Tensor::zeros(dtype, shape);
  if (static_cast<std::size_t>(t.view.size()) != values.size())
    throw std::logic_error("values do not fill the shape");
  for (std::size_t i = 0; i < values.size(); ++i)
    store_element(t.view, static_cast<std::int64_t>(i), values[i]);
  return t;
}

/// As above, for integers that a double cannot hold.
inline Tensor integers(const Sizes& shape, const std::vector<std::int64_t>& values) {
  Tensor t = Tensor::zeros(DType::i64, shape);
  if (!values.empty())
    std::memcpy(t.view.data, values.data(), values.size() * sizeof(std::int64_t));
  return t;
}

/// The same elements in column-major order, two of the element's size apart: strides that no
/// kernel may overlook.
inline Tensor strided(const Tensor& t) {
  Sizes shape(t.view.dims().begin(), t.view.dims().end());
  Sizes storage_shape = shape;
  storage_shape.push_back(2);
  Tensor out = Tensor::zeros(t.view.dtype, storage_shape);
  out.view.rank = t.view.rank;
  std::int64_t stride = 2;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out.view.shape[i] = shape[i];
    out.view.strides[i] = stride;
    stride *= shape[i];
  }
  // Bit by bit: a double does not hold every integer.
  const std::size_t bytes = byte_size(t.view.dtype);
  for (std::int64_t i = 0; i < t.view.size(); ++i) {
    std::int64_t rest = i;
    std::int64_t to = 0;
    std::int64_t from = 0;
    for (std::size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) {
      to += rest % shape[axis] * out.view.strides[axis];
      from += rest % shape[axis] * t.view.strides[axis];
    }
    const auto size = static_cast<std::int64_t>(bytes);
    std::memcpy(out.view.as<char>() + to * size, t.view.as<char>() + from * size, bytes);
  }
  return out;
}

inline std::vector<double> values(const Tensor& t) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < t.view.size(); ++i)
    out.push_back(load_element(t.view, i));
  return out;
}

/// Lists that are equal where NaN equals NaN and -0 is not 0; prints both when they are not.
struct Same {
  std::vector<double> expected;
  friend bool operator==(const std::vector<double>& actual, const Same& same) {
    if (actual.size() != same.expected.size())
      return false;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      const double a = actual[i];
      const double b = same.expected[i];
      if (std::isnan(a) != std::isnan(b) || (!std::isnan(a) && (a != b || std::signbit(a) != std::signbit(b))))
        return false;
    }
    return true;
  }
  friend std::ostream& operator<<(std::ostream& out, const Same& same) {
    for (double v : same.expected)
      out << v << ' ';
    return out;
  }
};

class ReferenceRun {
 public:
  /// Runs an op on operands whose types inference accepts; results are laid out row-major.
  std::vector<Tensor> all(std::string_view op, const std::vector<Tensor>& operands,
                          const std::vector<NamedAttr>& attrs = {}) {
    return run(op, operands, attrs, false);
  }
  /// The one result.
  Tensor operator()(std::string_view op, const std::vector<Tensor>& operands,
                    const std::vector<NamedAttr>& attrs = {}) {
    return all(op, operands, attrs).at(0);
  }
  /// The elements of the one result; computed three times, with strided operands and strided results, too.
  std::vector<double> values(std::string_view op, const std::vector<Tensor>& operands,
                             const std::vector<NamedAttr>& attrs = {}) {
    const std::vector<double> plain = test::values((*this)(op, operands, attrs));
    std::vector<Tensor> strided_operands;
    for (const Tensor& t : operands)
      strided_operands.push_back(strided(t));
    const auto same = [&](const std::vector<Tensor>& results) { return test::values(results.at(0)) == Same{plain}; };
    if (!same(all(op, strided_operands, attrs)))
      throw std::logic_error("strided operands give another result");
    if (!same(run(op, operands, attrs, true)))
      throw std::logic_error("a strided result is another one");
    return plain;
  }
  /// "run.index: " and the message.
  std::string refusal(std::string_view op, const std::vector<Tensor>& operands,
                      const std::vector<NamedAttr>& attrs = {}) {
    try {
      all(op, operands, attrs);
      return "accepted";
    } catch (const Error& error) {
      return error.diagnostics().front().code + ": " + error.diagnostics().front().message;
    }
  }

  /// A symbol with a value, for attributes.
  Dim bind(std::string_view name, std::int64_t value) {
    bindings_.set(context_->intern(name), value);
    return context_->symbol(name);
  }
  Context& context() { return *context_; }

 private:
  std::vector<Tensor> run(std::string_view op, const std::vector<Tensor>& operands, const std::vector<NamedAttr>& attrs,
                          bool strided_results) {
    std::vector<TensorType> types;
    std::vector<TensorView> views;
    for (const Tensor& t : operands) {
      std::vector<Dim> dims(t.view.dims().begin(), t.view.dims().end());
      types.push_back({t.view.dtype, context_->shape(dims)});
      views.push_back(t.view);
    }
    const OpDef& def = context_->op(context_->require_op(op));
    const std::vector<Attribute> fitted = fit_attributes(*context_, def, attrs);
    std::vector<TensorType> result_types;
    infer_types(*context_, def, types, fitted, result_types);
    std::vector<Tensor> results;
    std::vector<TensorView> result_views;
    for (const TensorType& type : result_types) {
      Sizes shape;
      for (Dim d : type.shape)
        shape.push_back(std::max<std::int64_t>(bindings_.value(d), 0));
      const Tensor zeros = Tensor::zeros(type.dtype, shape);
      results.push_back(strided_results ? strided(zeros) : zeros);
      result_views.push_back(results.back().view);
    }
    const KernelFn* kernel = kernels_.find(op);
    if (kernel == nullptr)
      throw std::logic_error("no reference kernel");
    (*kernel)({def, views, result_views, fitted, bindings_});
    return results;
  }

  std::shared_ptr<Context> context_ = Context::create();
  KernelTable kernels_ = reference_kernels();
  DimBindings bindings_;
};

}  // namespace tandem::test
