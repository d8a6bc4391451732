// Dead code elimination: removes nodes without effect whose results nobody uses.
//
//     %a = add %x, %y        %a = add %x, %y
//     %b = mul %a, %y   ->   return %a
//     %c = exp %b
//     return %a
//
// Inputs and weights stay listed when their last user goes: they are the graph's interface, known to callers and weight
// files by name and position. A plan loads only what is used.
//
// Requires: a verified graph. Preserves: inputs, weights, outputs, nodes with effects and all that they need.
// Linear: users stand after what they use, so one walk from the end finds every node whose users are all dead.

#include <tandem/passes/pipeline.h>
#include <tandem/passes/rewrite.h>

namespace tandem {

PassResult pass::dce(Graph& graph, PassContext&) {
  PassResult result;
  NearMiss effect{"the node has an effect", 0, {}, {}};
  for (Node node = graph.last(); node;) {
    const Node previous = graph.prev(node);
    if (is_unused(graph, node)) {
      ++result.candidates;
      const OpDef& op = graph.def(node);
      if (op.has(trait::pure) && !op.has(trait::collective)) {
        graph.erase(node);
        ++result.matches;
      } else if (++effect.count == 1) {
        effect.example = op.name + (op.has(trait::collective) ? " is a collective" : " is not pure");
        effect.where = describe(graph, node);
      }
    }
    node = previous;
  }
  result.changed = result.matches != 0;
  if (effect.count != 0) {
    result.near_misses.push_back(std::move(effect));
  }
  return result;
}

}  // namespace tandem
