// One node after the other: lowered by its row, written back where it is in place, or replaced by the graph inside.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/io/assembly.h>
#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/spelling.h>
#include <tandem/ir/io/torch/importer.h>
#include <tandem/ir/io/torch/targets.h>

namespace tandem::torch {

namespace {

/// The path of the innermost module of "key,path,type;key,path,type".
std::string module_path(std::string_view stack) {
  const std::size_t last = stack.rfind(';');
  if (last != std::string_view::npos)
    stack.remove_prefix(last + 1);
  const std::size_t first = stack.find(',');
  if (first == std::string_view::npos)
    return {};
  stack.remove_prefix(first + 1);
  std::string_view path = stack.substr(0, stack.find(','));
  for (const std::string_view prefix : {"L['self'].", "L__self__."})
    if (path.starts_with(prefix))
      path.remove_prefix(prefix.size());
  if (path.size() > max_name || io::find_invalid_utf8(path) != std::string_view::npos)
    return {};
  return std::string(path);
}

}  // namespace

void Importer::run_graph() {
  for (const NodeDef& node : scope_->graph->nodes)
    run_node(node);
}

void Importer::run_node(const NodeDef& node) {
  const std::string_view target = without_prefix(node.target);
  if (is_assertion(target) || is_symbolic(node))
    return;
  try {
    set_scope(node.module_stack);
    if (is_wrapper(target))
      return inline_graph(node);
    bool in_place = false;
    const Row& row = *find_row(target, in_place);
    lower_node(node, row, in_place);
  } catch (const Failed&) {
    record(node, {});
  } catch (const Error& e) {
    if (e.diagnostics().front().code == "internal")
      throw;
    record(node, e.diagnostics().front());
  }
}

/// Notes a fault, once for all nodes that have the same; a fault without a code is that of an earlier node.
void Importer::record(const NodeDef& node, const Diagnostic& fault) {
  for (const Argument& output : node.outputs) {
    if (output.kind == ArgumentKind::tensor)
      scope_->failed.insert(output.text);
    for (const Element& e : output.list)
      scope_->failed.insert(e.name);
  }
  if (fault.code.empty())
    return;
  Diagnostic d = fault;
  d.message = fmt::format("{}: {}", without_prefix(node.target), fault.message);
  if (!d.code.starts_with("torch."))
    d.code = "torch.lowering";
  d.where.file = file_;
  d.where.path = std::string(node.name.empty() ? node.target : node.name).substr(0, max_name);
  Faults& known = faults_[d.code + d.message];
  if (known.count++ == 0)
    known.first = std::move(d);
}

void Importer::lower_node(const NodeDef& node, const Row& row, bool in_place) {
  std::vector<Parameter>& schema = schemas_[static_cast<std::size_t>(&row - operator_rows().data())];
  if (schema.empty())
    schema = parse_schema(row.schema);
  Call call(emit_, tensors_, *this, node, schema);
  row.lowering.run(call, row.lowering);
  if (in_place)
    write_back(call, row);
  bind(call.result_names(), call.results);
}

/// What an in-place operator gives is written into its first argument, which it then returns.
void Importer::write_back(Call& call, const Row& row) {
  const Tensor self = call.tensor(row.schema.substr(0, row.schema.find_first_of(",=")));
  const Tensor& result = call.results.at(0);
  if (is_view_in_place(row.target)) {
    *self = *result;
  } else if (result != self) {
    const Value old = tensors_.read(self);
    if (self->complex != result->complex)
      call.unsupported("an in-place change between real and complex numbers");
    const Value written = emit_.cast(tensors_.read(result), emit_.dtype(old));
    if (emit_.type(written).shape != emit_.type(old).shape) {
      throw Error("torch.shape", fmt::format("a result {} for a tensor {}", to_string(emit_.type(written)),
                                             to_string(emit_.type(old))));
    }
    tensors_.write(self, written);
  }
  call.results.assign(1, self);
}

/// Gives results their names, and compares them with what PyTorch says that they are.
void Importer::bind(const std::vector<std::string_view>& names, const std::vector<Tensor>& results) {
  if (results.size() < names.size())
    throw Error("torch.argument", fmt::format("{} wanted of {}", counted(names.size(), "output"), results.size()));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty())
      continue;
    const Value value = tensors_.read(results[i]);
    const TensorType type = graph_.type(value);
    bool complex = false;
    const TensorType expected = declared_type(names[i], complex);
    const auto differ = [](Dim a, Dim b) { return a.is_constant() && b.is_constant() && a != b; };
    bool same =
        type.dtype == expected.dtype && complex == results[i]->complex && type.shape.rank() == expected.shape.rank();
    for (std::size_t d = 0; same && d < type.shape.rank(); ++d)
      same = !differ(type.shape[d], expected.shape[d]);
    if (!same) {
      throw Error("torch.type", fmt::format("the result '{}' is {}, but the program says {}", names[i], to_string(type),
                                            to_string(expected)));
    }
    scope_->tensors.insert_or_assign(names[i], results[i]);
    if (graph_.def_node(value) && graph_.name(value).empty() && names[i].size() <= max_name &&
        io::is_identifier(names[i]) && names_.insert(names[i]).second)
      graph_.set_name(value, context_->intern(names[i]));
  }
}

