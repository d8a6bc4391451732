// Graphs in and out of the command.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/ir/io/torch_export.h>

namespace tandem::cli {

enum class GraphForm { text, json, dot, html };

/// A graph and the form that it was written in (an archive counts as JSON, which holds all that it holds).
struct GraphFile {
  Graph graph;
  GraphForm form;
  std::vector<ProgramWeight> weights = {};  ///< Those that an archive brings along.
};

/// Reads a graph; "-" is standard input. Throws Error.
GraphFile read_graph_file(std::shared_ptr<Context> context, const std::string& path);

/// "text", "json", "dot", "html". Throws Error "usage.format".
GraphForm parse_form(std::string_view name);

/// The graph in that form; ends with a newline.
std::string render(const Graph& graph, GraphForm form);

}  // namespace tandem::cli
