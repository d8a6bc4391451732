// Graphs of static shapes that repeat what they do, of ops that each have a twin.
#pragma once

#include <memory>

#include <tandem/ir/context.h>
#include <tandem/ir/graph.h>

#include "tests/support/dice.h"

namespace tandem::test {

/// A context with the ops of these graphs and, for each op "X" of them, an op "alt_X" of the same signature.
std::shared_ptr<Context> context_with_twins();

Graph random_twin_graph(const std::shared_ptr<Context>& context, Dice& dice);

}  // namespace tandem::test
