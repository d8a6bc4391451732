// A graph as Graphviz DOT, for `dot -Tsvg`.
#pragma once

#include <string>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>

namespace tandem {

/// One DOT digraph: nodes grouped into clusters by scope, edges labelled with types. Linear. Any name is quoted safely.
TANDEM_IR_API std::string to_dot(const Graph& graph);

}  // namespace tandem
