// A plan on the fake GPU, and its results beside the CPU's.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/text.h>
#include <tandem/runtime/executor.h>
#include <tandem/runtime/hip/hip_executor.h>
#include <tandem/runtime/hip/memory.h>
#include <tests/support/catch.h>
#include <tests/support/fake_gpu.h>
#include <tests/support/random_tensor.h>
#include <tests/support/tolerance.h>

namespace tandem::test {

/// Options that use the fake GPU's kernels and no library.
inline HipPlanOptions fake_options(FakeGpu& gpu, const Graph& graph, const std::set<std::string>& without = {}) {
  HipPlanOptions options;
  options.kernels = reference_kernels_on(gpu, graph.context(), without);
  options.blas = HipPlanOptions::Blas::off;
  return options;
}

inline std::vector<Tensor> reference_run(const Graph& graph, const TensorStore& weights,
                                         const std::vector<Tensor>& inputs) {
  PlanOptions options;
  options.providers.push_back(reference_kernels());
  return Executor(Plan::compile(graph, weights, options)).run(inputs);
}

/// "" when outputs agree exactly.
inline std::string compare(const std::vector<Tensor>& got, const std::vector<Tensor>& want, Tolerance tolerance = {}) {
  std::string text;
  for (std::size_t i = 0; i < want.size(); ++i)
    text += difference(got[i].view, want[i].view, tolerance);
  return text;
}

inline Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return Error("none", "nothing was thrown");
}
inline std::string code_of(const std::function<void()>& call) {
  return error_of(call).diagnostics().front().code;
}

/// Views on memory of the fake GPU.
struct DeviceTensor {
  DeviceTensor(const std::shared_ptr<hip::Device>& device, DType dtype, const std::vector<std::int64_t>& shape)
      : view(make_view(nullptr, dtype, shape)),
        buffer(device, static_cast<std::size_t>(view.size()) * byte_size(dtype), "a test") {
    view.data = buffer.data();
  }
  TensorView view;
  hip::DeviceBuffer buffer;
};

}  // namespace tandem::test
