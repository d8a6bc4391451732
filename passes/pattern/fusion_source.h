// The files that fusions were read from, for diagnostics that point into them.
#pragma once

#include <span>
#include <string>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/export.h>

namespace tandem {

/// A file of fusions, in text or JSON.
struct FusionSource {
  std::string file;  ///< What it is called in diagnostics and explanations.
  std::string text;
};

/// Compilation and checks know places and not texts: gives a problem the line that it speaks of, if it has none.
TANDEM_PASSES_API void add_source_line(Diagnostic& problem, std::span<const FusionSource> sources);

}  // namespace tandem
