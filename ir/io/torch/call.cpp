#include <tandem/ir/io/torch/call.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>

namespace tandem::torch {

namespace {

/// Arguments that say where and how a tensor is stored, not what it holds.
bool is_placement(std::string_view name) {
  constexpr std::array<std::string_view, 11> names{"device",        "layout",      "pin_memory",   "memory_format",
                                                   "non_blocking",  "generator",   "implicit",     "cudnn_enable",
                                                   "requires_grad", "sparse_grad", "cudnn_enabled"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<Parameter> parse_schema(std::string_view schema) {
  std::vector<Parameter> out;
  while (!schema.empty()) {
    std::string_view one = schema.substr(0, schema.find(", "));
    schema.remove_prefix(std::min(one.size() + 2, schema.size()));
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos)
      out.push_back({one, {}});
    else
      out.push_back({one.substr(0, equals), one.substr(equals + 1)});
  }
  return out;
}

Call::Call(Emitter& emitter, Tensors& states, Environment& environment, const NodeDef& node,
           std::span<const Parameter> parameters)
    : emit(emitter),
      tensors(states),
      environment_(environment),
      node_(node),
      parameters_(parameters),
      arguments_(parameters.size()) {
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const NamedArgument& given = node.inputs[i];
    std::size_t at = i;
    if (!given.name.empty()) {
      at = 0;
      while (at < parameters.size() && parameters[at].name != given.name)
        ++at;
    }
    if (at < parameters.size()) {
      if (arguments_[at] != nullptr)
        throw Error("torch.argument", fmt::format("'{}' is given twice", given.name));
      arguments_[at] = &given.value;
    } else if (!is_placement(given.name) && given.value.kind != ArgumentKind::none) {
      throw Error("torch.argument", fmt::format("the argument '{}' is not known", given.name));
    }
  }
  for (const Argument& output : node.outputs) {
    if (output.kind == ArgumentKind::tensor) {
      result_names_.push_back(output.text);
    } else if (output.kind == ArgumentKind::tensors || output.kind == ArgumentKind::optional_tensors) {
      for (const Element& e : output.list)
        result_names_.push_back(e.name);
    } else if (output.kind == ArgumentKind::none) {
      result_names_.emplace_back();
    }
  }
}

void Call::wrong(std::string_view name, std::string_view expected) const {
  throw Error("torch.argument", fmt::format("the argument '{}' must be {}", name, expected));
}

Value Call::real_value(std::string_view name) {
  const Tensor t = tensor(name);
  if (t->complex)
    unsupported("complex numbers");
  return tensors.read(t);
}

void Call::unsupported(std::string message) const {
  throw Error("torch.unsupported", std::move(message));
}

const Argument* Call::argument(std::string_view name) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].name != name)
      continue;
    default_ = parameters_[i].default_text;
    if (arguments_[i] == nullptr && default_.empty())
      throw Error("torch.argument", fmt::format("the argument '{}' is missing", name));
    return arguments_[i];
  }
  internal_error(fmt::format("the row of {} has no parameter '{}'", node_.target, name));
}

Tensor Call::tensor(std::string_view name) {
  const Argument* a = argument(name);
  if (a == nullptr || a->kind != ArgumentKind::tensor)
    wrong(name, "a tensor");
  return environment_.tensor(a->text);
}

bool Call::has(std::string_view name) {
  const Argument* a = argument(name);
  return a != nullptr ? a->kind != ArgumentKind::none : default_ != "None";
}

std::vector<Tensor> Call::tensor_list(std::string_view name) {
  const Argument* a = argument(name);
  std::vector<Tensor> out;
  if (a == nullptr || (a->kind != ArgumentKind::tensors && a->kind != ArgumentKind::optional_tensors &&
                       !(a->kind == ArgumentKind::integers && a->list.empty())))
    wrong(name, "a list of tensors");
  for (const Element& e : a->list)
    out.push_back(e.name.empty() ? nullptr : environment_.tensor(e.name));
  return out;
}

