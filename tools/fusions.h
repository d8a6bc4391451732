// The fusions that the command works with: those that come with tandem.
#pragma once

#include <string>
#include <vector>

#include <tandem/passes/config.h>

namespace tandem {
class FusionSet;
class Context;
}  // namespace tandem

namespace tandem::cli {

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
