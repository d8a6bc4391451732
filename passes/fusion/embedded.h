// The texts of the shipped fusions, embedded at build time (embedded.cpp.in, CMakeLists.txt).
#pragma once

#include <span>
#include <string_view>

namespace tandem {

struct EmbeddedFusion {
  std::string_view file;
  std::string_view text;
};

/// One a file of passes/fusion/, then one a file of passes/normalize/, by file name.
std::span<const EmbeddedFusion> embedded_fusions();

}  // namespace tandem
