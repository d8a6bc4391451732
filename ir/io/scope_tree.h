// The scopes of a graph as a tree: "model.layers.0" is within "model.layers", which is within "model".
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <tandem/ir/graph.h>

namespace tandem::io {

struct Scope {
  std::string name;  ///< The last part: "0".
  std::string path;  ///< All of it: "model.layers.0". Empty for the root.
  std::size_t parent = 0;
  std::size_t depth = 0;
  std::vector<std::size_t> children;  ///< In the order of their first node.
  std::vector<Node> nodes;            ///< Directly in this scope.
};

/// Scope 0 is the root. A scope of more than 16 parts keeps the rest as one, so walking down is bounded.
class ScopeTree {
 public:
  explicit ScopeTree(const Graph& graph);
  const Scope& operator[](std::size_t i) const { return scopes_[i]; }
  std::size_t size() const { return scopes_.size(); }

 private:
  std::vector<Scope> scopes_;
};

}  // namespace tandem::io
