// What the passes that apply fusions have in common.
#pragma once

#include <string_view>

#include <tandem/passes/pass.h>

namespace tandem {

/// Applies the fusions of `context.fusions` that belong to the pass of that name ("fuse", "raise") and whose gates are
/// open, and reports each.
PassResult apply_fusions(Graph& graph, PassContext& context, std::string_view pass);

}  // namespace tandem
