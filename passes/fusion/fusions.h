// The fusions that come with tandem.
#pragma once

#include <vector>

#include <tandem/ir/export.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// All of them, in the order in which they are tried.
TANDEM_PASSES_API std::vector<Pattern> shipped_fusions();

}  // namespace tandem
