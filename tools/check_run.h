// What `tandem check` brings to the library: who computes, which targets there are, and files for counterexamples.
#pragma once

#include <string>
#include <vector>

#include <tandem/passes/capabilities.h>
#include <tandem/passes/pattern/check.h>

namespace tandem::cli {

/// The float64 oracle, then every provider of this machine.
std::vector<CheckExecutor> check_executors();

/// What each platform and architecture can do, with AITER where it exists.
std::vector<Capabilities> all_targets();

/// The names of all files that a counterexample may have.
std::vector<std::string> counterexample_files(const std::string& directory, const std::string& name);

/// The files of a counterexample: NAME.json, NAME.rewritten.json, NAME.safetensors, NAME.expected.safetensors. Throws
/// Error "file.write".
struct SavedCounterexample {
  std::vector<std::string> files;
  std::string command;  ///< That shows it, to be run as it is.
};
SavedCounterexample save_counterexample(const std::string& directory, const std::string& name,
                                        const Counterexample& counterexample);

}  // namespace tandem::cli
