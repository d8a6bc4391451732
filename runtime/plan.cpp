// Compiling a plan: what each node of the graph becomes.
#include <tandem/runtime/plan.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/verifier.h>
#include <tandem/runtime/host_memory.h>
#include <tandem/runtime/plan_decompose.h>
#include <tandem/runtime/plan_fold.h>
#include <tandem/runtime/plan_impl.h>
#include <tandem/runtime/provider_choice.h>
#include <tandem/runtime/view_geometry.h>

namespace tandem {
namespace {

constexpr std::size_t max_findings = 20;

std::int64_t bytes_of(const TensorView& v) {
  return v.size() * static_cast<std::int64_t>(byte_size(v.dtype));
}

/// The symbols of dims, each once; dims that were seen are skipped by their bits.
class SymbolCollector {
 public:
  explicit SymbolCollector(std::vector<Symbol>& out) : out_(out) {}
  void add(Dim d) {
    if (!d.is_constant() && seen_.insert(d.bits()).second)
      collect_symbols(d, out_);
  }
  void add(Shape s) {
    for (const Dim d : s)
      add(d);
  }
  void add(Attribute a) {
    if (a.kind() == AttrKind::dim)
      add(a.dim());
    if (a.kind() == AttrKind::dims)
      add(a.dims());
  }

 private:
  std::vector<Symbol>& out_;
  std::unordered_set<std::uint64_t> seen_;
};

class Compiler {
 public:
  Compiler(const Graph& graph, const TensorStore& weights, const PlanOptions& options)
      : weights_(weights),
        options_(options),
        chooser_(options),
        plan_(std::make_shared<Plan::Impl>(graph)),
        folder_(*plan_, options.fold_limit) {}

  std::shared_ptr<const Plan::Impl> compile() {
    plan_->memory_limit = options_.memory_limit > 0 ? options_.memory_limit : host_memory_limit();
    plan_->max_bindings = options_.max_bindings;
    plan_->bound = LruCache<std::shared_ptr<const BoundPlan>>(options_.max_bindings);
    origins_ = decompose_without_kernel(graph(), chooser_, findings_);
    throw_findings();
    mark_needed();
    const ValueNames names(graph());
    check_ranks(names);
    plan_->statics.resize(graph().value_capacity());
    map_weights(names);
    throw_findings();
    describe_ports(names);
    for (const Node n : graph().nodes())
      plan_node(n, names);
    collect_plan_symbols();
    drop_unused_statics();
    return plan_;
  }

 private:
  Graph& graph() { return plan_->graph; }
  std::optional<Tensor>& statics(Value v) { return plan_->statics[v.index]; }

  void find(std::string code, std::string place, std::string message, std::string help = {}) {
    if (findings_.size() == max_findings)
      return;
    Diagnostic d;
    d.code = std::move(code);
    d.where.path = std::move(place);
    d.message = std::move(message);
    d.help = std::move(help);
    findings_.push_back(std::move(d));
  }
  void throw_findings() {
    if (!findings_.empty())
      throw Error(std::move(findings_));
  }

  /// Backwards from the outputs and from nodes with effects.
  void mark_needed() {
    node_needed_.assign(graph().node_capacity(), 0);
    value_needed_.assign(graph().value_capacity(), 0);
    for (std::size_t i = 0; i < graph().num_outputs(); ++i)
      value_needed_[graph().output(i).index] = 1;
    for (Node n = graph().last(); n; n = graph().prev(n)) {
      bool needed = !graph().def(n).has(trait::pure);
      for (std::size_t i = 0; i < graph().num_results(n); ++i)
        needed |= value_needed_[graph().result(n, i).index] != 0;
      if (!needed)
        continue;
      node_needed_[n.index] = 1;
      for (std::size_t i = 0; i < graph().num_operands(n); ++i)
        value_needed_[graph().operand(n, i).index] = 1;
    }
  }

