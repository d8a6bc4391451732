// Checks before a run.
#include <tandem/runtime/run_request.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/counted.h>
#include <tandem/ir/diagnostic.h>

namespace tandem {
namespace {

[[noreturn]] void refuse(std::string code, const PlanPort* port, std::string message, std::string help = {}) {
  Diagnostic d;
  d.code = std::move(code);
  if (port)
    d.where.path = fmt::format("%{}", port->name);
  d.message = std::move(message);
  d.help = std::move(help);
  throw Error(std::move(d));
}

void append_layout(std::vector<std::int64_t>& key, const TensorView& v) {
  key.push_back(v.rank);
  for (std::size_t i = 0; i < v.rank; ++i)
    key.push_back(v.shape[i]);
  for (std::size_t i = 0; i < v.rank; ++i)
    key.push_back(v.strides[i]);
}

void check_memory(const TensorView& v, const PlanPort& port, const char* what) {
  if (v.size() == 0)
    return;
  if (!v.data)
    refuse("run.null", &port, fmt::format("the {} '{}' has no memory", what, port.name));
  if (reinterpret_cast<std::uintptr_t>(v.data) % byte_size(v.dtype) != 0)
    refuse("run.misaligned", &port,
           fmt::format("the {} '{}' is not aligned to its elements of {}", what, port.name,
                       counted(byte_size(v.dtype), "byte")));
}

}  // namespace

void RunRequest::check_inputs(std::span<const TensorView> inputs) const {
  const std::size_t expected = plan_.inputs.size();
  if (inputs.size() != expected) {
    const PlanPort* missing = inputs.size() < expected ? &plan_.inputs[inputs.size()] : nullptr;
    refuse("run.inputs", missing,
           missing ? fmt::format("{} given, expected {}: '{}' ({}) is missing", counted(inputs.size(), "input"),
                                 expected, missing->name, to_string(missing->type))
                   : fmt::format("{} given, expected {}", counted(inputs.size(), "input"), expected));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const PlanPort& port = plan_.inputs[i];
    const TensorView& v = inputs[i];
    if (v.dtype != port.type.dtype)
      refuse("run.dtype", &port,
             fmt::format("the input '{}' is {}, expected {}", port.name, to_string(v.dtype), to_string(port.type)));
    if (v.rank > max_rank)
      refuse("run.shape", &port, fmt::format("the input '{}' has rank {}", port.name, v.rank));
    if (std::any_of(v.dims().begin(), v.dims().end(), [](std::int64_t d) { return d < 0; }))
      refuse("run.shape", &port, fmt::format("the input '{}' has a negative size", port.name));
    check_memory(v, port, "input");
  }
}

void RunRequest::check_outputs(std::span<const TensorView> inputs, std::span<const TensorView> outputs) {
  if (outputs.size() != plan_.outputs.size())
    refuse("run.outputs", nullptr,
           fmt::format("{} output buffers were given, expected {}", outputs.size(), plan_.outputs.size()));
  input_extents_.clear();
  output_extents_.clear();
  for (const TensorView& v : inputs)
    input_extents_.push_back(extent(v));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const PlanPort& port = plan_.outputs[i];
    if (outputs[i].rank > max_rank)
      refuse("run.outputs", &port, fmt::format("output {} has rank {}", i, outputs[i].rank));
    check_memory(outputs[i], port, "output");
    if (!elements_are_distinct(outputs[i]))
      refuse("run.overlap", &port, fmt::format("elements of the buffer of output {} ('{}') overlap", i, port.name));
    const Extent e = extent(outputs[i]);
    for (std::size_t j = 0; j < input_extents_.size(); ++j)
      if (e.meets(input_extents_[j]))
        refuse(
            "run.overlap", &port,
            fmt::format("the buffer of output {} ('{}') overlaps the input '{}'", i, port.name, plan_.inputs[j].name));
    for (std::size_t j = 0; j < output_extents_.size(); ++j)
      if (e.meets(output_extents_[j]))
        refuse("run.overlap", &port, fmt::format("the buffers of outputs {} and {} overlap", j, i));
    output_extents_.push_back(e);
  }
}

const std::vector<std::int64_t>& RunRequest::make_key(std::span<const TensorView> inputs,
                                                      std::span<const TensorView> outputs, const DimBindings& dims) {
  key_.clear();
  for (const TensorView& v : inputs)
    append_layout(key_, v);
  key_.push_back(static_cast<std::int64_t>(outputs.size()));
  for (const TensorView& v : outputs)
    append_layout(key_, v);
  if (dims.size() > 0) {
    for (const Symbol symbol : plan_.symbols) {
      const auto value = dims.find(symbol);
      key_.push_back(value ? 1 : 0);
      key_.push_back(value.value_or(0));
    }
  }
  return key_;
}

std::shared_ptr<const BoundPlan> RunRequest::bind_plan(std::span<const TensorView> inputs,
                                                       std::span<const TensorView> outputs,
                                                       const DimBindings& dims) const {
  {
    const std::lock_guard lock(plan_.mutex);
    if (const auto* found = plan_.bound.find(key_))
      return *found;
  }
  auto bound = std::make_shared<const BoundPlan>(bind(plan_, {inputs, outputs}, dims, groups_));
  const std::lock_guard lock(plan_.mutex);
  if (const auto* found = plan_.bound.find(key_))
    return *found;
  plan_.bound.insert(key_, bound);
  return bound;
}

std::vector<Tensor> order_inputs(std::span<const PlanPort> ports, std::span<const NamedTensor> inputs) {
  std::vector<std::string_view> known;
  for (const PlanPort& p : ports)
    known.push_back(p.name);
  std::vector<Tensor> ordered(ports.size());
  std::vector<char> given(ports.size(), 0);
  for (const NamedTensor& t : inputs) {
    const auto port = std::find(known.begin(), known.end(), t.name);
    if (port == known.end())
      refuse("run.inputs", nullptr, fmt::format("the graph has no input '{}'{}", t.name, did_you_mean(t.name, known)),
             known.empty() ? "it has none" : fmt::format("its inputs are: {}", fmt::join(known, ", ")));
    const auto i = static_cast<std::size_t>(port - known.begin());
    if (std::exchange(given[i], 1))
      refuse("run.inputs", &ports[i], fmt::format("the input '{}' is given twice", t.name));
    ordered[i] = t.tensor;
  }
  for (std::size_t i = 0; i < ports.size(); ++i)
    if (!given[i])
      refuse("run.inputs", &ports[i],
             fmt::format("the input '{}' ({}) is missing", ports[i].name, to_string(ports[i].type)));
  return ordered;
}

Error with_node(const Error& error, std::string_view provider, const PlannedNode& node) {
  std::vector<Diagnostic> diagnostics = error.diagnostics();
  diagnostics.front().notes.push_back(fmt::format("while '{}' computed %{} = {}", provider, node.name, node.op));
  return Error(std::move(diagnostics));
}

}  // namespace tandem
