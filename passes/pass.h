// A pass: a named function that changes a graph and says what it did.
//
// Passes know nothing of timing, printing or verifying: those are hooks of the pass manager (passes/pass_manager.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/capabilities.h>
#include <tandem/passes/config.h>
#include <tandem/passes/report.h>

namespace tandem {

class FusionSet;

/// Where messages go; null discards them. The library itself prints nothing.
using LogSink = std::function<void(Severity, std::string_view)>;

/// What a pass may look at besides the graph.
struct PassContext {
  const PassConfig& config;
  const Capabilities& capabilities;
  LogSink log = {};
  /// The fusions that `fuse` applies; null: none.
  const FusionSet* fusions = nullptr;
  /// Where a pass that is many (`fuse`) reports each of them, in place of the one entry that the manager makes. Null
  /// when nobody wants to know.
  std::vector<PassReport>* expanded = nullptr;
};

using PassFn = std::function<PassResult(Graph&, PassContext&)>;

struct Pass {
  std::string name;  ///< As written in a pipeline: lower case, digits, "_".
  std::string doc;   ///< One line.
  PassFn run;
};

}  // namespace tandem
