// Puts the wanted intervals of a group in order, nests them, and cuts them anew.

#include <tandem/passes/cut_tree.h>

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include <tandem/ir/builder.h>
#include <tandem/ir/diagnostic.h>

namespace tandem {

namespace {

// Symbolic bounds are compared pair by pair, and known orders kept as bits of a word.
constexpr std::size_t max_symbolic_bounds = 64;

}  // namespace

CutTree::CutTree(Graph& graph, const CutGroups& groups, std::size_t group, ValueReplacer& replacer)
    : graph_(graph), groups_(groups), group_(group), replacer_(replacer) {
  Interval root;
  root.end = groups.length(group);
  intervals_.push_back(root);
  collect_members();
  if (!place_on_line()) {
    obstacle_ = "the bounds of the parts cannot be put in order";
    example_ = members_.empty() ? std::string() : text_of(members_.front().region);
    return;
  }
  merge_equal();
  find_parents();
  if (obstacle_.empty()) {
    check_names();
  }
}

void CutTree::collect_members() {
  for (std::uint32_t c = groups_.first(group_); c != CutGroups::none; c = groups_.cut(c).next_in_group) {
    const CutGroups::Cut& cut = groups_.cut(c);
    for (std::uint32_t r = cut.first_region; r < cut.first_region + cut.num_regions; ++r) {
      if (groups_.region(r).wanted) {
        members_.push_back({0, 0, r, 0});
      }
    }
  }
}

/// Gives every bound an integer such that their order is that of the bounds. False when that order is not known.
bool CutTree::place_on_line() {
  Interval& root = intervals_.front();
  const auto place = [&](Dim bound) -> std::int64_t {
    if (bound == root.end) {
      return root.high;
    }
    return bound.is_constant() ? bound.constant() : -1;
  };
  root.high = root.end.is_constant() ? root.end.constant() : std::numeric_limits<std::int64_t>::max();
  bool all_known = true;
  for (Member& m : members_) {
    m.low = place(groups_.region(m.region).start);
    m.high = place(groups_.region(m.region).end);
    all_known = all_known && m.low >= 0 && m.high >= 0;
  }
  return all_known || rank_symbolic_bounds();
}

/// The place of a bound is the number of bounds that are not beyond it. What is known of two bounds: interval
/// arithmetic over the ranges of their symbols, and that every part starts before it ends and lies within the root.
bool CutTree::rank_symbolic_bounds() {
  std::vector<Dim> bounds{Dim(0), intervals_.front().end};
  const auto index_of = [&](Dim d) {
    return static_cast<std::size_t>(std::find(bounds.begin(), bounds.end(), d) - bounds.begin());
  };
  for (const Member& m : members_) {
    for (Dim d : {groups_.region(m.region).start, groups_.region(m.region).end}) {
      if (index_of(d) == bounds.size()) {
        bounds.push_back(d);
      }
    }
    if (bounds.size() > max_symbolic_bounds) {
      return false;
    }
  }
  std::array<std::uint64_t, max_symbolic_bounds> not_before{};  // bit j of [i]: bound i <= bound j
  const auto set = [&](std::size_t i, std::size_t j) { not_before[i] |= std::uint64_t{1} << j; };
  const auto is_set = [&](std::size_t i, std::size_t j) { return (not_before[i] >> j & 1U) != 0; };
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    set(0, i);
    set(i, 1);
  }
  for (const Member& m : members_) {
    set(index_of(groups_.region(m.region).start), index_of(groups_.region(m.region).end));
  }
  const auto range = [&](Symbol s) { return graph_.range(s); };
  try {
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const DimRange difference = tandem::bounds(bounds[i] - bounds[j], range);
        if (difference.min >= 0) {
          set(j, i);
        }
        if (difference.max <= 0) {
          set(i, j);
        }
      }
    }
  } catch (const Error&) {
    return false;  // a difference beyond what a dim can express ("dim.overflow", "dim.too-large")
  }
  for (std::size_t k = 0; k < bounds.size(); ++k) {
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      not_before[i] |= is_set(i, k) ? not_before[k] : 0;
    }
  }
  std::vector<std::int64_t> places(bounds.size(), 0);
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (is_set(i, j) == is_set(j, i)) {
        return false;  // nothing is known, or they are equal without being the same expression
      }
      ++places[is_set(j, i) ? i : j];
    }
  }
  intervals_.front().low = places[0];
  intervals_.front().high = places[1];
  for (Member& m : members_) {
    m.low = places[index_of(groups_.region(m.region).start)];
    m.high = places[index_of(groups_.region(m.region).end)];
  }
  return true;
}

void CutTree::merge_equal() {
  // Empty parts come before what starts where they are, so that they stand beside it and not within it.
  std::sort(members_.begin(), members_.end(), [](const Member& a, const Member& b) {
    const bool a_full = a.low != a.high, b_full = b.low != b.high;
    if (a.low != b.low) {
      return a.low < b.low;
    }
    if (a_full != b_full) {
      return b_full;
    }
    return a.high != b.high ? a.high > b.high : a.region < b.region;
  });
  for (Member& m : members_) {
    if (m.low == intervals_.front().low && m.high == intervals_.front().high) {
      continue;  // the whole root: interval 0
    }
    if (m.low != intervals_.back().low || m.high != intervals_.back().high) {
      Interval interval;
      interval.low = m.low;
      interval.high = m.high;
      interval.start = groups_.region(m.region).start;
      interval.end = groups_.region(m.region).end;
      interval.region = m.region;
      intervals_.push_back(interval);
    }
    m.interval = static_cast<std::uint32_t>(intervals_.size() - 1);
  }
}

