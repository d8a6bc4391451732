// Raising: what a model spells out becomes the op that it means.
//
//     %s = square %x                                      %y = rms_norm %x {eps = 1e-06}
//     %m = mean %s {axes = [-1], keepdims = true}    ->
//     %a = add %m, 1e-06
//     %r = rsqrt %a
//     %y = mul %x, %r
//
// What becomes what stands in passes/normalize/*.fusion, in the pattern language. A raise that needs several steps
// takes them one after another: each is right by itself, and the engine goes on until nothing matches.
//
// Requires: equal values are one value (cse). Preserves: every rounding to a storage type that the graph prescribes,
// under `numerics = exact`.

#include <tandem/passes/apply_fusions.h>
#include <tandem/passes/pipeline.h>

namespace tandem {

PassResult pass::raise(Graph& graph, PassContext& context) {
  return apply_fusions(graph, context, "raise");
}

}  // namespace tandem
