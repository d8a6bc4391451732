// Runs passes one after another, with hooks around each.
//
//     PassManager manager;
//     manager.add(pass_named("dce"));
//     manager.add_hooks(verify_each());
//     std::vector<PassReport> reports = manager.run(graph, context);
#pragma once

#include <exception>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pass.h>

namespace tandem {

/// What hooks see of a pass at work.
struct PassRun {
  const Pass& pass;
  const Graph& graph;          ///< As it is when the hook is called.
  PassReport& report;          ///< The pass's entry; `before` finds it empty but for the name.
  std::string_view remaining;  ///< This pass and those after it, as pipeline text.
};

/// Instrumentation. Any of the three may be empty. `before` hooks run in the order in which they were added, the other
/// two in reverse, so that hooks nest.
struct PassHooks {
  std::function<void(const PassRun&)> before;
  std::function<void(const PassRun&)> after;
  /// The pass, or an `after` hook, threw: `error` can be rethrown to look at. The manager throws it on afterwards.
  std::function<void(const PassRun&, std::exception_ptr error)> failed;
};

class TANDEM_EXPORT PassManager {
 public:
  /// A pass, and whether it runs.
  struct Entry {
    Pass pass;
    GateAnswer gate;
    std::string flag;  ///< Of the pass, for the report; may be empty.
  };

  /// Adds a pass that runs.
  void add(Pass pass);
  /// Adds a pass that a gate answered for: one that is off is reported and not run.
  void add(Pass pass, GateAnswer gate, std::string flag);
  void add_hooks(PassHooks hooks) { hooks_.push_back(std::move(hooks)); }
  std::span<const Entry> entries() const { return entries_; }

  /// Runs all passes that are on, in order. One report entry a pass, or those that the pass put into
  /// `PassContext::expanded`. A pass that says it changed nothing, but edited the graph, or the other way round, is an
  /// internal error.
  std::vector<PassReport> run(Graph& graph, const PassContext& context) const;

  /// The passes that are on: "verify,dce,cse".
  std::string pipeline_text() const;

 private:
  void run_one(Graph& graph, std::size_t index, const PassContext& context, PassReport& report,
               std::vector<PassReport>& expanded) const;

  std::vector<Entry> entries_;
  std::vector<PassHooks> hooks_;
};

/// The names of passes, joined with commas: `parse_pipeline` (passes/pipeline.h) reads it back.
TANDEM_PASSES_API std::string pipeline_text(std::span<const Pass> passes);

}  // namespace tandem
