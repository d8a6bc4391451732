// Split and slice coalescing: one canonical form for the ways to cut a value along an axis.
//
//     %q, %kv = split %p {axis = -1, sizes = [1536, 576]}
//     %c, %pe = split %kv {axis = -1, sizes = [512, 64]}
//   ->
//     %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
//
//     %q = slice %p {axis = -1, start = 0, end = 1536}
//     %c = slice %p {axis = -1, start = 1536, end = 2048}
//   ->
//     %q, %c, %0 = split %p {axis = -1, sizes = [1536, 512, 64]}
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

// A rewrite of one group can bring work for a group that cuts its parts along another axis. Each round settles at least
// one level of such nesting; deeper than this no model nests them.
constexpr int max_rounds = 16;

void add_near_miss(std::vector<NearMiss>& misses, const CutTree& tree, std::string where) {
  const auto known =
      std::find_if(misses.begin(), misses.end(), [&](const NearMiss& m) { return m.predicate == tree.obstacle(); });
  if (known == misses.end()) {
    misses.push_back({std::string(tree.obstacle()), 1, tree.example(), std::move(where)});
  } else {
    ++known->count;
  }
}

struct Round {
  std::size_t candidates = 0;
  std::size_t matches = 0;
  bool nested = false;  ///< Whether a part of one group is cut by another.
  std::vector<NearMiss> near_misses;
};

Round coalesce(Graph& graph, ValueReplacer& replacer) {
  Round round;
  CutGroups groups(graph);
  round.nested = groups.is_nested();
  // From the last to the first: what a later group no longer needs is known when its root's group is looked at.
  for (std::size_t g = groups.size(); g-- > 0;) {
    if (groups.is_single(g)) {
      continue;
    }
    ++round.candidates;
    groups.find_wanted(g);
    if (groups.is_canonical(g)) {
      continue;
    }
    CutTree tree(graph, groups, g, replacer);
    if (tree.obstacle().empty()) {
      tree.rewrite();
      ++round.matches;
    } else {
      add_near_miss(round.near_misses, tree, describe(graph, groups.first_cut(g)));
    }
  }
  return round;
}

}  // namespace

PassResult pass::splits(Graph& graph, PassContext&) {
  PassResult result;
  const std::size_t respelled = write_axes_from_end(graph);
  if (respelled != 0) {
    result.notes.push_back(std::to_string(respelled) + " axes written from the end");
  }
  ValueReplacer replacer(graph);
  for (int i = 0; i < max_rounds; ++i) {
    Round round = coalesce(graph, replacer);
    result.candidates = i == 0 ? round.candidates : result.candidates + round.matches;
    result.matches += round.matches;
    result.near_misses = std::move(round.near_misses);
    if (round.matches == 0 || !round.nested) {
      break;
    }
  }
  result.changed = respelled != 0 || result.matches != 0;
  return result;
}

}  // namespace tandem
