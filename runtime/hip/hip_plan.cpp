// Compiling for a GPU: a Plan whose steps are computed by GPU kernels.
#include <tandem/runtime/hip/hip_plan.h>

#include <set>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/verifier.h>
#include <tandem/runtime/bound_plan.h>
#include <tandem/runtime/hip/hip_plan_impl.h>

namespace tandem {
namespace {

using hip::Device;

/// Why the kernel does not take the node; "" when it does.
std::string refusal(const Graph& graph, Node n, const HipKernel& kernel, const GpuInfo& device) {
  if (!kernel.supports)
    return {};
  std::vector<TensorType> operands, results;
  for (std::size_t i = 0; i < graph.num_operands(n); ++i)
    operands.push_back(graph.type(graph.operand(n, i)));
  for (std::size_t i = 0; i < graph.num_results(n); ++i)
    results.push_back(graph.type(graph.result(n, i)));
  return kernel.supports({graph.def(n), operands, results, graph.attrs(n), device});
}

/// Fused ops of which a node is not taken: they are decomposed, as if there were no kernel.
std::set<std::string> refused_fused_ops(const Graph& graph, const HipKernelTable& kernels, const GpuInfo& device) {
  std::set<std::string> refused;
  for (const Node n : graph.nodes()) {
    const OpDef& def = graph.def(n);
    const HipKernel* kernel = def.decompose ? kernels.find(def.name) : nullptr;
    if (kernel && !refusal(graph, n, *kernel, device).empty())
      refused.insert(def.name);
  }
  return refused;
}

/// The host's kernel of an op, for folding and for nodes that stay on the host.
KernelFn host_kernel(const KernelTable& cpu, const KernelTable& reference, const std::string& op) {
  const KernelFn* kernel = cpu.find(op);
  if (!kernel)
    kernel = reference.find(op);
  return kernel ? *kernel : KernelFn();
}

/// Tables that make `Plan::compile` choose: "hip" has what GPU kernels take, "host" the rest of the core ops. Their
/// functions run on the host; a plan for a GPU calls them for folding, and for nodes that stay on the host.
std::vector<KernelTable> provider_tables(const Graph& graph, const HipKernelTable& kernels,
                                         const std::set<std::string>& refused) {
  const KernelTable cpu = cpu_kernels(), reference = reference_kernels();
  KernelTable gpu("hip"), host("host");
  for (const OpDef& def : graph.context().ops()) {
    KernelFn kernel = host_kernel(cpu, reference, def.name);
    if (kernels.find(def.name) && !refused.contains(def.name)) {
      if (!kernel)
        kernel = [](const KernelCall& call) {
          throw Error("hip.no-host-kernel", fmt::format("'{}' has a kernel on the GPU only", call.op.name));
        };
      gpu.add(def.name, std::move(kernel));
    } else if (kernel && !def.decompose) {
      host.add(def.name, std::move(kernel));
    }
  }
  return {std::move(gpu), std::move(host)};
}

class HipCompiler {
 public:
  HipCompiler(HipPlan::Impl& plan, bool allow_host) : plan_(plan), allow_host_(allow_host) {}

  void choose_steps() {
    const Plan::Impl& data = plan_.data;
    plan_.nodes = data.nodes;
    for (const PlanStep& step : data.steps)
      plan_.steps.push_back(choose(step));
    if (!findings_.empty())
      throw Error(std::move(findings_));
    for (const OpId candidate : {op::identity, op::cast}) {
      plan_.copy_op = candidate;
      plan_.copy_kernel = plan_.kernels.find(data.graph.context().op(candidate).name);
      if (plan_.copy_kernel)
        return;
    }
  }

  void find_chains(const hip::ChainLimit& limit) {
    const Graph& graph = plan_.data.graph;
    std::vector<char> candidates;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i)
      candidates.push_back(plan_.steps[i].by == HipStep::By::kernel &&
                           graph.def(plan_.data.steps[i].node).has(trait::elementwise));
    plan_.chains = hip::find_chains(plan_.data, candidates, limit);
    for (std::size_t i = 0; i < plan_.steps.size(); ++i)
      if (const std::int32_t chain = plan_.chains.groups.of_step[i]; chain >= 0)
        plan_.nodes[plan_.data.steps[i].planned].reason = fmt::format("in chain {} of elementwise nodes", chain);
  }

  /// No chains: each step by itself.
  void keep_steps_apart() {
    plan_.chains.groups.of_step.assign(plan_.steps.size(), -1);
    plan_.chains.groups.internal.assign(plan_.data.graph.value_capacity(), 0);
  }

