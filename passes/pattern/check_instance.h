// Graphs made from a pattern: what a check tests a fusion on.
//
// An instance is a graph as an editable list of nodes. `Instantiator` invents one that a variant must match: it chooses
// dtypes, dims, leading dims, attributes and spellings that the pattern leaves open, proposes shapes for what the
// pattern does not type, and lets type inference say what fits. Guards are not built in: candidates are drawn until
// they hold, so that the engine's reading of a guard is tested against another one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tandem/ir/builder.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/check_random.h>
#include <tandem/passes/pattern/compiler.h>

namespace tandem {

struct InstanceValue {
  std::string name;
  TensorType type;
  int node = -1;  ///< The node that makes it; -1: an input or weight.
  bool weight = false;
};

struct InstanceNode {
  OpId op;
  std::vector<int> operands;  ///< Values.
  std::vector<int> results;   ///< Values.
  std::vector<Attribute> attrs;
  int pattern_node = -1;  ///< Of the variant; -1: the node is no part of the match.
};

/// A graph, and how it came about.
struct Instance {
  std::vector<InstanceValue> values;  ///< Those of the variant first, by their numbers there.
  std::vector<InstanceNode> nodes;    ///< In an order in which they can stand.
  std::vector<int> outputs;
  std::vector<std::pair<std::string, std::int64_t>> symbols;  ///< Of the dims, with the sizes to run with.
  std::vector<std::optional<bool>> guards;                    ///< Whether each holds; empty: cannot be told.
  unsigned open_booleans = 0;  ///< Boolean attributes that the pattern leaves open, and that a wish decided on.
  bool commuted = false, outside_users = false, respelled = false, symbolic = false;

  /// Adds a node that makes one value; the caller sees to its place. Returns the value.
  int add_node(OpId op, std::vector<int> operands, std::vector<Attribute> attrs, std::string name);
  /// The graph; types are inferred anew. Throws Error where an edit has made it ill-typed.
  Graph build(const std::shared_ptr<Context>& context, std::string_view name) const;
  /// The sizes of an input's type.
  std::vector<std::int64_t> sizes(const TensorType& type) const;
};

struct InstanceWishes {
  std::int64_t largest_dim = 16;     ///< Most that a free dim is.
  bool ample = false;                ///< More elements: leading dims of 16 and more.
  bool plain = false;                ///< No symbols, no commuted operands, no users outside.
  std::optional<unsigned> booleans;  ///< Bit i: what the i-th boolean attribute that is open gets.
  int break_guard = -1;              ///< The guard that must not hold; all others do.
  std::optional<DType> dtype;        ///< What the first type variable is, whether its list has it or not.
  unsigned attempts = 200;
};

class Instantiator {
 public:
  Instantiator(std::shared_ptr<Context> context, const CompiledVariant& variant);

  /// Empty when none of the attempts came to an end.
  std::optional<Instance> make(CheckRandom& random, const InstanceWishes& wishes) const;

 private:
  std::shared_ptr<Context> context_;
  const CompiledVariant& variant_;
  std::vector<std::int64_t> palette_;  ///< Sizes that guards and types speak of.
};

}  // namespace tandem
