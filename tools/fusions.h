// The fusions that the command works with: those that come with tandem, and those of --fusions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/passes/config.h>
#include <tandem/passes/pattern/fusion_set.h>

namespace CLI {
class App;
}

namespace tandem::cli {

/// Declares --fusions.
void add_fusions_option(CLI::App& app, std::vector<std::string>& files);

/// Compiled against the ops of `context`. Throws Error: "file.*", and what `FusionSet::with_sources` throws.
FusionSet load_fusions(std::shared_ptr<Context> context, const std::vector<std::string>& files = {});

/// What `tandem list fusions` says of one.
struct FusionRow {
  std::string name;
  OptLevel level;
  std::string pass;  ///< That applies it.
  std::string flag;
  std::vector<std::string> platforms;
  std::vector<std::string> kernels;
  std::string doc;
};

std::vector<FusionRow> fusion_rows(const std::vector<std::string>& files);

}  // namespace tandem::cli