Dim Call::dim(std::string_view name) {
  const Argument* a = argument(name);
  if (a == nullptr) {
    std::int64_t value = 0;
    if (std::from_chars(default_.data(), default_.data() + default_.size(), value).ec != std::errc())
      wrong(name, "an integer");
    return value;
  }
  if (a->kind == ArgumentKind::integer) {
    // PyTorch writes the largest int64 for "to the end"; beyond the IR's integers, it means the same.
    return std::clamp(a->integer, -Dim::max_constant, Dim::max_constant);
  }
  if (a->kind == ArgumentKind::sym_int)
    return a->list[0].name.empty() ? Dim(a->list[0].integer) : environment_.symbolic_int(a->list[0].name);
  if (a->kind == ArgumentKind::real && a->real == static_cast<double>(static_cast<std::int64_t>(a->real)))
    return static_cast<std::int64_t>(a->real);
  wrong(name, "an integer");
}

std::int64_t Call::integer(std::string_view name) {
  const Dim d = dim(name);
  if (!d.is_constant())
    wrong(name, "an integer that is known");
  return d.constant();
}

bool Call::takes(std::string_view name) const {
  return std::any_of(parameters_.begin(), parameters_.end(), [&](const Parameter& p) { return p.name == name; });
}

bool Call::boolean(std::string_view name) {
  const Argument* a = argument(name);
  if (a == nullptr)
    return default_ == "True";
  if (a->kind == ArgumentKind::boolean || a->kind == ArgumentKind::integer)
    return a->integer != 0;
  wrong(name, "true or false");
}

std::string_view Call::string(std::string_view name) {
  const Argument* a = argument(name);
  if (a == nullptr)
    return default_;
  if (a->kind != ArgumentKind::string)
    wrong(name, "a string");
  return a->text;
}

Dims Call::dims(std::string_view name) {
  const Argument* a = argument(name);
  Dims out;
  if (a == nullptr) {
    if (default_ != "[]" && default_ != "None")
      out.push_back(dim(name));
    return out;
  }
  if (a->kind == ArgumentKind::integer || a->kind == ArgumentKind::sym_int)
    return {dim(name)};
  const bool symbolic = a->kind == ArgumentKind::sym_ints;
  if (!symbolic && a->kind != ArgumentKind::integers && !a->list.empty())
    wrong(name, "a list of integers");
  if (a->kind != ArgumentKind::none)
    for (const Element& e : a->list)
      out.push_back(e.name.empty() ? Dim(std::clamp(e.integer, -Dim::max_constant, Dim::max_constant))
                                   : environment_.symbolic_int(e.name));
  return out;
}

std::vector<std::int64_t> Call::integers(std::string_view name) {
  std::vector<std::int64_t> out;
  for (const Dim d : dims(name)) {
    if (!d.is_constant())
      wrong(name, "a list of integers that are known");
    out.push_back(d.constant());
  }
  return out;
}

Scalar Call::scalar(std::string_view name) {
  const Argument* a = argument(name);
  Scalar out;
  if (a == nullptr) {
    if (default_ == "True" || default_ == "False")
      return {Scalar::boolean, default_ == "True", 0.0, 0};
    const char* const end = default_.data() + default_.size();
    if (std::from_chars(default_.data(), end, out.whole).ptr == end)
      return out;
    out.kind = Scalar::real;
    if (std::from_chars(default_.data(), end, out.fraction).ptr != end)
      wrong(name, "a number");
    return out;
  }
  switch (a->kind) {
    case ArgumentKind::boolean: return {Scalar::boolean, a->integer, 0.0, 0};
    case ArgumentKind::integer: return {Scalar::integer, a->integer, 0.0, 0};
    case ArgumentKind::real: return {Scalar::real, 0, a->real, 0};
    case ArgumentKind::sym_int: {
      const Dim d = dim(name);
      if (d.is_constant())
        return {Scalar::integer, d.constant(), 0.0, 0};
      return {Scalar::symbolic, 0, 0.0, d};
    }
    case ArgumentKind::sym_float:
      if (a->list[0].name.empty())
        return {Scalar::real, 0, a->list[0].real, 0};
      unsupported("a symbolic float");
    case ArgumentKind::complex: unsupported("a complex number as an argument");
    default: wrong(name, "a number");
  }
}

