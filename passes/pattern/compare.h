// How attributes, captures and expressions of a match are compared.
#pragma once

#include <tandem/ir/attribute.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/pattern.h>

namespace tandem {

/// Compares two attributes. Reals of one kind are equal bit by bit; a whole number compares with a real by its value.
/// Symbolic dims are equal when they are so for all values, and compare otherwise when the ranges that `graph` declares
/// for their symbols decide. False where there is no answer.
bool compare_attributes(const Graph& graph, Compare how, Attribute a, Attribute b);

}  // namespace tandem
