#include <tandem/ir/io/torch/importer.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <tandem/ir/io/assembly.h>
#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/spelling.h>
#include <tandem/ir/verifier.h>

namespace tandem::torch {

namespace {

constexpr std::size_t max_inlined_constant = 256;  // bytes
constexpr std::size_t max_name = 512;

std::string_view without_prefix(std::string_view target) {
  constexpr std::string_view prefix = "torch.ops.";
  return target.starts_with(prefix) ? target.substr(prefix.size()) : target;
}

/// Nodes that only check, and leave nothing.
bool is_assertion(std::string_view target) {
  constexpr std::array<std::string_view, 9> targets{"aten._assert_tensor_metadata.default",
                                                    "aten._assert_async.default",
                                                    "aten._assert_async.msg",
                                                    "aten._assert_scalar.default",
                                                    "aten.sym_constrain_range.default",
                                                    "aten.sym_constrain_range_for_size.default",
                                                    "aten._functional_assert_scalar.default",
                                                    "aten._functional_sym_constrain_range.default",
                                                    "aten._functional_sym_constrain_range_for_size.default"};
  return std::find(targets.begin(), targets.end(), target) != targets.end();
}

bool is_wrapper(std::string_view target) {
  return target == "higher_order.wrap_with_set_grad_enabled" || target == "higher_order.wrap_with_autocast";
}

/// Forms that change what a tensor looks like, not what it holds.
bool is_view_in_place(std::string_view target) {
  constexpr std::array<std::string_view, 8> names{"unsqueeze", "squeeze",  "t",          "transpose",
                                                  "swapaxes",  "swapdims", "as_strided", "movedim"};
  const std::string_view name = target.substr(5, target.find('.', 5) - 5);
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Arithmetic on sizes: its results are known as expressions.
bool is_symbolic(const NodeDef& node) {
  const auto number = [](const Argument& a) {
    return a.kind == ArgumentKind::sym_int || a.kind == ArgumentKind::sym_bool || a.kind == ArgumentKind::sym_float;
  };
  return !node.outputs.empty() && std::all_of(node.outputs.begin(), node.outputs.end(), number);
}

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

/// The elements of a stored tensor, row-major.
std::vector<std::byte> gather_elements(const ProgramWeight& w) {
  const std::size_t size = byte_size(w.dtype);
  std::int64_t count = 1;
  for (const std::int64_t n : w.sizes)
    count *= n;
  std::vector<std::byte> out;
  std::vector<std::int64_t> at(w.sizes.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t element = w.offset;
    for (std::size_t d = 0; d < at.size(); ++d)
      element += at[d] * w.strides[d];
    const auto bytes = w.storage.subspan(static_cast<std::size_t>(element) * size, size);
    out.insert(out.end(), bytes.begin(), bytes.end());
    for (std::size_t d = at.size(); d-- > 0;) {
      if (++at[d] < w.sizes[d])
        break;
      at[d] = 0;
    }
  }
  return out;
}

}  // namespace

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
                             fmt::format("the program uses {} operators or dtypes that are not known", unknown.size()),
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

// --- inputs ----------------------------------------------------------------------------------------------------------

TensorType Importer::declared_type(std::string_view name, bool& complex) {
  const TensorMeta& m = meta(name);
  const TorchType type = *torch_type(m.scalar_type);  // require_known has seen to it
  complex = type.complex;
  Dims shape;
  for (const Size& s : m.sizes)
    shape.push_back(size(s));
  if (complex)
    shape.emplace_back(2);
  const TensorType out{type.dtype, context_->shape(shape)};
  if (const std::string wrong = io::check_declared_type(out); !wrong.empty())
    fail("torch.shape", wrong, {}, std::string(name));
  return out;
}

void Importer::add_inputs() {
  for (const InputSpec& spec : program_.inputs)
    add_input(spec);
}

void Importer::add_input(const InputSpec& spec) {
  if (spec.argument.kind != ArgumentKind::tensor)
    return;  // a constant: it stands in the nodes that use it
  const std::string_view name = spec.argument.text;
  bool complex = false;
  const TensorType type = declared_type(name, complex);
  if (!io::is_identifier(name) || name.size() > max_name || !names_.insert(name).second)
    fail("torch.name", "an input must have a name of its own, of letters, digits and _", {},
         std::string(name.substr(0, max_name)));
  const Symbol symbol = context_->intern(name);
  Value value;
  if (spec.kind == InputSpec::user) {
    value = graph_.add_input(type, symbol);
    states_.emplace_back(name, nullptr);
  } else {
    const ProgramWeight* data = stored(spec, type);
    if (spec.kind == InputSpec::tensor_constant && data != nullptr && data->storage.size() <= max_inlined_constant &&
        type.shape.rank() <= 1) {
      TensorLiteral literal{type, gather_elements(*data)};
      value = emit_.op(op::constant, {}, {{"value", std::move(literal)}});
    } else {
      if (spec.target.empty() || spec.target.size() > max_name ||
          io::find_invalid_utf8(spec.target) != std::string_view::npos)
        fail("torch.name", "a weight must have a name in UTF-8", {}, std::string(name));
      value = graph_.add_weight(type, symbol, context_->intern(spec.target));
    }
    states_.emplace_back(spec.target, nullptr);
  }
  const Tensor tensor = Tensors::fresh(value, complex);
  states_.back().second = tensor;
  scope_->tensors.emplace(name, tensor);
}

/// The stored tensor of a weight; null for a program without an archive.
const ProgramWeight* Importer::stored(const InputSpec& spec, const TensorType& type) const {
  const auto it = std::lower_bound(weights_.begin(), weights_.end(), spec.target,
                                   [](const ProgramWeight& w, std::string_view key) { return w.key < key; });
  const bool found = it != weights_.end() && it->key == spec.target;
  if (!found && archived_) {
    fail("torch.weights", "the archive has no tensor for this weight", "the archive is not complete",
         std::string(spec.target));
  }
  if (!found)
    return nullptr;
  const bool same =
      it->dtype == type.dtype && it->sizes.size() == type.shape.rank() &&
      std::equal(it->sizes.begin(), it->sizes.end(), type.shape.begin(), [](std::int64_t n, Dim d) { return d.is(n); });
  if (!same) {
    std::string sizes;
    for (const std::int64_t n : it->sizes)
      sizes += fmt::format("{}{}", sizes.empty() ? "" : ", ", n);
    fail("torch.weights",
         fmt::format("the graph wants {}, but the archive has {}[{}]", to_string(type), to_string(it->dtype), sizes),
         {}, std::string(spec.target));
  }
  return &*it;
}

// --- nodes -----------------------------------------------------------------------------------------------------------

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
    throw Error("torch.argument", fmt::format("{} outputs are wanted of {}", names.size(), results.size()));
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
    throw Error("torch.argument",
                fmt::format("the graph takes {} inputs, not {}", body.inputs.size(), node.inputs.size() - at - 1));
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

// --- the end ---------------------------------------------------------------------------------------------------------

/// An output; null for one that is no tensor and no number.
Value Importer::output_value(const Argument& argument) {
  switch (argument.kind) {
    case ArgumentKind::tensor: return tensors_.read(tensor(argument.text));
    case ArgumentKind::integer: return emit_.integer(DType::i64, argument.integer);
    case ArgumentKind::boolean: return emit_.integer(DType::boolean, argument.integer);
    case ArgumentKind::real: return emit_.scalar(DType::f32, argument.real);
    case ArgumentKind::sym_int:
      return emit_.dim(
          argument.list[0].name.empty() ? Dim(argument.list[0].integer) : symbolic_int(argument.list[0].name),
          DType::i64);
    case ArgumentKind::none:
    case ArgumentKind::string: return {};
    default: fail("torch.unsupported", "an output that is no tensor and no number");
  }
}

/// The program's own outputs, then the new values of what it changes: as its signature says, or, where it changes its
/// inputs in place, as they are at the end.
void Importer::set_outputs(ImportedProgram& out) {
  emit_.set_scope({});
  std::vector<Value> values;
  std::set<std::string_view> mutated;
  for (const OutputSpec& spec : program_.outputs)
    if (spec.kind == OutputSpec::user)
      if (const Value v = output_value(spec.argument))
        values.push_back(v);
  const auto add_mutation = [&](std::string_view target, Value v) {
    if (!mutated.insert(target).second)
      return;
    out.mutations.push_back({values.size(), std::string(target)});
    values.push_back(v);
  };
  for (const OutputSpec& spec : program_.outputs)
    if (spec.kind != OutputSpec::user)
      add_mutation(spec.target, output_value(spec.argument));
  for (const auto& [target, tensor] : states_)
    if (tensor->storage->version != 0)
      add_mutation(target, tensor->storage->value);
  graph_.set_outputs(values);
}

void Importer::remove_unused() {
  for (Node n = graph_.last(); n;) {
    const Node before = graph_.prev(n);
    bool used = !graph_.def(n).has(trait::pure);
    for (std::size_t i = 0; i < graph_.num_results(n); ++i)
      used = used || graph_.num_uses(graph_.result(n, i)) != 0;
    if (!used)
      graph_.erase(n);
    n = before;
  }
  std::vector<Value> unused;
  for (const Weight& w : graph_.weights())
    if (graph_.num_uses(w.value) == 0)
      unused.push_back(w.value);
  for (const Value v : unused)
    graph_.erase_weight(v);
}

/// Symbols are those of the inputs' shapes; any other is a size that only running the program would tell.
void Importer::declare_symbols() {
  std::vector<Symbol> bound;
  for (const Value input : graph_.inputs())
    for (const Dim d : graph_.type(input).shape)
      collect_symbols(d, bound);
  for (const Symbol symbol : bound) {
    DimRange range;
    const auto it = program_.ranges.find(symbol.view());
    const bool positive = std::any_of(sizes_.symbols().begin(), sizes_.symbols().end(),
                                      [&](const SeenSymbol& s) { return s.name == symbol && s.positive; });
    range.min = positive ? 1 : 0;
    if (it != program_.ranges.end()) {
      range.min = std::clamp<std::int64_t>(it->second.min.value_or(range.min), 0, Dim::max_constant);
      range.max = std::clamp<std::int64_t>(it->second.max.value_or(range.max), 0, Dim::max_constant);
    }
    graph_.set_range(symbol, range);
  }
  std::vector<Symbol> all = bound;
  for (const Node n : graph_.nodes())
    for (std::size_t i = 0; i < graph_.num_results(n); ++i)
      for (const Dim d : graph_.type(graph_.result(n, i)).shape)
        if (!d.is_constant())
          collect_symbols(d, all);
  if (all.size() > bound.size()) {
    fail("torch.unsupported",
         fmt::format("the size '{}' depends on the data, not on the inputs' shapes", all[bound.size()].view()),
         "sizes such as those of nonzero or of a mask's selection have no place in a graph");
  }
}

}  // namespace tandem::torch
