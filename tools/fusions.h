// The fusions that the command works with: those that come with tandem.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tandem/ir/context.h>
#include <tandem/passes/config.h>
#include <tandem/passes/pattern/fusion_set.h>

namespace tandem::cli {

/// Compiled against the ops of `context`.
FusionSet load_fusions(std::shared_ptr<Context> context);

/// What `tandem list fusions` says of one.
struct FusionRow {
  std::string name;
  OptLevel level;
  std::string flag;
  std::vector<std::string> platforms;
  std::vector<std::string> kernels;
  std::string doc;
};

std::vector<FusionRow> fusion_rows();

}  // namespace tandem::cli