  void check_ranks(const ValueNames& names) {
    const auto check = [&](Value v) {
      const std::size_t rank = graph().type(v).shape.rank();
      if (rank > max_rank)
        find("plan.rank", fmt::format("%{}", names[v]),
             fmt::format("rank {} is above {}, the largest that runs", rank, max_rank));
    };
    for (const Value v : graph().inputs())
      check(v);
    for (const Weight& w : graph().weights())
      check(w.value);
    for (const Node n : graph().nodes())
      for (std::size_t i = 0; node_needed_[n.index] && i < graph().num_results(n); ++i)
        check(graph().result(n, i));
  }

  void map_weights(const ValueNames& names) {
    std::vector<std::string_view> known;
    for (const Weight& w : graph().weights()) {
      if (!value_needed_[w.value.index])
        continue;
      const TensorType& type = graph().type(w.value);
      const std::string place = fmt::format("%{}", names[w.value]);
      const Tensor* tensor = weights_.find(w.key.view());
      if (!tensor) {
        if (known.empty())
          known = weights_.names();
        find("plan.missing-weight", place,
             fmt::format("no tensor '{}' for the weight '{}' ({}){}", w.key.view(), names[w.value], to_string(type),
                         did_you_mean(w.key.view(), known)),
             weights_.empty() ? "no weights were given" : "");
        continue;
      }
      const TensorView& view = tensor->view;
      bool fits = view.dtype == type.dtype && view.rank == type.shape.rank();
      for (std::size_t i = 0; fits && i < view.rank; ++i)
        fits = !type.shape[i].is_constant() || type.shape[i].is(view.shape[i]);
      if (!fits) {
        std::string shape;
        for (const std::int64_t d : view.dims())
          shape += fmt::format("{}{}", shape.empty() ? "" : ", ", d);
        find("plan.weight-type", place,
             fmt::format("the weight '{}' is {}, but the tensor '{}' is {}[{}]", names[w.value], to_string(type),
                         w.key.view(), to_string(view.dtype), shape));
        continue;
      }
      if (reinterpret_cast<std::uintptr_t>(view.data) % byte_size(view.dtype) != 0) {
        find("plan.weight-type", place, fmt::format("the tensor '{}' is not aligned for its dtype", w.key.view()));
        continue;
      }
      statics(w.value) = *tensor;
      plan_->weight_bytes += bytes_of(view);
      if (!type.shape.is_static())
        plan_->symbolic_weights.push_back(w.value);
    }
  }

  void describe_ports(const ValueNames& names) {
    for (const Value v : graph().inputs())
      plan_->inputs.push_back({std::string(names[v]), graph().type(v)});
    for (std::size_t i = 0; i < graph().num_outputs(); ++i) {
      const Value v = graph().output(i);
      plan_->outputs.push_back({std::string(names[v]), graph().type(v)});
    }
  }

  void plan_node(Node n, const ValueNames& names) {
    PlannedNode planned;
    planned.node = n;
    planned.op = graph().def(n).name;
    if (graph().num_results(n) > 0)
      planned.name = names[graph().result(n, 0)];
    if (!node_needed_[n.index]) {
      planned.fate = NodeFate::dead;
      planned.reason = "no output needs it";
    } else if (graph().op(n) == op::constant) {
      planned.fate = NodeFate::folded;
      planned.reason = "its data stands in the graph";
      folder_.use_literal(n);
    } else {
      plan_needed(n, planned);
    }
    plan_->nodes.push_back(std::move(planned));
  }

  void plan_needed(Node n, PlannedNode& planned) {
    const bool is_view = is_core_view(graph().op(n));
    KernelChoice choice;
    if (is_view) {
      planned.fate = NodeFate::view;
      planned.reason = "another reading of its operand";
      if (folder_.is_static(n) && folder_.view(n))
        return;
    } else {
      choice = chooser_.choose(planned.op);
      planned.provider = choice.provider;
      planned.reason = choice.reason;
      if (folder_.is_static(n) && options_.fold_constants && folder_.fold(n, *choice.kernel, planned.reason)) {
        planned.fate = NodeFate::folded;
        return;
      }
    }
    if (!origins_[n.index].empty())
      planned.reason += fmt::format("; decomposed from {}", origins_[n.index]);
    plan_->steps.push_back(
        {n, is_view ? KernelFn() : *choice.kernel, static_cast<std::uint32_t>(plan_->nodes.size()), is_view});
  }

