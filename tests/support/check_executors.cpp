#include "tests/support/check_executors.h"

#include <tandem/runtime/executor.h>

namespace tandem::test {

CheckExecutor check_executor(std::string name, std::vector<KernelTable> providers) {
  return {std::move(name), [providers = std::move(providers)](const Graph& graph, std::span<const CheckTensor> given) {
            std::vector<Tensor> inputs;
            TensorStore weights;
            for (std::size_t i = 0; i < given.size(); ++i) {
              Tensor t = Tensor::zeros(given[i].dtype, given[i].shape);
              for (std::size_t k = 0; k < given[i].values.size(); ++k)
                store_element(t.view, static_cast<std::int64_t>(k), given[i].values[k]);
              if (i < graph.inputs().size()) {
                inputs.push_back(t);
              } else {
                weights.add(std::string(graph.weights()[i - graph.inputs().size()].key.view()), t);
              }
            }
            PlanOptions options;
            options.providers = providers;
            std::vector<CheckTensor> out;
            for (const Tensor& t : Executor(Plan::compile(graph, weights, options)).run(inputs)) {
              CheckTensor& o = out.emplace_back();
              o.dtype = t.view.dtype;
              o.shape.assign(t.view.dims().begin(), t.view.dims().end());
              for (std::int64_t k = 0; k < t.view.size(); ++k)
                o.values.push_back(load_element(t.view, k));
            }
            return out;
          }};
}

std::vector<CheckExecutor> oracle_only() {
  return {check_executor("reference", {reference_kernels()})};
}

}  // namespace tandem::test
