// Nodes of a graph as lines of its text form, with parts of them underlined.
//
//     %cn = rms_norm %c, %kv_w {eps = 1e-05} : bf16[T, 512]
//                               ^~~~~~~~~~~
#pragma once

#include <span>
#include <string>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/explain.h>

namespace tandem {

/// The line of one node, without indent, scope and end of line. Long constants are cut short.
TANDEM_PASSES_API std::string draw_node(const Graph& graph, const ValueNames& names, Node node);

/// The lines of the nodes, each once, in the order of the graph; under each what `marks` point at. A marked attribute
/// is written even where it has its default.
TANDEM_PASSES_API std::vector<std::string> draw_nodes(const Graph& graph, const ValueNames& names,
                                                      std::vector<Node> nodes, std::span<const Mark> marks = {});

}  // namespace tandem