  void open_blas(const HipPlanOptions& options) {
    if (options.blas == HipPlanOptions::Blas::off) {
      plan_.blas_reason = "off by request";
      return;
    }
    hip::BlasSearch search{options.blas_api, {}};
    if (!search.api)
      search = hip::load_blas(plan_.device->info().platform);
    plan_.blas_reason = search.api ? search.api->library : search.reason;
    if (search.api)
      plan_.blas = hip::Blas::open(plan_.device, search.api);
  }

  /// The provider of matrix products, now that it is known.
  void name_blas() {
    if (!plan_.blas)
      return;
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      if (!plan_.steps[i].is_matrix_product)
        continue;
      PlannedNode& node = plan_.nodes[plan_.data.steps[i].planned];
      node.provider = plan_.blas->api().library;
      node.reason = "a vendor's library, where strides allow; else hip";
    }
  }

 private:
  HipStep choose(const PlanStep& step) {
    const Graph& graph = plan_.data.graph;
    if (step.is_view)
      return {};
    PlannedNode& node = plan_.nodes[step.planned];
    HipStep out;
    std::string why = "there is none";
    if (node.provider == "hip") {
      out.kernel = plan_.kernels.find(node.op);
      why = refusal(graph, step.node, *out.kernel, plan_.device->info());
      if (why.empty()) {
        out.by = HipStep::By::kernel;
        out.is_matrix_product = hip::is_matrix_product(graph.op(step.node));
        return out;
      }
    }
    if (!allow_host_) {
      Diagnostic d;
      d.code = "hip.no-kernel";
      d.where.path = fmt::format("%{}", node.name);
      d.message = fmt::format("no GPU kernel for '{}': {}", node.op, why);
      d.help = "allow the CPU to compute such nodes (HipPlanOptions::allow_host, --allow-host), or run on the CPU";
      findings_.push_back(std::move(d));
    }
    out.by = HipStep::By::host;
    out.kernel = nullptr;
    node.provider = "host";
    node.reason = fmt::format("no GPU kernel: {}", why);
    plan_.has_host_steps = true;
    return out;
  }

  HipPlan::Impl& plan_;
  bool allow_host_;
  std::vector<Diagnostic> findings_;
};

}  // namespace

const Plan::Impl& HipPlan::impl_of(const Plan& plan) {
  return *plan.impl_;
}

HipPlan HipPlan::compile(const Graph& graph, const TensorStore& weights, std::shared_ptr<hip::Device> device,
                         HipPlanOptions options) {
  verify_or_throw(graph);
  if (!options.kernels && !options.chain_kernel)
    options.chain_kernel = hip::launch_chain;
  HipKernelTable kernels = options.kernels ? std::move(*options.kernels) : hip_kernels();
  options.kernels.reset();
  PlanOptions host;
  host.providers = provider_tables(graph, kernels, refused_fused_ops(graph, kernels, device->info()));
  host.fold_constants = options.fold_constants;
  host.fold_limit = options.fold_limit;
  host.memory_limit =
      options.memory_limit > 0 ? options.memory_limit : static_cast<std::int64_t>(device->memory().total_bytes);
  host.max_bindings = options.max_bindings;
  Plan compiled = Plan::compile(graph, weights, host);
  const Plan::Impl& data = impl_of(compiled);
  auto impl = std::make_shared<Impl>(std::move(compiled), data);
  impl->device = std::move(device);
  impl->kernels = std::move(kernels);

  HipCompiler compiler(*impl, options.allow_host);
  compiler.choose_steps();
  if (options.chains && options.chain_kernel)
    compiler.find_chains(hip::chain_limit);
  else
    compiler.keep_steps_apart();
  compiler.open_blas(options);
  compiler.name_blas();
  std::vector<TensorView> statics;
  for (const std::optional<Tensor>& tensor : data.statics)
    if (tensor)
      statics.push_back(tensor->view);
  impl->statics = hip::StaticData(impl->device, statics, options.on_upload);
  options.on_upload = nullptr;
  impl->options = std::move(options);
  return HipPlan(std::move(impl));
}

const Graph& HipPlan::graph() const {
  return impl_->data.graph;
}
std::span<const PlannedNode> HipPlan::nodes() const {
  return impl_->nodes;
}
std::span<const PlanPort> HipPlan::inputs() const {
  return impl_->data.inputs;
}
std::span<const PlanPort> HipPlan::outputs() const {
  return impl_->data.outputs;
}
const std::shared_ptr<hip::Device>& HipPlan::device() const {
  return impl_->device;
}
std::size_t HipPlan::static_bytes() const {
  return impl_->statics.bytes();
}
const std::string& HipPlan::blas_reason() const {
  return impl_->blas_reason;
}
MemoryUse HipPlan::memory(const DimBindings& bindings) const {
  return bind(impl_->data, bindings).memory;
}
std::string to_string(const HipPlan& plan) {
  return nodes_to_string(plan.nodes());
}

}  // namespace tandem
