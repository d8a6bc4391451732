#include <tandem/passes/pattern/soft_matcher.h>

#include <algorithm>
#include <array>

namespace tandem {

namespace {

constexpr int step_budget = 3000;  // a site: layers of a model take some tens

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

/// Whether a node of the match reads the value.
bool SoftMatcher::is_read(int value) const {
  return std::any_of(v_.nodes.begin(), v_.nodes.end(), [&](const PatternNode& n) {
    return std::find(n.operands.begin(), n.operands.end(), value) != n.operands.end();
  });
}

/// Whether what the match has behind `pattern_value`, what defines it or reads it, is there behind `value`.
bool SoftMatcher::leads_on(std::uint32_t value, int pattern_value, bool upwards) const {
  if (upwards) {
    const int def = v_.values[static_cast<std::size_t>(pattern_value)].node;
    const std::uint32_t found = view_.def(value);
    return def >= 0 && found != no_index && view_.op(found) == v_.nodes[static_cast<std::size_t>(def)].op;
  }
  for (const PatternNode& n : v_.nodes) {
    if (std::find(n.operands.begin(), n.operands.end(), pattern_value) == n.operands.end())
      continue;
    for (std::uint32_t u = view_.first_use(value); u != no_index; u = view_.next_use(u)) {
      if (view_.user(u) != 0 && view_.op(view_.user(u)) == n.op)
        return true;
    }
  }
  return false;
}

/// Goes on without a node that is not there.
void SoftMatcher::leave_out(SoftMatch m, std::size_t node, SoftObstacle obstacle) {
  m.nodes[node].visited = true;
  const PatternNode& n = v_.nodes[node];
  obstacle.cause = Cause::missing;
  const int led_by = obstacle.upwards ? -1 : obstacle.value;
  m.obstacles.push_back(std::move(obstacle));
  // Perhaps just this node is left out, and what is around it is there: what reads it reads the data that it works on.
  const bool any_operand = context_.op(n.op).has(trait::elementwise);
  const bool one_result = n.results.size() == 1 && n.results[0] >= 0 && n.rest_operands < 0 && !n.rest_results;
  const std::size_t most = any_operand ? n.operands.size() : std::min<std::size_t>(1, n.operands.size());
  for (std::size_t k = 0; one_result && is_read(n.results[0]) && k < most; ++k) {
    const int operand = n.operands[k];
    const std::uint32_t in = m.values[static_cast<std::size_t>(operand)];
    const std::uint32_t out = m.values[static_cast<std::size_t>(n.results[0])];
    const bool tried =
        std::find(n.operands.begin(), n.operands.end(), operand) - n.operands.begin() < static_cast<std::ptrdiff_t>(k);
    if (tried || operand == n.results[0] || (led_by >= 0 && operand != led_by) || (in == no_index) == (out == no_index))
      continue;
    const std::uint32_t value = in == no_index ? out : in;
    if (n.operands.size() > 1 && !leads_on(value, in == no_index ? operand : n.results[0], in == no_index))
      continue;
    SoftMatch with = m;
    with.nodes[node].absent = true;
    with.values[static_cast<std::size_t>(operand)] = value;
    with.values[static_cast<std::size_t>(n.results[0])] = value;
    with.cost += predicate_cost + (n.operands.size() == 1 ? 1 : 2);
    go(with);
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

}  // namespace tandem
