#include <tandem/ir/io/torch/importer.h>

#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/torch/targets.h>
#include <tandem/ir/verifier.h>

namespace tandem::torch {

Importer::Importer(std::shared_ptr<Context> context, const Program& program, std::string_view file,
                   std::vector<ProgramWeight> weights, bool archived)
    : context_(std::move(context)),
      program_(program),
      file_(file),
      weights_(std::move(weights)),
      archived_(archived),
      graph_(context_),
      emit_(graph_),
      tensors_(emit_),
      sizes_(*context_, [this](Symbol symbol) {
        DimRange range;
        const auto it = program_.ranges.find(symbol.view());
        if (it == program_.ranges.end())
          return range;
        range.min = std::clamp<std::int64_t>(it->second.min.value_or(0), 0, Dim::max_constant);
        range.max = std::clamp<std::int64_t>(it->second.max.value_or(Dim::max_constant), 0, Dim::max_constant);
        return range;
      }) {
  const auto rows = operator_rows();
  rows_.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows_.emplace(rows[i].target, i);
  schemas_.resize(rows.size());
}

ImportedProgram Importer::run() && {
  require_known();
  graph_.reserve(program_.graph.nodes.size(), program_.graph.nodes.size() * 2, program_.graph.nodes.size() * 2);
  Scope scope{&program_.graph, {}, {}};
  scope.tensors.reserve(program_.graph.tensors.size());
  scope_ = &scope;
  add_inputs();
  run_graph();
  if (!faults_.empty()) {
    std::vector<Diagnostic> all;
    for (auto& [key, fault] : faults_) {
      if (fault.count > 1)
        fault.first.notes.push_back(fmt::format("this happens {} times", fault.count));
      all.push_back(std::move(fault.first));
      if (all.size() == 20)
        break;
    }
    throw Error(std::move(all));
  }
  ImportedProgram out{Graph(context_), {}, {}, program_.torch_version};
  set_outputs(out);
  remove_unused();
  declare_symbols();
  verify_or_throw(graph_);
  out.graph = std::move(graph_);
  out.weights = std::move(weights_);
  return out;
}

void Importer::fail(std::string_view code, std::string message, std::string help, std::string path) const {
  Diagnostic d = io::finding(code, std::move(message), std::move(help));
  d.where.file = file_;
  d.where.path = std::move(path);
  throw Error(std::move(d));
}

// --- what is known ---------------------------------------------------------------------------------------------------

/// The row of a target; for an in-place form without a row of its own that of the plain form.
const Row* Importer::find_row(std::string_view target, bool& in_place) const {
  in_place = false;
  auto it = rows_.find(target);
  if (it == rows_.end()) {
    const std::size_t dot = target.rfind('.');
    if (dot == std::string_view::npos || dot < 2 || target[dot - 1] != '_' || target[dot - 2] == '_')
      return nullptr;
    const std::string plain = std::string(target.substr(0, dot - 1)) + std::string(target.substr(dot));
    it = rows_.find(plain);
    in_place = true;
  }
  return it == rows_.end() ? nullptr : &operator_rows()[it->second];
}

void Importer::count_unknown(const GraphDef& graph, std::map<std::string, std::size_t>& unknown) const {
  for (const NodeDef& node : graph.nodes) {
    const std::string_view target = without_prefix(node.target);
    for (const NamedArgument& a : node.inputs)
      if (a.value.graph)
        count_unknown(*a.value.graph, unknown);
    bool in_place = false;
    if (is_assertion(target) || is_symbolic(node) || is_wrapper(target) || find_row(target, in_place) != nullptr)
      continue;
    ++unknown[(target.starts_with("higher_order.") ? "higher-order operator " : "operator ") +
              std::string(target.substr(0, max_name))];
  }
  for (const auto& [name, meta] : graph.tensors)
    if (!torch_type(meta.scalar_type))
      ++unknown["dtype " + scalar_type_name(meta.scalar_type)];
}

void Importer::require_known() const {
  std::map<std::string, std::size_t> unknown;
  count_unknown(program_.graph, unknown);
  if (unknown.empty())
    return;
  Diagnostic d = io::finding("torch.unknown",
                             fmt::format("the program uses operators or dtypes that are not known: {}", unknown.size()),
                             "run_decompositions() of the exported program may turn them into known ones; "
                             "docs/torch-export.md lists those");
  d.where.file = file_;
  for (const auto& [what, count] : unknown)
    d.notes.push_back(fmt::format("{}: {}", what, count));
  throw Error(std::move(d));
}

// --- names and sizes -------------------------------------------------------------------------------------------------

Tensor Importer::tensor(std::string_view name) {
  const auto it = scope_->tensors.find(name);
  if (it != scope_->tensors.end())
    return it->second;
  if (scope_->failed.contains(name))
    throw Failed{};
  throw Error("torch.name", fmt::format("the tensor '{}' is used before it is defined", name.substr(0, max_name)));
}

Dim Importer::symbolic_int(std::string_view name) {
  const auto it = scope_->graph->sym_ints.find(name);
  if (it == scope_->graph->sym_ints.end())
    throw Error("torch.name", fmt::format("the symbolic size '{}' is not defined", name.substr(0, max_name)));
  return size(it->second);
}

const TensorMeta& Importer::meta(std::string_view name) {
  const auto it = scope_->graph->tensors.find(name);
  if (it == scope_->graph->tensors.end())
    throw Error("torch.name", fmt::format("'{}' is not among the graph's tensor_values", name.substr(0, max_name)));
  return it->second;
}

Dim Importer::size(const Size& size) {
  if (size.expression.empty())
    return size.value;
  const auto it = dims_.find(size.expression);
  if (it != dims_.end())
    return it->second;
  const Dim d = sizes_.parse(size.expression);
  dims_.emplace(size.expression, d);
  return d;
}

}  // namespace tandem::torch
