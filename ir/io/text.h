// The text form of a graph: what people and tests read and write. docs/graph-format.md has its grammar.
//
//     graph @norm(%x: bf16[T, 512], %w: bf16[512] = weight) where T in 1..4096 {
//       %y = rms_norm %x, %w {eps = 1e-06} : bf16[T, 512]
//       return %y
//     }
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>

namespace tandem {

/// The canonical text: attributes equal to their defaults are left out, result types are written out. Parsing it gives
/// a structurally equal graph. Linear.
TANDEM_IR_API std::string to_text(const Graph& graph);

/// Reads the text form; `file` is the name for diagnostics. The graph is verified: types that are given are compared
/// with what inference gives. Throws Error with up to 20 diagnostics "text.*", "graph.*", "dim.*", each with line,
/// column and source line.
TANDEM_IR_API Graph parse_text(std::shared_ptr<Context> context, std::string_view text,
                               std::string_view file = "<text>");

}  // namespace tandem
