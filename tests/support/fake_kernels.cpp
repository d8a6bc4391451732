// Kernels of the fake GPU that compute as the reference does.
#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/op_table.h>
#include <tests/support/fake_gpu.h>

namespace tandem::test {

HipKernelTable reference_kernels_on(FakeGpu& gpu, const Context& context, const std::set<std::string>& without) {
  /// A call as it was when it was launched.
  struct Saved {
    const OpDef* op;
    std::vector<TensorView> operands, results;
    std::vector<Attribute> attrs;
    DimBindings bindings;
    std::uint32_t* fault;
    KernelFn kernel;
  };
  struct Params {
    std::size_t index;
  };
  auto calls = std::make_shared<std::vector<Saved>>();
  const KernelTable reference = tandem::reference_kernels();
  HipKernelTable table;
  for (const OpDef& def : context.ops()) {
    const KernelFn* kernel = reference.find(def.name);
    if (!kernel || without.contains(def.name))
      continue;
    gpu.add_kernel(def.name, [calls](const void* params) {
      const Saved& c = (*calls)[static_cast<const Params*>(params)->index];
      try {
        c.kernel({*c.op, c.operands, c.results, c.attrs, c.bindings});
      } catch (const Error& error) {
        if (error.diagnostics().front().code != "run.index")
          throw;
        *c.fault = static_cast<std::uint32_t>(GpuFault::index);
      }
    });
    const bool indexes =
        std::set<std::string>{"embedding", "take", "gather", "gather_nd", "scatter", "scatter_nd", "expert_linear"}
            .contains(def.name);
    table.add(def.name, [calls, fn = *kernel, indexes](const KernelCall& call, Launcher& launcher) {
      // Every third kernel wants a workspace, so that plans lay one out.
      if (call.op.name.size() % 3 == 0)
        static_cast<void>(launcher.workspace(call.op.name.size() * 100));
      calls->push_back({&call.op,
                        {call.operands.begin(), call.operands.end()},
                        {call.results.begin(), call.results.end()},
                        {call.attrs.begin(), call.attrs.end()},
                        call.bindings,
                        indexes ? launcher.fault() : nullptr,
                        fn});
      launcher.launch(call.op.name, {1, 1, 1}, {64, 1, 1}, Params{calls->size() - 1});
    });
  }
  return table;
}

}  // namespace tandem::test
