// Valid graphs made at random, for properties that must hold for every graph. The same seed gives the same graph.
#pragma once

#include <cstdint>
#include <memory>

#include <tandem/ir/context.h>
#include <tandem/ir/graph.h>

namespace tandem::test {

struct RandomGraphOptions {
  std::size_t nodes = 30;  ///< About that many.
  bool symbolic = true;    ///< Some dims are expressions over T.
  bool odd_names = true;   ///< Some names need quotes, some values have none.
  bool constants = true;   ///< Constants of all dtypes, NaNs and infinities among them.
};

/// A graph over the core ops: elementwise, views, matrix products, reductions, norms, indexing, constants; several
/// results, optional operands, scopes, weights. Verified.
Graph random_graph(std::shared_ptr<Context> context, std::uint64_t seed, const RandomGraphOptions& options = {});

}  // namespace tandem::test
