// A graph and a fusion that is right by construction, made at random. The same seed gives the same pair.
#pragma once

#include <cstdint>
#include <memory>

#include <tandem/ir/context.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/pattern.h>

#include "tests/support/twin_graph.h"

namespace tandem::test {

struct RandomFusion {
  Graph graph;
  Pattern pattern;
};

/// The graph has static shapes and repeats what it does. The match is cut out of the graph and made general in places:
/// attributes become captures, ranges or dims to be solved, nodes are kept, types become variables, clauses stand in
/// any order. The rewrite computes the same with the twins of the removed nodes, so that it neither changes a result
/// nor matches again. Some patterns do not compile; that is for the caller to see.
RandomFusion random_fusion(const std::shared_ptr<Context>& context, std::uint64_t seed);

}  // namespace tandem::test
