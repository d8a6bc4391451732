// What the readers of all forms share: a graph that grows node by node from names, with everything checked that the
// verifier would check.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/ir/diagnostic.h>
#include <tandem/ir/graph.h>
#include <tandem/ir/inferred_types.h>
#include <tandem/ir/io/text_map.h>

namespace tandem::io {

/// The part of a node that a fault lies in; the reader knows where that stands in its input.
enum class Part : std::uint8_t { node, operands, results, type, attribute };

struct Fault {
  Part part;
  std::size_t index;  ///< Which type or attribute.
  Diagnostic diagnostic;
};

/// A name and where it was defined. `value` is null when its definition was faulty: its users are then not looked at.
struct Definition {
  Value value;
  std::uint32_t place = 0;   ///< As the reader counts places.
  std::uint32_t result = 0;  ///< Of several results at one place.
};

class Assembly {
 public:
  explicit Assembly(std::shared_ptr<Context> context);

  Graph& graph() { return graph_; }
  Context& context() { return *context_; }
  TextMap<Definition>& values() { return values_; }

  /// The op of that name, looked up once. Null and a fault when there is none.
  const OpDef* find_op(std::string_view name, OpId& id, std::vector<Fault>& faults);
  /// The type of that text, parsed once. `position` is where an error stands.
  const TensorType* find_type(std::string_view text, std::size_t& position, std::string& error);

  /// Notes that a weight of that key has that type. What is wrong where another weight of the key has another type.
  std::string add_weight_key(Symbol key, const TensorType& type);

  // --- the node at hand
  OpId op;
  std::vector<Value> operands;
  std::vector<Attribute> attrs;   ///< By position; absent where not given.
  std::vector<TensorType> types;  ///< Those that the input states; empty when it states none.
  Symbol scope;

  /// Starts a node of that op.
  void start(OpId id);
  /// Fills in defaults, infers the types, compares them with those stated, adds the node. Null when it cannot be added;
  /// whatever is wrong goes to `faults`.
  Node finish(std::size_t num_results, std::vector<Fault>& faults);

 private:
  bool infer(const OpDef& def, std::vector<Fault>& faults);
  void compare_types(const OpDef& def, std::size_t num_results, std::vector<Fault>& faults) const;

  std::shared_ptr<Context> context_;
  Graph graph_;
  TextMap<Definition> values_;
  TextMap<OpId> ops_;
  TextMap<TensorType> types_of_text_;
  TextMap<TensorType> types_of_keys_;  // of weights
  std::vector<TensorType> operand_types_;
  InferredTypes types_of_ops_;
  std::span<const TensorType> inferred_;  // of the node at hand
};

/// "rms_norm(x, weight?) -> y {eps: real}"
std::string signature_of(const OpDef& def);

/// Whether a type can be that of an input or a weight: no negative dims, a rank within the limit. Else what is wrong.
std::string check_declared_type(const TensorType& type);

}  // namespace tandem::io
