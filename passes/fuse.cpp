// Fusion: several nodes become one, for which the target has a kernel.
//
//     %qn = rms_norm %q, %q_w        %qn, %cn = fused_mla_dual_rms_norm %q, %q_w, %c, %kv_w
//     %cn = rms_norm %c, %kv_w   ->
//
// What becomes what stands in passes/fusion/*.fusion, and in the files that a user loads.
//
// Requires: a verified graph. Preserves: what the graph computes, bit by bit under `numerics = exact`.

#include <tandem/passes/apply_fusions.h>
#include <tandem/passes/pipeline.h>

namespace tandem {

PassResult pass::fuse(Graph& graph, PassContext& context) {
  return apply_fusions(graph, context, "fuse");
}

}  // namespace tandem
