// Is this graph what it must be?
#pragma once

#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>

namespace tandem {

/// Everything that is wrong with `graph`: definitions before uses, types equal to inference, attributes complete and of
/// their kinds, names unique, weights of one key of one type, use lists exact, links sound, symbols of types declared
/// as dims of inputs. Linear in the size of the graph. At most `limit` findings.
TANDEM_IR_API std::vector<Diagnostic> verify(const Graph& graph, std::size_t limit = 20);

/// Throws an Error with the findings, if any.
TANDEM_IR_API void verify_or_throw(const Graph& graph);

}  // namespace tandem
