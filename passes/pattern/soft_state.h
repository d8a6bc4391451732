// What the checks of a soft match have learnt and found (soft_check.cpp, soft_types.cpp).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/explain.h>
#include <tandem/passes/pattern/soft_matcher.h>

namespace tandem {

struct SoftState {
  SoftState(const CompiledSet& s, const Graph& g, const ValueNames& n, const CompiledVariant& variant,
            const SoftMatch& match)
      : set(s),
        graph(g),
        names(n),
        v(variant),
        m(match),
        dims_known(variant.dims.size()),
        captures_known(variant.captures.size()),
        types_known(variant.types.size()) {}

  /// A dim of the graph, an expression that it should be, and how to speak of it.
  struct DimEquation {
    Dim found;
    const Expr* expr;
    Span span;
    std::string what;  ///< "sizes[0] of split (%q)"
    Mark mark;
  };

  const CompiledSet& set;
  const Graph& graph;
  const ValueNames& names;
  const CompiledVariant& v;
  const SoftMatch& m;
  GraphView view{graph};
  MatchState bound{};  ///< Dims, captures and dtypes, by slot.
  std::vector<bool> dims_known, captures_known, types_known;
  std::vector<DimEquation> equations;
  std::vector<FailedPredicate> failures;

  bool is_bound(std::size_t node) const { return m.nodes[node].node != no_index && !m.nodes[node].foreign; }
  Node node(std::size_t i) const { return view.node(m.nodes[i].node); }
  bool is_known(std::size_t value) const { return m.values[value] != no_index; }
  Value value(std::size_t i) const { return view.value(m.values[i]); }
  std::string name(Value v_) const { return "%" + std::string(names[v_]); }

  FailedPredicate& fail(Cause cause, const Span& span, std::string predicate, std::string found) {
    FailedPredicate& f = failures.emplace_back();
    f.cause = cause;
    f.predicate = std::move(predicate);
    f.detail = found;
    f.found = std::move(found);
    f.span = span.line != 0 ? span : v.source.pattern.span;
    return f;
  }
};

/// " (line 12)", or nothing.
std::string at_line(const Span& span);

/// Attributes of the bound nodes; collects equations of dims.
void check_attributes(SoftState& state);
/// Dtypes, ranks, leading dims, and all equations of dims. `tainted`: values whose types follow from an obstacle.
void check_types(SoftState& state, const std::vector<bool>& tainted);

}  // namespace tandem