/// wrap_with_set_grad_enabled and wrap_with_autocast: the graph's nodes take the place of the call.
void Importer::inline_graph(const NodeDef& node) {
  std::size_t at = 0;
  while (at < node.inputs.size() && !node.inputs[at].value.graph)
    ++at;
  if (at == node.inputs.size())
    throw Error("torch.argument", "the graph is missing");
  if (without_prefix(node.target) == "higher_order.wrap_with_autocast") {
    for (std::size_t i = 0; i < at; ++i) {
      const Argument& a = node.inputs[i].value;
      if (a.kind != ArgumentKind::boolean)
        continue;
      if (a.integer != 0)
        throw Error("torch.unsupported", "autocast that is enabled: the dtypes of its operators are implied");
      break;  // the first one is `enabled`
    }
  }
  const GraphDef& body = *node.inputs[at].value.graph;
  if (node.inputs.size() - at - 1 != body.inputs.size())
    throw Error("torch.argument", fmt::format("the graph takes {}, not {}", counted(body.inputs.size(), "input"),
                                              node.inputs.size() - at - 1));
  Scope inner{&body, {}, {}};
  for (std::size_t i = 0; i < body.inputs.size(); ++i) {
    if (body.inputs[i].kind != ArgumentKind::tensor)
      continue;
    const Argument& given = node.inputs[at + 1 + i].value;
    if (given.kind != ArgumentKind::tensor)
      throw Error("torch.argument", "the graph wants a tensor");
    inner.tensors.emplace(body.inputs[i].text, tensor(given.text));
  }
  Scope* const outer = std::exchange(scope_, &inner);
  std::vector<Tensor> results;
  bool complete = true;
  try {
    run_graph();
    for (const Argument& output : body.outputs)
      if (output.kind == ArgumentKind::tensor)
        results.push_back(tensor(output.text));
  } catch (const Failed&) {
    complete = false;
  } catch (...) {
    scope_ = outer;
    throw;
  }
  scope_ = outer;
  if (!complete)
    throw Failed{};
  std::vector<std::string_view> names;
  for (const Argument& output : node.outputs) {
    if (output.kind == ArgumentKind::tensor)
      names.push_back(output.text);
    if (output.kind == ArgumentKind::tensors)
      for (const Element& e : output.list)
        names.push_back(e.name);
  }
  bind(names, results);
}

void Importer::set_scope(std::string_view module_stack) {
  const auto [it, fresh] = module_paths_.try_emplace(module_stack);
  if (fresh)
    it->second = module_path(module_stack);
  emit_.set_scope(it->second);
}

}  // namespace tandem::torch
