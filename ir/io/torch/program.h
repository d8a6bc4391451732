// An exported program as plain structs: torch/_export/serde/schema.py, major version 8, as far as the importer reads
// it.
//
// Text is a view of the parsed JSON, which `Program::text` keeps alive.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tandem::torch {

/// A size: an integer, or a sympy expression in its `srepr` form.
struct Size {
  std::string_view expression;  ///< Empty: `value`.
  std::int64_t value = 0;
};

/// torch's TensorMeta.
struct TensorMeta {
  int scalar_type = 0;
  std::vector<Size> sizes, strides;
  Size offset;
};

enum class ArgumentKind : std::uint8_t {
  none,
  tensor,
  tensors,
  optional_tensors,
  integer,
  integers,
  real,
  reals,
  string,
  strings,
  sym_int,
  sym_ints,
  sym_float,
  scalar_type,
  memory_format,
  layout,
  device,
  boolean,
  booleans,
  sym_bool,
  graph,
  complex,
  other
};

/// An element of a list argument, or a symbolic scalar: a name, or a value.
struct Element {
  std::string_view name;  ///< Of a tensor or a symbolic number; empty for a value and for None.
  std::int64_t integer = 0;
  double real = 0.0;
};

struct GraphDef;

/// torch's Argument: a tagged union.
struct Argument {
  ArgumentKind kind = ArgumentKind::none;
  std::string_view text;      ///< tensor, string, device: a name; other: the tag.
  std::int64_t integer = 0;   ///< integer, boolean, scalar_type, memory_format, layout
  double real = 0.0;          ///< real; complex: the real part
  double imaginary = 0.0;     ///< complex
  std::vector<Element> list;  ///< tensors, optional_tensors, integers, reals, sym_ints; one element for sym_*.
  std::shared_ptr<const GraphDef> graph;
};

struct NamedArgument {
  std::string_view name;
  Argument value;
};

struct NodeDef {
  std::string_view target;
  std::string_view name;
  std::string_view module_stack;  ///< nn_module_stack
  std::vector<NamedArgument> inputs;
  std::vector<Argument> outputs;
};

struct GraphDef {
  std::vector<Argument> inputs, outputs;
  std::vector<NodeDef> nodes;
  std::unordered_map<std::string_view, TensorMeta> tensors;
  std::unordered_map<std::string_view, Size> sym_ints, sym_floats;
};

/// Where an input of the graph comes from.
struct InputSpec {
  enum Kind { user, parameter, buffer, tensor_constant, constant } kind = user;
  Argument argument;        ///< The placeholder; for `constant` the value.
  std::string_view target;  ///< The parameter's, buffer's or constant's name.
  bool persistent = true;   ///< Of a buffer.
};

/// What becomes of an output.
struct OutputSpec {
  enum Kind { user, buffer_mutation, user_input_mutation, parameter_mutation } kind = user;
  Argument argument;
  std::string_view target;  ///< What is mutated.
};

struct Range {
  std::optional<std::int64_t> min, max;
};

struct Program {
  std::shared_ptr<const void> text;
  GraphDef graph;
  std::vector<InputSpec> inputs;
  std::vector<OutputSpec> outputs;
  std::map<std::string_view, Range> ranges;  ///< range_constraints, by symbol.
  std::string torch_version;
  std::int64_t minor = 0;
};

/// A row of weights_config or constants_config.
struct PayloadMeta {
  std::string_view path;
  bool pickled = false;
  std::optional<TensorMeta> tensor;
};
struct PayloadConfig {
  std::shared_ptr<const void> text;
  std::map<std::string_view, PayloadMeta> entries;
};

/// Parses models/*.json. Unknown keys are ignored. Throws Error "torch.json" (not JSON, or not of the schema; with the
/// JSON path), "torch.version" or "torch.unsupported".
Program parse_program(std::string_view json, std::string_view file);

/// Parses data/*/…_config.json. Throws Error "torch.json".
PayloadConfig parse_payload_config(std::string_view json, std::string_view file);

/// True for JSON text that holds an exported program.
bool is_program_json(std::string_view text);

}  // namespace tandem::torch
