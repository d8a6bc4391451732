// Finds the groups: one walk over the cuts in order, each joined to the group of what it cuts.

#include <tandem/passes/cut_groups.h>

#include <algorithm>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/rewrite.h>

namespace tandem {

CutGroups::CutGroups(const Graph& graph) : graph_(graph) {
  std::vector<Node> nodes;
  nodes.reserve(graph.count(op::split) + graph.count(op::slice));
  for (Node n = graph.first_of(op::split); n; n = graph.next_of_same_op(n)) {
    nodes.push_back(n);
  }
  for (Node n = graph.first_of(op::slice); n; n = graph.next_of_same_op(n)) {
    if (graph.attr(n, "step").integer() == 1) {
      nodes.push_back(n);
    }
  }
  if (nodes.size() < 2) {
    return;
  }
  std::sort(nodes.begin(), nodes.end(), [&](Node a, Node b) { return graph.comes_before(a, b); });
  region_of_value_.assign(graph.value_capacity(), none);
  first_group_of_value_.assign(graph.value_capacity(), none);
  cut_of_node_.assign(graph.node_capacity(), none);
  cuts_.reserve(nodes.size());
  regions_.reserve(nodes.size() * 2);
  for (Node n : nodes) {
    add_cut(n);
  }
}

std::uint32_t CutGroups::group_of_root(Value root, std::int64_t axis) {
  for (std::uint32_t g = first_group_of_value_[root.index]; g != none; g = groups_[g].next_of_root) {
    if (groups_[g].axis == axis) {
      return g;
    }
  }
  groups_.push_back({root, axis, none, none, first_group_of_value_[root.index]});
  first_group_of_value_[root.index] = static_cast<std::uint32_t>(groups_.size() - 1);
  return first_group_of_value_[root.index];
}

void CutGroups::add_cut(Node node) {
  const Value operand = graph_.operand(node, 0);
  const std::size_t rank = graph_.type(operand).shape.rank();
  const std::int64_t axis = axis_from_end(graph_.attr(node, "axis").integer(), rank);

  std::uint32_t parent = region_of_value_[operand.index];
  if (parent != none && groups_[cuts_[regions_[parent].cut].group].axis != axis) {
    parent = none;  // cut along another axis: the root of a group of its own
    nested_ = true;
  }
  const std::uint32_t group = parent == none ? group_of_root(operand, axis) : cuts_[regions_[parent].cut].group;
  const Dim base = parent == none ? Dim(0) : regions_[parent].start;

  const auto cut = static_cast<std::uint32_t>(cuts_.size());
  const auto first_region = static_cast<std::uint32_t>(regions_.size());
  try {
    add_regions(node, cut, base);
  } catch (const Error&) {  // bounds beyond what a dim can express ("dim.overflow", "dim.too-large"): not for us
    regions_.resize(first_region);
    return;
  }
  for (std::uint32_t r = first_region; r < regions_.size(); ++r) {
    region_of_value_[regions_[r].value.index] = r;
  }
  cuts_.push_back({node, group, parent, first_region, static_cast<std::uint32_t>(graph_.num_results(node)), none});
  (groups_[group].last == none ? groups_[group].first : cuts_[groups_[group].last].next_in_group) = cut;
  groups_[group].last = cut;
  cut_of_node_[node.index] = cut;
}

void CutGroups::add_regions(Node node, std::uint32_t cut, Dim base) {
  if (graph_.op(node) == op::slice) {
    const Dim start = base + graph_.attr(node, "start").dim(), end = base + graph_.attr(node, "end").dim();
    regions_.push_back({graph_.result(node, 0), cut, start, end});
    return;
  }
  Dim start = base;
  std::size_t i = 0;
  for (Dim size : graph_.attr(node, "sizes").dims()) {
    const Dim end = start + size;
    regions_.push_back({graph_.result(node, i++), cut, start, end});
    start = end;
  }
}

Dim CutGroups::length(std::size_t group) const {
  const Shape shape = graph_.type(root(group)).shape;
  return shape[shape.rank() - static_cast<std::size_t>(-groups_[group].axis)];
}

void CutGroups::find_wanted(std::size_t group) {
  for (std::uint32_t c = groups_[group].first; c != none; c = cuts_[c].next_in_group) {
    for (std::uint32_t r = cuts_[c].first_region; r < cuts_[c].first_region + cuts_[c].num_regions; ++r) {
      for (Use use : graph_.uses(regions_[r].value)) {
        // A node made since has the number of one that was erased: of a group that is done, never of this one.
        const std::uint32_t user = use.user.index < cut_of_node_.size() ? cut_of_node_[use.user.index] : none;
        if (user != none && cuts_[user].group == group) {
          ++regions_[r].num_cuts;
        } else {
          regions_[r].wanted = true;
        }
      }
    }
  }
}

bool CutGroups::is_canonical(std::size_t group) const {
  bool root_is_cut = false;
  const Dim length = this->length(group);
  for (std::uint32_t c = groups_[group].first; c != none; c = cuts_[c].next_in_group) {
    const std::uint32_t parent = cuts_[c].parent;
    if (parent == none ? root_is_cut : (!regions_[parent].wanted || regions_[parent].num_cuts > 1)) {
      return false;
    }
    root_is_cut = root_is_cut || parent == none;
    const Dim start = parent == none ? Dim(0) : regions_[parent].start;
    const Dim end = parent == none ? length : regions_[parent].end;
    for (std::uint32_t r = cuts_[c].first_region; r < cuts_[c].first_region + cuts_[c].num_regions; ++r) {
      if (regions_[r].wanted && regions_[r].start == start && regions_[r].end == end) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace tandem
