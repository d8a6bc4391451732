// Split and slice coalescing: one canonical form for the ways to cut a value along an axis.
//
//     %q, %kv = split %p {axis = -1, sizes = [1536, 576]}      %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512,
//     64]} %c, %pe = split %kv {axis = -1, sizes = [512, 64]}   ->
//
//     %q = slice %p {axis = -1, start = 0, end = 1536}         the same, with a part for the gap [2048, 2112)
//     %c = slice %p {axis = -1, start = 1536, end = 2048}  ->
//
// All cuts (splits, and slices of step 1) that go back to one value along one axis form a group; each of their results
// is an interval of that value. Those that somebody uses, other than to cut them further, are wanted. Wanted intervals
// that are apart become the parts of one split, with parts for the gaps; one that lies within another (its whole is
// used, too) is cut from that one; a single one is a slice. Equal intervals become one value, so duplicate splits
// merge (vLLM #33967). Cuts along different axes are in different groups and never mix (vLLM #57299). Intervals that
// overlap without one containing the other, or whose bounds cannot be put in order, leave their group as it was.
// Axes are written from the end, whatever form they had.
//
// Requires: a verified graph. Preserves: every bit, the names of outputs, cuts of step > 1. Idempotent.
// Linear but for the sorting of each group.

#include <algorithm>

#include <tandem/passes/cut_groups.h>
#include <tandem/passes/cut_tree.h>
#include <tandem/passes/pipeline.h>
#include <tandem/passes/rewrite.h>

namespace tandem {

namespace {

/// 1 -> -1 for rank 2. Only the spelling changes.
bool write_axis_from_end(Graph& graph, Node node) {
  const std::int64_t axis = graph.attr(node, "axis").integer();
  if (axis < 0) {
    return false;
  }
  const std::size_t rank = graph.type(graph.operand(node, 0)).shape.rank();
  graph.set_attr(node, static_cast<std::size_t>(graph.def(node).find_attr("axis")),
                 Attribute::of(axis_from_end(axis, rank)));
  return true;
}

std::size_t write_axes_from_end(Graph& graph) {
  std::size_t changed = 0;
  for (OpId op : {op::split, op::slice}) {
    for (Node n = graph.first_of(op); n; n = graph.next_of_same_op(n)) {
      changed += write_axis_from_end(graph, n) ? 1 : 0;
    }
  }
  return changed;
}

}  // namespace

PassResult pass::splits(Graph& graph, PassContext&) {
  PassResult result;
  const std::size_t respelled = write_axes_from_end(graph);
  if (respelled != 0) {
    result.notes.push_back(std::to_string(respelled) + " axes written from the end");
  }
  CutGroups groups(graph);
  ValueReplacer replacer(graph);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (groups.is_single(g)) {
      continue;
    }
    ++result.candidates;
    groups.find_wanted(g);
    if (groups.is_canonical(g)) {
      continue;
    }
    CutTree tree(graph, groups, g, replacer);
    if (tree.obstacle().empty()) {
      tree.rewrite();
      ++result.matches;
      continue;
    }
    const Node cut = groups.first_cut(g);
    const auto known = std::find_if(result.near_misses.begin(), result.near_misses.end(),
                                    [&](const NearMiss& m) { return m.predicate == tree.obstacle(); });
    if (known == result.near_misses.end()) {
      result.near_misses.push_back({std::string(tree.obstacle()), 1, tree.example(), describe(graph, cut)});
    } else {
      ++known->count;
    }
  }
  result.changed = respelled != 0 || result.matches != 0;
  return result;
}

}  // namespace tandem
