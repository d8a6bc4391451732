// Where the nodes of a rewrite stand: behind all that they read and before all that read them.
#include <algorithm>

#include <fmt/format.h>

#include <tandem/passes/pattern/rewriter.h>

namespace tandem {

namespace {

/// How many nodes may have to move up for one rewrite. Sites that far apart are no fusion.
constexpr std::size_t max_moves = 4096;

}  // namespace

bool Rewriter::plan_place() {
  moves_.clear();
  // All operands are defined after `low`; no user of a new value stands before `high`.
  std::uint64_t low = 0;
  bool reads_removed = false;
  auto raise = [&](const Source& s) {
    if (s.created >= 0)
      return;
    if (const std::uint32_t def = view_.def(s.value); def != no_index) {
      low = std::max(low, view_.order(def));
      reads_removed |= is_removed(def);
    }
  };
  for (const Source& s : sources_)
    raise(s);
  for (const auto& [old, now] : replacements_)
    raise(now);
  if (reads_removed)  // an input of the match that another part of the match computes
    return refuse(Refusal::not_convex, "not convex: an operand of the new node is a replaced value");

  // A removed node that reads a replaced value and stands behind `high` goes without harm: it is erased.
  read_inside_ = false;
  std::uint32_t first_user = 0;  // the return node, which stands after all
  std::uint64_t high = view_.order(first_user);
  for (const auto& [old, now] : replacements_) {
    for (std::uint32_t use = view_.first_use(old); use != no_index; use = view_.next_use(use)) {
      const std::uint32_t user = view_.user(use);
      if (view_.order(user) >= high)
        continue;
      if (is_removed(user)) {
        read_inside_ = true;
      } else {
        high = view_.order(user);
        first_user = user;
      }
    }
  }
  before_ = first_user;
  if (low >= high)
    return collect_moves(high);
  // In place of the last node that goes, when it stands between; else right before the first user.
  std::uint64_t last = 0;
  std::uint32_t last_removed = 0;
  for (const std::uint32_t n : removed_) {
    if (view_.order(n) > last) {
      last = view_.order(n);
      last_removed = n;
    }
  }
  if (last > low && last < high)
    before_ = last_removed;
  return true;
}

bool Rewriter::collect_moves(std::uint64_t high) {
  // What the operands need from behind `high` moves up, unless it needs a value that is about to be replaced.
  visited_.resize(std::max(visited_.size(), graph_.node_capacity()), 0);
  if (++stamp_ == 0) {
    std::fill(visited_.begin(), visited_.end(), 0U);
    stamp_ = 1;
  }
  auto push = [&](std::uint32_t value) {
    const std::uint32_t def = view_.def(value);
    if (def == no_index || view_.order(def) < high || visited_[def] == stamp_)
      return;
    visited_[def] = stamp_;
    moves_.push_back(def);
  };
  for (const Source& s : sources_) {
    if (s.created < 0)
      push(s.value);
  }
  for (const auto& [old, now] : replacements_) {
    if (now.created < 0)
      push(now.value);
  }
  auto not_convex = [&](std::uint32_t n) {
    return refuse(
        Refusal::not_convex,
        fmt::format("not convex: an operand of the new node depends on {}, which depends on a replaced value",
                    view_.num_results(n) != 0 ? name_of(view_.result(n, 0)) : graph_.context().op(view_.op(n)).name));
  };
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    const std::uint32_t n = moves_[i];
    const OpDef& def = graph_.context().op(view_.op(n));
    if (n == before_ || is_removed(n))
      return not_convex(n);
    if (!def.has(trait::pure))
      return refuse(Refusal::effects, fmt::format("{} would have to move and has effects", def.name));
    if (moves_.size() > max_moves)
      return refuse(Refusal::too_far, "the matched nodes stand too far apart");
    for (std::uint32_t k = 0; k < view_.num_operands(n); ++k) {
      const std::uint32_t operand = view_.operand(n, k);
      if (const std::uint32_t source = view_.def(operand); source != no_index && is_removed(source))
        return not_convex(n);
      push(operand);
    }
  }
  std::sort(moves_.begin(), moves_.end(),
            [&](std::uint32_t a, std::uint32_t b) { return view_.order(a) < view_.order(b); });
  return true;
}

}  // namespace tandem
