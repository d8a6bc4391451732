// The options by which `opt` and `run` choose what happens to a graph.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <tandem/passes/capabilities.h>
#include <tandem/passes/config.h>
#include <tandem/passes/pipeline.h>

namespace CLI {
class App;
}

namespace tandem::cli {

/// As the user gave them.
struct PipelineSettings {
  std::string level = "1";
  std::string target = "host";
  std::string passes;
  std::string numerics = "exact";
  std::vector<std::string> flags;
  std::vector<std::string> fusions;  ///< Files.
};

/// Declares -O, --target, --passes, --flag, --numerics and --fusions.
void add_pipeline_options(CLI::App& app, PipelineSettings& settings);

/// What the settings say, parsed. Throws Error.
PassConfig pass_config(const PipelineSettings& settings);

/// For which fusions a report says what they missed by one predicate.
struct NearMissWishes {
  bool all = false;                             ///< The report is for somebody to read.
  std::span<const Expectation> expectations{};  ///< Those of which an expectation does not hold.
};

/// Runs the pipeline that the settings ask for. Throws Error: what the settings' parsers and `run_pipeline` throw.
DecisionReport optimise(Graph& graph, const PipelineSettings& settings, std::vector<PassHooks> hooks = {},
                        const NearMissWishes& near_misses = {});

}  // namespace tandem::cli
