#include "tests/support/evaluate_graph.h"

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

#include <tandem/kernels/kernel.h>

namespace tandem::test {

namespace {

class Evaluation {
 public:
  explicit Evaluation(const Graph& graph) : graph_(graph), tensors_(graph.value_capacity()) {}

  std::vector<std::vector<double>> run() {
    for (Value v : graph_.inputs())
      fill(allocate(v));
    for (const Weight& w : graph_.weights())
      fill(allocate(w.value));
    for (Node node : graph_.nodes())
      compute(node);
    std::vector<std::vector<double>> outputs;
    for (std::size_t i = 0; i < graph_.num_outputs(); ++i) {
      const TensorView view = tensors_[graph_.output(i).index].view;
      std::vector<double>& out = outputs.emplace_back();
      for (std::int64_t e = 0; e < view.size(); ++e)
        out.push_back(load_element(view, e));
    }
    return outputs;
  }

 private:
  TensorView allocate(Value v) {
    std::vector<std::int64_t> shape;
    for (Dim d : graph_.type(v).shape)
      shape.push_back(d.constant());
    return (tensors_[v.index] = Tensor::zeros(graph_.type(v).dtype, shape)).view;
  }
  void fill(const TensorView& view) {
    for (std::int64_t i = 0; i < view.size(); ++i)
      store_element(view, i, next_ = std::fmod(next_ * 1.37 + 0.11, 2.0));
  }
  void compute(Node node) {
    std::vector<TensorView> operands, results;
    for (std::size_t i = 0; i < graph_.num_operands(node); ++i)
      operands.push_back(tensors_[graph_.operand(node, i).index].view);
    for (std::size_t i = 0; i < graph_.num_results(node); ++i)
      results.push_back(allocate(graph_.result(node, i)));
    std::string name = graph_.def(node).name;
    if (name.starts_with("alt_"))
      name.erase(0, 4);
    const KernelFn* const kernel = kernels().find(name);
    if (kernel == nullptr)
      throw std::logic_error("no reference kernel of " + name);
    (*kernel)({graph_.def(node), operands, results, graph_.attrs(node), bindings_});
  }
  static const KernelTable& kernels() {
    static const KernelTable table = reference_kernels();
    return table;
  }

  const Graph& graph_;
  std::vector<Tensor> tensors_;
  DimBindings bindings_;
  double next_ = 0.25;
};

}  // namespace

std::vector<std::vector<double>> evaluate_graph(const Graph& graph) {
  return Evaluation(graph).run();
}

bool same_bits(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b) {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].size() != b[i].size() ||
        (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(double)) != 0)) {
      return false;
    }
  }
  return true;
}

}  // namespace tandem::test
