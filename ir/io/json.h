// The JSON form of a graph: what programs exchange. docs/graph.schema.json is its schema, docs/graph-format.md explains
// it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>

namespace tandem {

/// The canonical JSON: one node a line, keys in a fixed order, attributes equal to their defaults left out. Parsing it
/// gives a structurally equal graph. Linear. Throws Error "json.write-utf8" when a name is not UTF-8, which JSON cannot
/// hold.
TANDEM_IR_API std::string to_json(const Graph& graph);

/// Reads the JSON form; `file` is the name for diagnostics. The graph is verified: types are inferred for every node
/// and compared with those that are given. Nodes may stand in any order; they are sorted, stably. Throws Error with up
/// to 20 diagnostics "json.*", "graph.*", "dim.*", each with line, column and JSON path.
TANDEM_IR_API Graph parse_json(std::shared_ptr<Context> context, std::string_view text,
                               std::string_view file = "<json>");

}  // namespace tandem
