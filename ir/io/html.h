// A graph as one HTML page that needs nothing else: no network, no other file.
#pragma once

#include <string>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>

namespace tandem {

/// A self-contained page (inline SVG and script): nodes drawn in layers and grouped by scope, zoom and pan, search by
/// name, op, type or scope, details of the selected node. Usable for some thousands of nodes. Any name is escaped.
TANDEM_IR_API std::string to_html(const Graph& graph);

}  // namespace tandem