Operand Call::operand(std::string_view name) {
  const Argument* a = argument(name);
  Operand out;
  if (a != nullptr && a->kind == ArgumentKind::tensor) {
    const Tensor t = environment_.tensor(a->text);
    out.value = tensors.read(t);
    out.type = {emit.dtype(out.value), t->complex};
    out.rank = rank(t);
    return out;
  }
  out.scalar = scalar(name);
  out.type.dtype = out.scalar.kind == Scalar::boolean ? DType::boolean
                   : out.scalar.kind == Scalar::real  ? DType::f32
                                                      : DType::i64;
  return out;
}

std::vector<double> Call::reals(std::string_view name) {
  const Argument* a = argument(name);
  std::vector<double> out;
  if (a == nullptr)
    return out;
  if (a->kind != ArgumentKind::reals && a->kind != ArgumentKind::integers)
    wrong(name, "a list of numbers");
  for (const Element& e : a->list)
    out.push_back(a->kind == ArgumentKind::reals ? e.real : static_cast<double>(e.integer));
  return out;
}

std::optional<TorchType> Call::dtype(std::string_view name) {
  const Argument* a = argument(name);
  if (a == nullptr || a->kind == ArgumentKind::none)
    return std::nullopt;
  if (a->kind != ArgumentKind::scalar_type)
    wrong(name, "a dtype");
  const auto type = torch_type(static_cast<int>(std::clamp<std::int64_t>(a->integer, -1, 1000)));
  if (!type)
    unsupported(fmt::format("the dtype {}", scalar_type_name(static_cast<int>(a->integer % 1000))));
  return type;
}

std::size_t Call::axis(std::int64_t axis, std::size_t rank) const {
  const auto n = static_cast<std::int64_t>(rank);
  // PyTorch lets scalars have the axes 0 and -1.
  if (axis < -std::max<std::int64_t>(n, 1) || axis >= std::max<std::int64_t>(n, 1))
    throw Error("torch.argument", fmt::format("axis {} of a tensor of rank {}", axis, rank));
  return static_cast<std::size_t>(axis < 0 ? axis + std::max<std::int64_t>(n, 1) : axis);
}

std::vector<std::int64_t> Call::axes(std::string_view name, std::size_t rank) {
  std::vector<std::int64_t> out;
  if (rank == 0)
    return out;
  if (has(name))
    for (const std::int64_t a : integers(name))
      out.push_back(static_cast<std::int64_t>(axis(a, rank)));
  if (out.empty())
    for (std::size_t i = 0; i < rank; ++i)
      out.push_back(static_cast<std::int64_t>(i));
  std::sort(out.begin(), out.end());
  if (std::adjacent_find(out.begin(), out.end()) != out.end())
    wrong(name, "a list of different axes");
  return out;
}

Dims Call::strides(std::string_view name) {
  const Argument* a = argument(name);
  if (a == nullptr || a->kind != ArgumentKind::tensor)
    wrong(name, "a tensor");
  Dims out;
  for (const Size& s : environment_.meta(a->text).strides)
    out.push_back(environment_.size(s));
  return out;
}

Dims Call::sizes(std::string_view name) {
  const Argument* a = argument(name);
  if (a == nullptr || a->kind != ArgumentKind::tensor)
    wrong(name, "a tensor");
  Dims out;
  for (const Size& s : environment_.meta(a->text).sizes)
    out.push_back(environment_.size(s));
  return out;
}

Dims Call::result_dims(std::size_t i) {
  if (i >= result_names_.size())
    throw Error("torch.argument", "the node has too few outputs");
  const TensorMeta& meta = environment_.meta(result_names_[i]);
  Dims out;
  for (const Size& s : meta.sizes) {
    out.push_back(environment_.size(s));
    if (out.back().is_constant() && out.back().constant() < 0)
      throw Error("torch.shape", fmt::format("'{}' has the size {}", result_names_[i], out.back().constant()));
  }
  if (result_type(i).complex)
    out.push_back(2);
  return out;
}

TorchType Call::result_type(std::size_t i) {
  if (i >= result_names_.size())
    throw Error("torch.argument", "the node has too few outputs");
  const auto type = torch_type(environment_.meta(result_names_[i]).scalar_type);
  if (!type)
    unsupported("the dtype of the result");
  return *type;
}

}  // namespace tandem::torch
