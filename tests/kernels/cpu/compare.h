// Running an op by the CPU's kernel and by the reference on the same tensors.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/context.h>
#include <tandem/kernels/kernel.h>
#include <tests/support/random_tensor.h>
#include <tests/support/tolerance.h>

namespace tandem::test {

/// One op applied to given operands.
class Comparison {
 public:
  Comparison(std::string op, std::vector<Tensor> operands, std::vector<NamedAttr> attrs = {})
      : context_(Context::create()), op_(context_->op(context_->require_op(op))), operands_(std::move(operands)) {
    attrs_ = fit_attributes(*context_, op_, attrs);
    std::vector<TensorType> types;
    for (const Tensor& t : operands_) {
      std::vector<Dim> dims(t.view.dims().begin(), t.view.dims().end());
      types.push_back({t.view.dtype, context_->shape(dims)});
      views_.push_back(t.view);
    }
    infer_types(*context_, op_, types, attrs_, result_types_);
  }

  /// The results of a table's kernel, in memory that was full of rubbish, with strides of its own.
  std::vector<Tensor> run(const KernelTable& table, Random& random, bool dense) const {
    std::vector<Tensor> results;
    std::vector<TensorView> views;
    for (const TensorType& type : result_types_) {
      std::vector<std::int64_t> shape;
      for (const Dim d : type.shape)
        shape.push_back(d.constant());
      results.push_back(strided_tensor(random, type.dtype, shape, dense));
      for (std::int64_t i = 0; i < results.back().view.size(); ++i)
        store_element(results.back().view, i, 77);
      views.push_back(results.back().view);
    }
    const DimBindings none;
    (*table.find(op_.name))({op_, views_, views, attrs_, none});
    return results;
  }

  /// "" when both agree, else what differs.
  std::string check(Random& random, double steps = 4, double scale = 0) const {
    static const KernelTable cpu = cpu_kernels();
    return check(cpu, random, steps, scale);
  }

  /// The same for another table than the CPU's. `dense`: results are row-major, else of any strides.
  std::string check(const KernelTable& table, Random& random, double steps = 4, double scale = 0,
                    bool dense = false) const {
    static const KernelTable reference = reference_kernels();
    const std::vector<Tensor> want = run(reference, random, true), got = run(table, random, dense);
    for (std::size_t i = 0; i < want.size(); ++i) {
      const std::string text = difference(got[i].view, want[i].view, tolerance(want[i].view.dtype, steps, scale));
      if (!text.empty())
        return op_.name + ", result " + std::to_string(i) + ", " + describe() + ": " + text;
    }
    return "";
  }

 private:
  std::string describe() const {
    std::string out;
    for (const TensorView& v : views_) {
      out += std::string(to_string(v.dtype)) + "[";
      for (std::size_t i = 0; i < v.rank; ++i)
        out += (i ? ", " : "") + std::to_string(v.shape[i]) + ":" + std::to_string(v.strides[i]);
      out += "] ";
    }
    return out;
  }

  std::shared_ptr<Context> context_;
  const OpDef& op_;
  std::vector<Tensor> operands_;
  std::vector<Attribute> attrs_;
  std::vector<TensorView> views_;
  std::vector<TensorType> result_types_;
};

/// A shape of up to `max_axes` axes of sizes around 0, 1, small and odd.
inline std::vector<std::int64_t> random_shape(Random& random, std::int64_t min_axes, std::int64_t max_axes,
                                              std::int64_t largest = 9) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(pick(random, min_axes, max_axes)));
  for (std::int64_t& d : shape)
    d = random() % 12 == 0 ? 0 : pick(random, 1, largest);
  return shape;
}

/// The shape with some axes broadcast: made 1 or, leading ones, left out.
inline std::vector<std::int64_t> broadcastable(Random& random, std::vector<std::int64_t> shape) {
  for (std::int64_t& d : shape)
    if (random() % 4 == 0)
      d = 1;
  while (!shape.empty() && random() % 5 == 0)
    shape.erase(shape.begin());
  return shape;
}

}  // namespace tandem::test
