#include <tandem/passes/pattern/soft_matcher.h>

#include <algorithm>
#include <array>

namespace tandem {

namespace {

constexpr int step_budget = 3000;        // a site: layers of a model take some tens
constexpr std::size_t max_between = 3;   // nodes in a row that are looked past
constexpr std::size_t max_readers = 12;  // of one value, of one kind

/// One thing is in the way, however long it is; a little more than a shorter one.
int in_between_cost(std::size_t nodes) {
  return predicate_cost + static_cast<int>(nodes) - 1;
}

}  // namespace

std::size_t SoftMatch::num_bound() const {
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [](const SoftBinding& b) { return b.node != no_index && !b.foreign; }));
}

std::size_t SoftMatch::num_unreached() const {
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [](const SoftBinding& b) { return !b.visited; }));
}

void SoftMatcher::search(std::size_t pattern_node, Node node, const Limits& limits, Sink& sink) {
  sink_ = &sink;
  limit_ = limits.cost;
  most_obstacles_ = limits.obstacles;
  if (most_obstacles_ == 1 && is_alone(pattern_node, node.index))
    return;
  budget_ = step_budget;
  SoftMatch m;
  m.nodes.resize(v_.nodes.size());
  m.values.assign(v_.values.size(), no_index);
  const PatternNode& n = v_.nodes[pattern_node];
  const bool foreign = view_.op(node.index) != n.op;
  if (foreign && !can_stand_for(node.index))
    return;
  if (foreign) {
    int value = -1;
    std::uint32_t at = no_index;
    for (std::size_t r = 0; r < n.results.size() && r < graph_.num_results(node) && value < 0; ++r) {
      value = n.results[r];
      at = view_.result(node.index, static_cast<std::uint32_t>(r));
    }
    if (value < 0)
      return;
    m.obstacles.push_back({Cause::other_op, static_cast<int>(pattern_node), value, at, true, {}});
    m.cost = cost_of_other(pattern_node, node.index);
  }
  bind(std::move(m), pattern_node, node.index, foreign, -1);
}

/// Whether a node can be what stands in another's place: not a constant, and not what a fusion made.
bool SoftMatcher::can_stand_for(std::uint32_t node) const {
  return view_.num_operands(node) != 0 && !context_.op(view_.op(node)).has(trait::fused);
}

/// Whether more than one of the pattern's nodes next to `pattern_node` is not next to `node`: then more than one thing
/// is in the way, however the rest is read.
bool SoftMatcher::is_alone(std::size_t pattern_node, std::uint32_t node) const {
  const PatternNode& n = v_.nodes[pattern_node];
  std::size_t lacking = 0;
  int known_lacking = -1;  // one node may be next to it by two edges
  const auto lacks = [&](int neighbour) {
    lacking += neighbour != known_lacking ? 1 : 0;
    known_lacking = neighbour;
  };
  const bool any_order = n.operands.size() >= 2 && view_.num_operands(node) >= 2;
  for (std::size_t k = 0; k < n.operands.size(); ++k) {
    const int def = v_.values[static_cast<std::size_t>(n.operands[k])].node;
    if (def < 0)
      continue;
    const auto is_there = [&](std::size_t operand) {
      const std::uint32_t d = operand < view_.num_operands(node)
                                  ? view_.def(view_.operand(node, static_cast<std::uint32_t>(operand)))
                                  : no_index;
      return d != no_index && view_.op(d) == v_.nodes[static_cast<std::size_t>(def)].op;
    };
    if (!is_there(k) && !(any_order && k < 2 && is_there(1 - k)))
      lacks(def);
  }
  for (std::size_t i = 0; i < v_.nodes.size() && lacking < 2; ++i) {
    for (const int operand : v_.nodes[i].operands) {
      const PatternValue& value = v_.values[static_cast<std::size_t>(operand)];
      if (value.node != static_cast<int>(pattern_node) || i == pattern_node)
        continue;
      const auto result = static_cast<std::uint32_t>(value.result);
      bool found = false;
      for (std::uint32_t u = result < view_.num_results(node) ? view_.first_use(view_.result(node, result)) : no_index;
           u != no_index && !found; u = view_.next_use(u))
        found = view_.user(u) != 0 && view_.op(view_.user(u)) == v_.nodes[i].op;
      if (!found)
        lacks(static_cast<int>(i));
    }
  }
  return lacking > 1;
}

int SoftMatcher::cost_of_other(std::size_t node, std::uint32_t other) const {
  const PatternNode& n = v_.nodes[node];
  const OpDef &wanted = context_.op(n.op), &found = context_.op(view_.op(other));
  if (found.has(trait::view) && !wanted.has(trait::view))
    return view_instead_cost;
  const bool alike = view_.num_operands(other) == n.operands.size() && view_.num_results(other) == n.results.size() &&
                     wanted.has(trait::elementwise) == found.has(trait::elementwise) &&
                     wanted.has(trait::view) == found.has(trait::view);
  return alike ? other_op_cost : unlike_op_cost;
}

bool SoftMatcher::is_taken(const SoftMatch& m, std::uint32_t node) const {
  return std::any_of(m.nodes.begin(), m.nodes.end(), [&](const SoftBinding& b) { return b.node == node; });
}

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