/// Links every interval to the smallest that contains it, and finds where to cut each: `place`.
void CutTree::find_parents() {
  std::vector<std::uint32_t> open{0};
  for (std::uint32_t i = 1; i < intervals_.size(); ++i) {
    Interval& interval = intervals_[i];
    while (open.size() > 1 && intervals_[open.back()].high <= interval.low) {
      open.pop_back();
    }
    const Interval& container = intervals_[open.back()];
    if (interval.high > container.high) {
      obstacle_ = "parts overlap, and neither contains the other";
      example_ = fmt::format("{} and {}", container.region == CutGroups::none ? "all" : text_of(container.region),
                             text_of(interval.region));
      return;
    }
    interval.parent = open.back();
    open.push_back(i);
  }
  // Children come after their parents; walking backwards, each list of children ends up in order.
  for (std::uint32_t i = static_cast<std::uint32_t>(intervals_.size()); i-- > 1;) {
    Interval& interval = intervals_[i];
    Interval& parent = intervals_[interval.parent];
    interval.next_sibling = parent.first_child;
    parent.first_child = i;
    for (Node node : {groups_.cut(groups_.region(interval.region).cut).node, interval.place}) {
      if (node && (!parent.place || graph_.comes_before(node, parent.place))) {
        parent.place = node;
      }
    }
  }
}

/// Equal intervals become one value, which cannot bear the names of two outputs.
void CutTree::check_names() {
  const Member* named = nullptr;
  for (const Member& m : members_) {
    const Value value = groups_.region(m.region).value;
    if (!replacer_.is_named_output(value)) {
      continue;
    }
    if (m.interval == 0 || (named != nullptr && named->interval == m.interval)) {
      obstacle_ = "equal parts are outputs of the graph, which keep their names";
      example_ = text_of(m.region);
      return;
    }
    named = &m;
  }
}

std::string CutTree::text_of(std::uint32_t region) const {
  const CutGroups::Region& r = groups_.region(region);
  const Symbol name = graph_.name(r.value);
  return fmt::format("{}{}[{}, {})", name.empty() ? "" : "%", name.empty() ? "" : std::string(name.view()) + " ",
                     to_string(r.start), to_string(r.end));
}

void CutTree::rewrite() {
  std::vector<Node> old;
  for (std::uint32_t c = groups_.first(group_); c != CutGroups::none; c = groups_.cut(c).next_in_group) {
    old.push_back(groups_.cut(c).node);
  }
  intervals_.front().value = groups_.root(group_);
  for (Interval& interval : intervals_) {
    if (interval.first_child != CutGroups::none) {
      cut(interval);
    }
  }
  for (const Member& m : members_) {
    replacer_.replace(groups_.region(m.region).value, intervals_[m.interval].value);
  }
  for (auto node = old.rbegin(); node != old.rend(); ++node) {
    graph_.erase(*node);
  }
}

/// Creates the node that cuts the children out of an interval, with parts for what lies between them.
void CutTree::cut(Interval& interval) {
  GraphBuilder builder(graph_, interval.place);
  const std::uint32_t only = interval.first_child;
  const Interval& child = intervals_[only];
  const Attribute axis = Attribute::of(groups_.axis(group_));
  const Dim start = child.start - interval.start, end = child.end - interval.start;
  Node node;
  // A slice of symbolic bounds would trust them at run time; as parts of a split they are checked.
  if (child.next_sibling == CutGroups::none && start.is_constant() && end.is_constant()) {
    const Attribute attrs[] = {axis, Attribute::of(start), Attribute::of(end), Attribute::of(std::int64_t{1})};
    node = builder.node_with(op::slice, {&interval.value, 1}, attrs);
    intervals_[only].value = graph_.result(node, 0);
  } else {
    std::vector<Dim> sizes;
    std::vector<std::size_t> position;
    Dim at = interval.start;
    for (std::uint32_t c = only; c != CutGroups::none; c = intervals_[c].next_sibling) {
      if (intervals_[c].start != at) {
        sizes.push_back(intervals_[c].start - at);
      }
      position.push_back(sizes.size());
      sizes.push_back(intervals_[c].end - intervals_[c].start);
      at = intervals_[c].end;
    }
    if (at != interval.end) {
      sizes.push_back(interval.end - at);
    }
    const Attribute attrs[] = {axis, Attribute::of(graph_.context().shape(sizes))};
    node = builder.node_with(op::split, {&interval.value, 1}, attrs);
    std::size_t i = 0;
    for (std::uint32_t c = only; c != CutGroups::none; c = intervals_[c].next_sibling) {
      intervals_[c].value = graph_.result(node, position[i++]);
    }
  }
  graph_.set_scope(node, graph_.scope(interval.place));
}

}  // namespace tandem
