// See run_data.h.
#include <tandem/tools/run_data.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/file.h>
#include <tandem/runtime/safetensors.h>
#include <tandem/runtime/torch_weights.h>
#include <tandem/tools/random_tensors.h>

namespace tandem::cli {
namespace {

/// The symbols of the inputs' shapes and those declared with a range, each with what it may be.
std::vector<SymbolRange> symbols_of(const Graph& graph) {
  std::vector<Symbol> names;
  for (const SymbolRange& r : graph.symbols())
    names.push_back(r.symbol);
  for (Value v : graph.inputs())
    for (Dim d : graph.type(v).shape)
      collect_symbols(d, names);
  std::vector<SymbolRange> symbols;
  for (Symbol s : names)
    symbols.push_back({s, graph.range(s)});
  return symbols;
}

DimBindings parse_bindings(const Graph& graph, const std::vector<std::string>& texts) {
  DimBindings bindings;
  std::vector<std::string_view> known;
  std::vector<std::string> given;
  const std::vector<SymbolRange> symbols = symbols_of(graph);
  for (const SymbolRange& r : symbols) {
    known.push_back(r.symbol.view());
    if (r.range.min == r.range.max)
      bindings.set(r.symbol, r.range.min);
  }
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string digits = equals == std::string::npos ? "" : text.substr(equals + 1);
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0)
      throw Error("usage.bind", fmt::format("'--bind {}': expected SYMBOL=N, N an integer from 0 on", text),
                  "--bind T=7");
    const SymbolRange* range = nullptr;
    for (const SymbolRange& r : symbols)
      if (r.symbol.view() == name)
        range = &r;
    if (!range)
      throw Error("usage.bind", fmt::format("the graph has no symbol '{}'{}", name, did_you_mean(name, known)),
                  known.empty() ? "all its dims are fixed" : fmt::format("it has {}", fmt::join(known, ", ")));
    if (value < range->range.min || value > range->range.max)
      throw Error("usage.bind",
                  fmt::format("'--bind {}': {} must be in {}..{}", text, name, range->range.min, range->range.max));
    if (std::find(given.begin(), given.end(), name) != given.end())
      throw Error("usage.bind", fmt::format("'--bind {}': {} has a value already", text, name),
                  "bind each symbol once");
    given.push_back(name);
    bindings.set(range->symbol, value);
  }
  return bindings;
}

/// Random tensors need every dim; says which symbol has no value, and how to give it one.
void require_bound(const Graph& graph, const DimBindings& bindings) {
  const auto check = [&](Value value) {
    std::vector<Symbol> symbols;
    for (Dim d : graph.type(value).shape)
      collect_symbols(d, symbols);
    for (Symbol s : symbols)
      if (!bindings.find(s))
        throw Error("run.unbound-dim", fmt::format("random tensors need a value for the symbol '{}'", s.view()),
                    fmt::format("give it one: --bind {}=7", s.view()));
  };
  for (Value input : graph.inputs())
    check(input);
}

std::vector<Tensor> gather_inputs(const Graph& graph, const RunDataSettings& settings, const DimBindings& bindings) {
  std::vector<TensorStore> files;
  for (const std::string& path : settings.inputs)
    files.push_back(load_tensors(path));
  std::vector<Tensor> made_up;
  if (settings.random_inputs) {
    require_bound(graph, bindings);
    made_up = random_inputs(graph, *settings.random_inputs, bindings);
  }
  const ValueNames names(graph);
  std::vector<Tensor> inputs;
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < graph.inputs().size(); ++i) {
    const std::string name(names[graph.inputs()[i]]);
    const Tensor* found = nullptr;
    for (const TensorStore& file : files)
      if (!found)
        found = file.find(name);
    for (const TensorStore& file : files)
      if (!found)
        found = file.find(fmt::format("input.{}", i));
    if (found)
      inputs.push_back(*found);
    else if (settings.random_inputs)
      inputs.push_back(made_up[i]);
    else
      missing.push_back(fmt::format("{}: {}", name, to_string(graph.type(graph.inputs()[i]))));
  }
  if (!missing.empty())
    throw Error("run.missing-input", fmt::format("no tensor for the input {}", fmt::join(missing, ", nor for ")),
                "give --inputs a safetensors file that has it (by that name, or as input.0, input.1, ...), or make "
                "inputs up with --random-inputs SEED");
  return inputs;
}

}  // namespace

TensorStore load_tensors(const std::string& path) {
  TensorStore store;
  if (path != "-") {
    store.add_file(path);
    return store;
  }
  const std::string text = read_file("-");
  std::vector<std::byte> bytes(text.size());
  if (!text.empty())
    std::memcpy(bytes.data(), text.data(), text.size());
  const SafetensorsFile file = SafetensorsFile::from_bytes("-", std::move(bytes));
  for (const std::string& name : file.names())
    store.add(name, file.require(name));
  return store;
}

RunData gather_run_data(const Graph& graph, const RunDataSettings& settings, std::span<const ProgramWeight> archived) {
  RunData data;
  data.bindings = parse_bindings(graph, settings.bindings);
  data.inputs = gather_inputs(graph, settings, data.bindings);
  for (const std::string& path : settings.weights) {
    const TensorStore file = load_tensors(path);
    for (const auto& [name, tensor] : file)
      data.weights.add(name, tensor);
  }
  add_program_weights(data.weights, archived);
  if (settings.random_weights)
    add_random_weights(graph, *settings.random_weights, data.bindings, data.weights);
  return data;
}

}  // namespace tandem::cli
