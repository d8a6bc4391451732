// From the dims, dtypes and attributes of one graph to variables of a pattern (extract.cpp).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

class Generaliser {
 public:
  Generaliser(const Graph& graph, std::span<const Node> nodes);

  /// `T[..B, D1536]`. Leading dims are left open where no node speaks of them; equal ones have one name.
  TypePattern type(Value value);
  /// The attributes of a node that are not at their defaults: as the match says them, and as a new node gets them.
  struct Attributes {
    std::vector<AttrPattern> match, rewrite;
  };
  Attributes attributes(Node node);

  /// What was used, in the order of first use.
  const std::vector<std::string>& dims() const { return dims_; }
  const std::vector<TypeVariable>& types() const { return types_; }
  std::size_t num_captures() const { return captures_.size(); }

 private:
  Expr dim(Dim d);
  std::string variable(Dim d);
  std::string leading(std::span<const Dim> dims);
  std::string capture_name(const std::string& attr);
  std::string dtype(DType d);
  Expr attribute(const AttrDef& def, Attribute value, std::size_t rank);
  void add_sums(Node node);

  const Graph& graph_;
  bool open_ = true;                                // leading dims need no names
  std::map<std::uint64_t, std::vector<Dim>> sums_;  // by bits of a dim: its parts
  std::map<std::uint64_t, std::string> variables_;  // by bits of a dim
  std::vector<std::string> dims_;
  std::vector<std::vector<Dim>> leading_;
  std::vector<TypeVariable> types_;
  std::optional<DType> varying_;  // the dtype that becomes T
  std::set<std::string> captures_;
};

}  // namespace tandem
