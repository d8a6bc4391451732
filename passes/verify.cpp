// The verifier as a pass.
//
// Before -> after: the graph as it is, or an Error with everything that is wrong with it.
// Requires: nothing. Preserves: everything.

#include <tandem/ir/verifier.h>
#include <tandem/passes/pipeline.h>

namespace tandem {

PassResult pass::verify(Graph& graph, PassContext&) {
  verify_or_throw(graph);
  PassResult result;
  result.candidates = graph.num_nodes();
  return result;
}

}  // namespace tandem
