// What comes into the graph and what goes out of it: inputs, weights, outputs, the symbols of their shapes.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/ir/io/assembly.h>
#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/spelling.h>
#include <tandem/ir/io/torch/importer.h>
#include <tandem/ir/io/torch/targets.h>

namespace tandem::torch {

namespace {

constexpr std::size_t max_inlined_constant = 256;  // bytes

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