  void collect_plan_symbols() {
    SymbolCollector collector(plan_->symbols);
    for (const Value v : graph().inputs())
      collector.add(graph().type(v).shape);
    for (const Value v : plan_->symbolic_weights)
      collector.add(graph().type(v).shape);
    for (const PlanStep& s : plan_->steps) {
      for (const Attribute a : graph().attrs(s.node))
        collector.add(a);
      for (std::size_t i = 0; i < graph().num_results(s.node); ++i)
        collector.add(graph().type(graph().result(s.node, i)).shape);
    }
  }

  /// What only folded nodes read is not needed any more.
  void drop_unused_statics() {
    std::vector<char> used(plan_->statics.size(), 0);
    for (const PlanStep& s : plan_->steps)
      for (std::size_t i = 0; i < graph().num_operands(s.node); ++i)
        used[graph().operand(s.node, i).index] = 1;
    for (std::size_t i = 0; i < graph().num_outputs(); ++i)
      used[graph().output(i).index] = 1;
    for (const Value v : plan_->symbolic_weights)
      used[v.index] = 1;
    std::unordered_set<const void*> counted;
    for (const Weight& w : graph().weights())
      if (statics(w.value))
        counted.insert(statics(w.value)->owner.get());
    for (std::size_t i = 0; i < used.size(); ++i) {
      std::optional<Tensor>& tensor = plan_->statics[i];
      if (!used[i])
        tensor.reset();
      if (!tensor)
        continue;
      const bool is_literal = tensor->owner == graph().shared_context();
      if (is_literal || counted.insert(tensor->owner.get()).second)
        plan_->constant_bytes += bytes_of(tensor->view);
    }
  }

  const TensorStore& weights_;
  const PlanOptions& options_;
  ProviderChooser chooser_;
  std::shared_ptr<Plan::Impl> plan_;
  StaticFolder folder_;
  std::vector<std::string> origins_;
  std::vector<char> node_needed_, value_needed_;
  std::vector<Diagnostic> findings_;
};

}  // namespace

std::string_view to_string(NodeFate fate) {
  switch (fate) {
    case NodeFate::runs: return "runs";
    case NodeFate::view: return "view";
    case NodeFate::folded: return "folded";
    case NodeFate::dead: return "dead";
  }
  internal_error("unknown fate");
}

Plan Plan::compile(const Graph& graph, const TensorStore& weights, const PlanOptions& options) {
  verify_or_throw(graph);
  return Plan(Compiler(graph, weights, options).compile());
}

const Graph& Plan::graph() const {
  return impl_->graph;
}
std::span<const PlannedNode> Plan::nodes() const {
  return impl_->nodes;
}
std::span<const PlanPort> Plan::inputs() const {
  return impl_->inputs;
}
std::span<const PlanPort> Plan::outputs() const {
  return impl_->outputs;
}

MemoryUse Plan::memory(const DimBindings& bindings) const {
  return bind(*impl_, bindings).memory;
}

std::string to_string(const Plan& plan) {
  return nodes_to_string(plan.nodes());
}

std::string nodes_to_string(std::span<const PlannedNode> nodes) {
  std::size_t name_width = 0, op_width = 0, provider_width = 0;
  for (const PlannedNode& n : nodes) {
    name_width = std::max(name_width, n.name.size() + 1);
    op_width = std::max(op_width, n.op.size());
    provider_width = std::max(provider_width, n.provider.size());
  }
  std::string out;
  for (const PlannedNode& n : nodes)
    out += fmt::format("{:<{}}  {:<{}}  {:<6}  {:<{}}  {}\n", n.name.empty() ? "" : "%" + n.name, name_width, n.op,
                       op_width, to_string(n.fate), n.provider, provider_width, n.reason);
  return out;
}

}  // namespace tandem
