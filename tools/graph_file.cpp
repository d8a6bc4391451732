// See graph_file.h.
#include <tandem/tools/graph_file.h>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/io/dot.h>
#include <tandem/ir/io/file.h>
#include <tandem/ir/io/html.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/read.h>
#include <tandem/ir/io/text.h>

namespace tandem::cli {

GraphFile read_graph_file(std::shared_ptr<Context> context, const std::string& path) {
  const auto imported = [](ImportedProgram program) {
    return GraphFile{std::move(program.graph), GraphForm::json, std::move(program.weights)};
  };
  if (is_archive_file(path))
    return imported(import_torch_export(std::move(context), path));
  auto owner = std::make_shared<const std::string>(read_file(path));
  const std::string& bytes = *owner;
  if (is_torch_export(bytes))
    return imported(import_torch_export_bytes(std::move(context), bytes, path, owner));
  const auto first = bytes.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string::npos && bytes[first] == '{';
  return {read_graph_bytes(std::move(context), bytes, path), is_json ? GraphForm::json : GraphForm::text};
}

GraphForm parse_form(std::string_view name) {
  if (name == "text")
    return GraphForm::text;
  if (name == "json")
    return GraphForm::json;
  if (name == "dot")
    return GraphForm::dot;
  if (name == "html")
    return GraphForm::html;
  throw Error("usage.format", fmt::format("unknown format '{}'{}; expected text, json, dot or html", name,
                                          did_you_mean(name, {"text", "json", "dot", "html"})));
}

std::string render(const Graph& graph, GraphForm form) {
  std::string out;
  switch (form) {
    case GraphForm::text: out = to_text(graph); break;
    case GraphForm::json: out = to_json(graph); break;
    case GraphForm::dot: out = to_dot(graph); break;
    case GraphForm::html: out = to_html(graph); break;
  }
  if (!out.empty() && out.back() != '\n')
    out += '\n';
  return out;
}

}  // namespace tandem::cli
