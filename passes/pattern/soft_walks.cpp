// From one node of the match to the next: along the values that they share, past what is in the way.
#include <algorithm>
#include <utility>

#include <tandem/passes/pattern/soft_matcher.h>

namespace tandem {

namespace {

constexpr std::size_t max_between = 3;   // nodes in a row that are looked past
constexpr std::size_t max_readers = 12;  // of one value, of one kind

/// One thing is in the way, however long it is; a little more than a shorter one.
int in_between_cost(std::size_t nodes) {
  return predicate_cost + static_cast<int>(nodes) - 1;
}

}  // namespace

/// The operand whose data a node of one result passes on, the others being known ahead of time; no_index when it is
/// not such a node.
std::uint32_t SoftMatcher::data_operand(std::uint32_t node) const {
  if (view_.num_results(node) != 1 || view_.num_operands(node) == 0 || view_.num_operands(node) > 3)
    return no_index;
  std::uint32_t data = no_index;
  for (std::uint32_t i = 0; i < view_.num_operands(node); ++i) {
    const std::uint32_t v = view_.operand(node, i);
    const std::uint32_t def = view_.def(v);
    const bool known = def == no_index ? graph_.is_weight(view_.value(v)) : view_.num_operands(def) == 0;
    if (known)
      continue;
    if (data != no_index)
      return no_index;
    data = i;
  }
  // A matrix product or a norm is a step of the model, not something in between.
  const OpDef& def = context_.op(view_.op(node));
  if (view_.num_operands(node) > 1 && !def.has(trait::elementwise))
    return no_index;
  return data;
}

std::vector<std::uint32_t> SoftMatcher::path_between(std::uint32_t from, std::uint32_t target) const {
  std::vector<std::uint32_t> path;
  for (std::uint32_t at = from; path.size() <= max_between;) {
    const std::uint32_t def = view_.def(at);
    if (def == no_index)
      return {};
    const std::uint32_t data = data_operand(def);
    if (data == no_index)
      return {};
    path.push_back(def);
    at = view_.operand(def, data);
    if (at == target)
      return path;
  }
  return {};
}

/// Whether a node that makes several values at once stands already for another node of this op: a split for slices.
bool SoftMatcher::is_stand_in(const SoftMatch& m, std::size_t node, std::uint32_t for_several) const {
  for (std::size_t i = 0; i < m.nodes.size() && view_.num_results(for_several) > 1; ++i) {
    if (m.nodes[i].node == for_several && m.nodes[i].foreign && v_.nodes[i].op == v_.nodes[node].op)
      return true;
  }
  return false;
}

void SoftMatcher::walk_up(const SoftMatch& m, std::size_t value) {
  const PatternValue& pv = v_.values[value];
  const auto node = static_cast<std::size_t>(pv.node);
  const PatternNode& n = v_.nodes[node];
  const std::uint32_t x = m.values[value];
  SoftObstacle obstacle{Cause::missing, pv.node, static_cast<int>(value), x, true, {}};

  auto is_it = [&](std::uint32_t v) {
    const std::uint32_t def = view_.def(v);
    return def != no_index && view_.op(def) == n.op && view_.result_index(v) == static_cast<std::uint32_t>(pv.result);
  };
  if (is_it(x)) {
    if (!is_taken(m, view_.def(x))) {
      bind(m, node, view_.def(x), false, -1);
      return;  // nothing else can be better: the value has one definition
    }
  }
  const std::uint32_t def = view_.def(x);
  if (def != no_index && is_stand_in(m, node, def)) {  // told of by the first
    SoftMatch next = m;
    ++next.cost;
    bind(std::move(next), node, def, true, -1);
    return;
  }
  if (m.obstacles.size() == most_obstacles_)
    return;
  auto with = [&](Cause cause, int cost, std::uint32_t known, std::vector<std::uint32_t> between) {
    SoftMatch next = m;
    next.cost += cost;
    obstacle.cause = cause;
    obstacle.between = std::move(between);
    next.obstacles.push_back(obstacle);
    next.values[value] = known;
    return next;
  };
  // Past nodes that stand in between. Where the node is there behind another, that one is hardly in its place.
  int least_of_other = 0;
  std::vector<std::uint32_t> between;
  for (std::uint32_t at = x; between.size() < max_between;) {
    const std::uint32_t d = view_.def(at);
    const std::uint32_t data = d == no_index || is_taken(m, d) ? no_index : data_operand(d);
    if (data == no_index)
      break;
    between.push_back(d);
    at = view_.operand(d, data);
    if (is_it(at) && !is_taken(m, view_.def(at))) {
      bind(with(Cause::in_between, in_between_cost(between.size()), at, between), node, view_.def(at), false, -1);
      least_of_other = in_between_cost(between.size()) + predicate_cost + 1;
      break;
    }
  }
  if (def != no_index && !is_taken(m, def)) {
    if (view_.op(def) == n.op) {
      bind(with(Cause::result_index, predicate_cost, no_index, {}), node, def, false, -1);
      // Perhaps the two results change places, wherever they are read.
      const std::uint32_t found = view_.result_index(x), wanted = static_cast<std::uint32_t>(pv.result);
      const int other = found < n.results.size() && found != wanted ? n.results[found] : -1;
      if (other >= 0 && wanted < view_.num_results(def)) {
        SoftMatch next = with(Cause::result_index, predicate_cost + 1, x, {});
        next.obstacles.back().exchanged = true;
        std::uint32_t& in_exchange = next.values[static_cast<std::size_t>(other)];
        if (in_exchange == no_index || in_exchange == view_.result(def, wanted)) {
          in_exchange = view_.result(def, wanted);
          bind(std::move(next), node, def, false, -1);
        }
      }
    } else if (can_stand_for(def)) {
      bind(with(Cause::other_op, std::max(cost_of_other(node, def), least_of_other), x, {}), node, def, true, -1);
    }
  }
  obstacle.between.clear();
  leave_out(m, node, obstacle);
}

void SoftMatcher::walk_down(const SoftMatch& m, std::size_t node, std::size_t operand) {
  const PatternNode& n = v_.nodes[node];
  const int value = n.operands[operand];
  const std::uint32_t x = m.values[static_cast<std::size_t>(value)];
  const OpDef& def = context_.op(n.op);
  const bool commutes = def.has(trait::commutative) && n.operands.size() >= 2 && n.operands[0] != n.operands[1];
  SoftObstacle obstacle{Cause::missing, static_cast<int>(node), value, x, false, {}};
  std::size_t tried = 0;
  auto with = [&](Cause cause, int cost, std::vector<std::uint32_t> between) {
    SoftMatch next = m;
    next.cost += cost;
    obstacle.cause = cause;
    obstacle.between = std::move(between);
    next.obstacles.push_back(obstacle);
    return next;
  };
  /// Readers of `v` by the op and operand that the pattern wants.
  auto readers = [&](std::uint32_t v, auto&& found) {
    for (std::uint32_t u = view_.first_use(v); u != no_index && tried < max_readers; u = view_.next_use(u)) {
      const std::uint32_t user = view_.user(u);
      if (user == 0 || view_.op(user) != n.op || is_taken(m, user))
        continue;
      const std::uint32_t k = view_.user_operand(u);
      if (k != operand && !(commutes && k < 2 && operand < 2))
        continue;
      ++tried;
      found(user, commutes && operand < 2 ? (k != operand ? 1 : 0) : 0);
    }
  };
  readers(x, [&](std::uint32_t user, int crossed) { bind(m, node, user, false, crossed); });
  const bool plain = tried != 0;
  for (std::uint32_t u = view_.first_use(x); !plain && u != no_index; u = view_.next_use(u)) {
    const std::uint32_t user = view_.user(u);
    if (user == 0 || n.results.size() != 1 || n.results[0] < 0 || !is_stand_in(m, node, user))
      continue;
    for (std::uint32_t r = 0; r < view_.num_results(user); ++r) {
      const std::uint32_t result = view_.result(user, r);
      if (std::find(m.values.begin(), m.values.end(), result) != m.values.end())
        continue;
      SoftMatch next = m;
      ++next.cost;
      next.values[static_cast<std::size_t>(n.results[0])] = result;
      bind(std::move(next), node, user, true, 0);
    }
  }
  if (m.obstacles.size() == most_obstacles_)
    return;

  // Swapped operands of an op that is not commutative.
  if (!commutes && def.operands.size() == 2 && operand < 2 && n.operands.size() == 2) {
    for (std::uint32_t u = view_.first_use(x); u != no_index && tried < max_readers; u = view_.next_use(u)) {
      const std::uint32_t user = view_.user(u);
      if (user == 0 || view_.op(user) != n.op || is_taken(m, user) || view_.user_operand(u) != 1 - operand)
        continue;
      ++tried;
      bind(m, node, user, false, 1);
    }
  }
  // Past nodes that stand in between. One that leads to the node is hardly in its place.
  std::vector<std::pair<std::uint32_t, int>> least_of_other;
  struct Path {
    std::uint32_t value;
    std::vector<std::uint32_t> nodes;
  };
  std::vector<Path> paths = {{x, {}}};
  for (std::size_t i = 0; i < paths.size() && i < max_readers; ++i) {
    if (paths[i].nodes.size() == max_between)
      break;
    for (std::uint32_t u = view_.first_use(paths[i].value); u != no_index; u = view_.next_use(u)) {
      const std::uint32_t user = view_.user(u);
      if (user == 0 || is_taken(m, user) || paths.size() >= max_readers)
        continue;
      const std::uint32_t data = data_operand(user);
      if (data == no_index || view_.user_operand(u) != data)
        continue;
      Path next = paths[i];
      next.nodes.push_back(user);
      next.value = view_.result(user, 0);
      paths.push_back(next);
      tried = 0;
      readers(next.value, [&](std::uint32_t reader, int crossed) {
        least_of_other.emplace_back(next.nodes.front(), in_between_cost(next.nodes.size()) + predicate_cost + 1);
        bind(with(Cause::in_between, in_between_cost(next.nodes.size()), next.nodes), node, reader, false, crossed);
      });
    }
  }
  // Another op in its place.
  if (!plain) {
    tried = 0;
    for (std::uint32_t u = view_.first_use(x); u != no_index && tried < max_readers / 2; u = view_.next_use(u)) {
      const std::uint32_t user = view_.user(u);
      if (user == 0 || view_.op(user) == n.op || !can_stand_for(user) || is_taken(m, user) ||
          view_.user_operand(u) != operand) {
        continue;
      }
      ++tried;
      int cost = cost_of_other(node, user);
      for (const auto& [first, least] : least_of_other)
        cost = first == user ? std::max(cost, least) : cost;
      bind(with(Cause::other_op, cost, {}), node, user, true, 0);
    }
  }
  obstacle.between.clear();
  leave_out(m, node, obstacle);
}

}  // namespace tandem
