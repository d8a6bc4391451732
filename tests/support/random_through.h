// Nodes of a made-up fusion, said as what stands in between.
#pragma once

#include <tandem/passes/pattern/pattern.h>

#include "tests/support/dice.h"

namespace tandem::test {

/// A node that does nothing but stand between a value and its one reader may be said with the reader.
void fold_through(Pattern& pattern, Dice& dice);

}  // namespace tandem::test
