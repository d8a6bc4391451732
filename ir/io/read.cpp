#include <tandem/ir/io/read.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include <tandem/ir/io/file.h>
#include <tandem/ir/io/findings.h>
#include <tandem/ir/io/json.h>
#include <tandem/ir/io/limits.h>
#include <tandem/ir/io/spelling.h>
#include <tandem/ir/io/text.h>
#include <tandem/ir/io/torch_export.h>

namespace tandem {

namespace {

[[noreturn]] void cannot_read(std::string_view file, std::string_view code, std::string message, std::string help) {
  Diagnostic d = io::finding(code, std::move(message), std::move(help));
  d.where.file = file;
  throw Error(std::move(d));
}

/// The bytes after white space and the comments of the text form.
std::string_view skip_comments(std::string_view bytes) {
  for (;;) {
    bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size()));
    if (!bytes.starts_with('#') && !bytes.starts_with("//"))
      return bytes;
    bytes.remove_prefix(std::min(bytes.find('\n'), bytes.size()));
  }
}

constexpr std::string_view known_forms =
    "known are Tandem's JSON ('{...}') and text ('graph @name(...) {...}'), and torch.export archives";

}  // namespace

Graph read_graph_bytes(std::shared_ptr<Context> context, std::string_view bytes, std::string_view file) {
  const std::string_view start = skip_comments(bytes);
  if (start.empty())
    cannot_read(file, "format.empty", "the file is empty", std::string(known_forms));
  if (is_torch_export(start))
    return import_torch_export_bytes(std::move(context), start, file).graph;
  // A byte order mark, UTF-16 and a list are JSON's own to explain.
  if (start.starts_with('{') || start.starts_with('[') || start.starts_with("\xef\xbb\xbf") ||
      start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff")) {
    return parse_json(std::move(context), bytes, file);
  }
  if (start.starts_with("graph"))
    return parse_text(std::move(context), bytes, file);
  std::string shown;
  io::append_quoted(shown, start.substr(0, 16));
  cannot_read(file, "format.unknown", fmt::format("the file starts with {}, which is no known form of a graph", shown),
              std::string(known_forms));
}

bool is_archive_file(std::string_view path) {
  std::error_code ignored;
  if (path == "-" || !std::filesystem::is_regular_file(std::filesystem::path(path), ignored))
    return false;
  std::array<char, 4> start{};
  std::ifstream(std::string(path), std::ios::binary).read(start.data(), start.size());
  return is_torch_export({start.data(), start.size()});
}

Graph read_graph(std::shared_ptr<Context> context, std::string_view path) {
  if (is_archive_file(path))
    return import_torch_export(std::move(context), std::string(path)).graph;
  return read_graph_bytes(std::move(context), read_file(path), path);
}

}  // namespace tandem
