// Obstacles in words.
#pragma once

#include <tandem/passes/pattern/soft_check.h>

namespace tandem {

FailedPredicate describe_obstacle(const CompiledSet& set, const Graph& graph, const ValueNames& names,
                                  const CompiledVariant& variant, const SoftMatch& match, const SoftObstacle& obstacle);

/// "add, mul": the ops that read a value, each once, "the output" for being returned.
std::string reader_ops(const Graph& graph, Value value);

}  // namespace tandem