/// Binds a node and goes on. `crossed`: 0 or 1 when the order of its first two operands is known, else -1.
void SoftMatcher::bind(SoftMatch m, std::size_t node, std::uint32_t to, bool foreign, int crossed) {
  const PatternNode& n = v_.nodes[node];
  SoftBinding& b = m.nodes[node];
  b.visited = true;
  b.node = to;
  b.foreign = foreign;
  for (std::size_t r = 0; r < n.results.size() && r < view_.num_results(to); ++r) {
    const int id = n.results[r];
    if (id >= 0 && m.values[static_cast<std::size_t>(id)] == no_index)
      m.values[static_cast<std::size_t>(id)] = view_.result(to, static_cast<std::uint32_t>(r));
  }
  const OpDef& def = context_.op(n.op);
  const bool two = n.operands.size() >= 2 && n.operands[0] != n.operands[1] && view_.num_operands(to) >= 2;
  auto read = [&](SoftMatch with, bool swapped) {
    with.nodes[node].swapped = swapped;
    for (std::size_t k = 0; k < n.operands.size(); ++k) {
      std::uint32_t& value = with.values[static_cast<std::size_t>(n.operands[k])];
      const std::size_t j = swapped && k < 2 ? 1 - k : k;
      if (value == no_index && j < view_.num_operands(to))
        value = view_.operand(to, static_cast<std::uint32_t>(j));
    }
    go(with);
  };
  if (!two) {
    read(std::move(m), false);
    return;
  }
  if (def.has(trait::commutative) && !foreign) {
    if (crossed != 1)
      read(m, false);
    if (crossed != 0)
      read(std::move(m), true);
    return;
  }
  if (crossed != 1)
    read(m, false);
  if (foreign || crossed == 0 || def.operands.size() != 2)
    return;
  m.obstacles.push_back({Cause::operand_order, static_cast<int>(node), -1, no_index, false, {}});
  m.cost += predicate_cost;
  read(std::move(m), true);
}

/// Goes on without a node that is not there.
void SoftMatcher::leave_out(SoftMatch m, std::size_t node, SoftObstacle obstacle) {
  m.nodes[node].visited = true;
  const PatternNode& n = v_.nodes[node];
  const bool one_to_one = n.operands.size() == 1 && n.results.size() == 1 && n.rest_operands < 0 && !n.rest_results &&
                          n.results[0] >= 0 && n.operands[0] != n.results[0];
  obstacle.cause = Cause::missing;
  m.obstacles.push_back(std::move(obstacle));
  if (one_to_one) {  // perhaps just this node is left out, and what is around it is there
    std::uint32_t& in = m.values[static_cast<std::size_t>(n.operands[0])];
    std::uint32_t& out = m.values[static_cast<std::size_t>(n.results[0])];
    if (in == no_index || out == no_index) {
      SoftMatch with = m;
      with.nodes[node].absent = true;
      const std::uint32_t value = in == no_index ? out : in;
      with.values[static_cast<std::size_t>(n.operands[0])] = value;
      with.values[static_cast<std::size_t>(n.results[0])] = value;
      with.cost += predicate_cost + 1;
      go(with);
    }
  }
  m.cost += missing_cost;
  go(m);
}

void SoftMatcher::go(SoftMatch& m) {
  if (m.cost >= limit_ || m.obstacles.size() > most_obstacles_ || --budget_ < 0)
    return;
  // What defines a known value: no choice as a rule.
  for (std::size_t i = 0; i < v_.values.size(); ++i) {
    const int def = v_.values[i].node;
    if (m.values[i] != no_index && def >= 0 && !m.nodes[static_cast<std::size_t>(def)].visited) {
      walk_up(m, i);
      return;
    }
  }
  // Who reads a known value: the fewest readers first.
  std::size_t best_node = v_.nodes.size(), best_operand = 0, fewest = 0;
  for (std::size_t i = 0; i < v_.nodes.size(); ++i) {
    if (m.nodes[i].visited)
      continue;
    for (std::size_t k = 0; k < v_.nodes[i].operands.size(); ++k) {
      const std::uint32_t value = m.values[static_cast<std::size_t>(v_.nodes[i].operands[k])];
      if (value == no_index)
        continue;
      const std::size_t readers = view_.num_uses(value);
      if (best_node == v_.nodes.size() || readers < fewest) {
        best_node = i;
        best_operand = k;
        fewest = readers;
      }
    }
  }
  if (best_node != v_.nodes.size()) {
    walk_down(m, best_node, best_operand);
    return;
  }
  SoftMatch whole = m;
  for (const SoftBinding& b : m.nodes)
    whole.cost += b.visited ? 0 : predicate_cost;  // beyond what is missing: could not be looked for
  leaf(whole);
}

void SoftMatcher::leaf(const SoftMatch& m) {
  if (m.cost < limit_)
    limit_ = std::min(limit_, sink_->take(m));
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
  const std::uint32_t def = view_.def(x);
  // Past nodes that stand in between.
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
      break;
    }
  }
  if (def != no_index && !is_taken(m, def)) {
    if (view_.op(def) == n.op) {
      bind(with(Cause::result_index, predicate_cost, no_index, {}), node, def, false, -1);
    } else if (can_stand_for(def)) {
      bind(with(Cause::other_op, cost_of_other(node, def), x, {}), node, def, true, -1);
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
  // Past nodes that stand in between.
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
      bind(with(Cause::other_op, cost_of_other(node, user), {}), node, user, true, 0);
    }
  }
  obstacle.between.clear();
  leave_out(m, node, obstacle);
}

}  // namespace tandem
