// Reading a graph from a file of any form.
#pragma once

#include <memory>
#include <string_view>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>

namespace tandem {

/// Reads a graph; "-" is standard input. The form is told by the content: '{' is JSON, `graph` is text, "PK" is a
/// torch.export archive. Throws Error: what the readers and `read_file` throw, or "format.unknown", "format.empty",
/// "format.unsupported".
TANDEM_IR_API Graph read_graph(std::shared_ptr<Context> context, std::string_view path);

/// The same for bytes at hand; `file` is the name for diagnostics.
TANDEM_IR_API Graph read_graph_bytes(std::shared_ptr<Context> context, std::string_view bytes, std::string_view file);

/// True for a file that is an archive: it is not read but mapped, by `import_torch_export`.
TANDEM_IR_API bool is_archive_file(std::string_view path);

}  // namespace tandem
