// What a group of cuts should look like: its wanted intervals as a tree by containment, and the nodes that cut them so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/cut_groups.h>
#include <tandem/passes/rewrite.h>

namespace tandem {

class CutTree {
 public:
  /// Plans the rewrite of a group; changes nothing. Requires `groups.find_wanted(group)`.
  CutTree(Graph& graph, const CutGroups& groups, std::size_t group, ValueReplacer& replacer);

  /// Why the group must stay as it is; empty when nothing hinders.
  std::string_view obstacle() const { return obstacle_; }
  /// What in the group is in the way: "%a [0, 8) and %b [4, 12)".
  const std::string& example() const { return example_; }

  /// Cuts the wanted intervals anew and removes the old cuts. Requires that there is no obstacle.
  void rewrite();

 private:
  /// A wanted interval. Number 0 is the whole root, the others follow in order of start, larger before smaller.
  struct Interval {
    std::int64_t low = 0, high = 0;  // places of start and end on a line of integers
    Dim start, end;
    std::uint32_t region = CutGroups::none;  // the first of the equal ones; none: the root
    std::uint32_t parent = CutGroups::none;
    std::uint32_t first_child = CutGroups::none, next_sibling = CutGroups::none;
    Node place;   // where the node that cuts it goes: before all that is cut from it now
    Value value;  // the new one
  };
  /// A wanted region, and the interval that it is.
  struct Member {
    std::int64_t low, high;
    std::uint32_t region;
    std::uint32_t interval;
  };

  void collect_members();
  bool place_on_line();
  bool rank_symbolic_bounds();
  void merge_equal();
  void find_parents();
  void check_names();
  void cut(Interval& interval);
  std::string text_of(std::uint32_t region) const;

  Graph& graph_;
  const CutGroups& groups_;
  std::size_t group_;
  ValueReplacer& replacer_;
  std::string_view obstacle_;
  std::string example_;
  std::vector<Member> members_;  // sorted; equal ones together, the earliest in the graph first
  std::vector<Interval> intervals_;
};

}  // namespace tandem
