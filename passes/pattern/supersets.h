// Which variants match only where others match, too.
#pragma once

#include <tandem/passes/pattern/compiler.h>

namespace tandem {

/// Whether every match of `narrow` is one of `wide`, proven by their texts: they have the same nodes, and all that
/// `wide` demands of attributes, types, readers and by guards, `narrow` demands in the same words. False where that
/// cannot be seen.
bool is_narrower(const Context& context, const CompiledVariant& narrow, const CompiledVariant& wide);

}  // namespace tandem
