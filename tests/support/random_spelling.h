// How a made-up fusion says what it found in a graph: as it is, or general in places.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/pattern.h>

#include "tests/support/dice.h"

namespace tandem::test {

Expr integer(std::int64_t value);
Expr named(Expr::Kind kind, std::string text);

/// Expressions that are true of a graph, over captures, dims and type variables that it makes up as it goes.
class RandomSpelling {
 public:
  RandomSpelling(const Graph& graph, Dice& dice) : g_(graph), dice_(dice) {}

  Expr literal(Attribute a);
  /// A new capture, or (often) one that has this value already.
  Expr capture(Attribute a);
  /// An expression that is `n` here: a number, a variable, a sum of both.
  Expr dim_expr(std::int64_t n);
  TypePattern type_of(Value v);

  const std::vector<std::pair<std::string, Attribute>>& captures() const { return captures_; }
  const std::vector<std::string>& dims() const { return dims_; }
  const std::vector<TypeVariable>& types() const { return types_; }

 private:
  const Graph& g_;
  Dice& dice_;
  std::vector<std::pair<std::string, Attribute>> captures_;
  std::vector<std::string> dims_;
  std::map<std::string, std::int64_t> dim_values_;
  std::vector<TypeVariable> types_;
};

}  // namespace tandem::test
