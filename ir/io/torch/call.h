// One call of an operator: its arguments by name with the schema's defaults, what PyTorch says of its results, and what
// the lowering gives back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/io/torch/emit.h>
#include <tandem/ir/io/torch/program.h>
#include <tandem/ir/io/torch/tensors.h>

namespace tandem::torch {

/// A dtype of PyTorch: one of the IR's, or pairs of one.
struct TorchType {
  DType dtype = DType::f32;
  bool complex = false;
  friend bool operator==(TorchType, TorchType) = default;
};

/// The type of a number in the export schema (not c10's numbering); empty for what the IR has no dtype for.
std::optional<TorchType> torch_type(int scalar_type);
std::string scalar_type_name(int scalar_type);

/// A Python number.
struct Scalar {
  enum Kind { boolean, integer, real, symbolic } kind = integer;
  std::int64_t whole = 0;
  double fraction = 0.0;
  Dim dim = 0;
  /// As a double; for `symbolic` meaningless.
  double number() const { return kind == real ? fraction : static_cast<double>(whole); }
};

/// A tensor or a number, where either may stand.
struct Operand {
  Value value;  ///< Null for a number.
  Scalar scalar;
  TorchType type;
  std::size_t rank = 0;
};

/// What the importer gives to every call: where names lead to.
class Environment {
 public:
  virtual ~Environment() = default;
  virtual Tensor tensor(std::string_view name) = 0;
  virtual Dim symbolic_int(std::string_view name) = 0;
  virtual const TensorMeta& meta(std::string_view name) = 0;
  virtual Dim size(const Size& size) = 0;
};

/// A parameter of an operator, as its row writes it: "dim=-1".
struct Parameter {
  std::string_view name;
  std::string_view default_text;  ///< Empty: required.
};

/// Splits "self, dim=-1" at the commas.
std::vector<Parameter> parse_schema(std::string_view schema);

class Call {
 public:
  Call(Emitter& emitter, Tensors& states, Environment& environment, const NodeDef& node,
       std::span<const Parameter> parameters);

  Emitter& emit;
  Tensors& tensors;
  std::vector<Tensor> results;

  // --- arguments: each throws Error "torch.argument" when the argument is missing or of another kind
  Tensor tensor(std::string_view name);
  Value value(std::string_view name) { return tensors.read(tensor(name)); }
  /// The value of a tensor argument whose operator is not supported for complex numbers.
  Value real_value(std::string_view name);
  bool has(std::string_view name);                         ///< Given, and not None.
  bool takes(std::string_view name) const;                 ///< Whether the row names it.
  std::vector<Tensor> tensor_list(std::string_view name);  ///< Null elements for None.
  std::int64_t integer(std::string_view name);
  Dim dim(std::string_view name);
  double real(std::string_view name) { return scalar(name).number(); }
  bool boolean(std::string_view name);
  std::string_view string(std::string_view name);
  Dims dims(std::string_view name);
  std::vector<std::int64_t> integers(std::string_view name);
  std::vector<double> reals(std::string_view name);
  Scalar scalar(std::string_view name);
  Operand operand(std::string_view name);
  std::optional<TorchType> dtype(std::string_view name);

  /// PyTorch's rank of a tensor: without the axis of complex pairs.
  std::size_t rank(const Tensor& t) { return emit.rank(tensors.read(t)) - (t->complex ? 1 : 0); }
  /// An axis argument, from the front.
  std::size_t axis(std::string_view name, std::size_t rank) { return axis(integer(name), rank); }
  std::size_t axis(std::int64_t axis, std::size_t rank) const;
  /// A list of axes, sorted; None and [] mean all.
  std::vector<std::int64_t> axes(std::string_view name, std::size_t rank);
  /// PyTorch's strides of an argument.
  Dims strides(std::string_view name);
  Dims sizes(std::string_view name);

  // --- results
  /// The sizes of result i as PyTorch traced them, with the axis of complex pairs.
  Dims result_dims(std::size_t i = 0);
  TorchType result_type(std::size_t i = 0);
  std::size_t num_results() const { return result_names_.size(); }
  void give(Value value, bool complex = false) { results.push_back(Tensors::fresh(value, complex)); }
  void give(Tensor tensor) { results.push_back(std::move(tensor)); }
  void give_view(const Tensor& tensor, View view) { give(tensors.view(tensor, std::move(view))); }
  const std::vector<std::string_view>& result_names() const { return result_names_; }

  /// "torch.unsupported": this operator is known, but not in this form.
  [[noreturn]] void unsupported(std::string message) const;

 private:
  const Argument* argument(std::string_view name);  ///< Null: the default holds, and is in `default_`.
  [[noreturn]] void wrong(std::string_view name, std::string_view expected) const;

  Environment& environment_;
  const NodeDef& node_;
  std::span<const Parameter> parameters_;
  std::vector<const Argument*> arguments_;
  std::vector<std::string_view> result_names_;
  std::string_view default_;
};

// --- type promotion (c10/core/ScalarType.h, aten/src/ATen/native/TypeProperties.cpp)

TorchType promote(TorchType a, TorchType b);
/// The dtype in which PyTorch computes with these operands: tensors count before tensors of rank 0, those before
/// numbers.
TorchType result_type(std::span<const Operand> operands);
/// The operand as a value of that dtype; a number becomes a scalar with its exact value. For a complex type with the
/// axis of pairs.
Value materialize(Emitter& emit, const Operand& operand, TorchType type);

}  // namespace tandem::torch
