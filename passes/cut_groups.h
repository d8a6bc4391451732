// Which cuts of a graph belong together: all splits and slices that go back to one value along one axis.
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/ir/graph.h>

namespace tandem {

/// Every group of cuts of a graph, in the order of their first cuts. Group, cut and region numbers are positions.
class CutGroups {
 public:
  static constexpr std::uint32_t none = no_index;

  /// One result of a cut: [start, end) of its group's root along its group's axis.
  struct Region {
    Value value;
    std::uint32_t cut;
    Dim start, end;
    bool wanted = false;         ///< Used by other than cuts of the group. Set by `find_wanted`.
    std::uint32_t num_cuts = 0;  ///< Cuts of the group that take it. Set by `find_wanted`.
  };
  /// A split or slice.
  struct Cut {
    Node node;
    std::uint32_t group;
    std::uint32_t parent;  ///< The region that it cuts; `none`: the root.
    std::uint32_t first_region;
    std::uint32_t num_regions;
    std::uint32_t next_in_group;
  };

  explicit CutGroups(const Graph& graph);

  std::size_t size() const { return groups_.size(); }
  /// True when nothing can be coalesced: at most one cut.
  bool is_single(std::size_t group) const { return groups_[group].first == groups_[group].last; }
  /// The cuts of a group along the order of the graph, chained by `next_in_group`.
  std::uint32_t first(std::size_t group) const { return groups_[group].first; }
  const Cut& cut(std::uint32_t i) const { return cuts_[i]; }
  const Region& region(std::uint32_t i) const { return regions_[i]; }
  Node first_cut(std::size_t group) const { return cuts_[groups_[group].first].node; }
  /// The value that the group cuts. It may have been replaced since the groups were found: the graph knows.
  Value root(std::size_t group) const { return graph_.operand(first_cut(group), 0); }
  std::int64_t axis(std::size_t group) const { return groups_[group].axis; }

  /// Of the root along the group's axis.
  Dim length(std::size_t group) const;

  /// True when a region of one group is the root of another.
  bool is_nested() const { return nested_; }

  /// Marks the regions of a group that have users other than its cuts.
  void find_wanted(std::size_t group);
  /// True when every cut of the group takes the root or a wanted region, takes a proper part of it, and is the only one
  /// to do so. Requires `find_wanted`.
  bool is_canonical(std::size_t group) const;

 private:
  struct Group {
    Value root;
    std::int64_t axis;
    std::uint32_t first, last;   // cuts
    std::uint32_t next_of_root;  // the next group of the same root, along another axis
  };

  void add_cut(Node node);
  void add_regions(Node node, std::uint32_t cut, Dim base);
  std::uint32_t group_of_root(Value root, std::int64_t axis);

  const Graph& graph_;
  std::vector<Cut> cuts_;
  std::vector<Region> regions_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> region_of_value_;
  std::vector<std::uint32_t> first_group_of_value_;
  std::vector<std::uint32_t> cut_of_node_;
  bool nested_ = false;
};

}  // namespace tandem
