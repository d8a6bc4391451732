// What must hold of a variant as a whole: what its new nodes read is still there, all hangs together, within limits.
#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/pattern/resolver.h>

namespace tandem {

// --- the whole
// -------------------------------------------------------------------------------------------------------------
/// New nodes may read inputs and kept or recomputed values only: all others are gone afterwards.
void Resolver::check_use() {
  auto check = [&](const RewriteOperand& o, const Span& span) {
    if (o.kind != RewriteOperand::Kind::matched || o.value < 0)
      return;
    const PatternValue& value = v_.values[static_cast<std::size_t>(o.value)];
    if (value.node < 0 || static_cast<std::size_t>(value.node) >= v_.nodes.size())
      return;
    const PatternNode& node = v_.nodes[static_cast<std::size_t>(value.node)];
    if (!node.keep && !node.recompute) {
      problem(span, "pattern.removed-value",
              fmt::format("'%{}' is computed by a node that the rewrite removes", value.name),
              fmt::format("write 'keep' in front of the node that defines '%{}'", value.name));
    }
  };
  for (const RewriteStep& s : v_.rewrite) {
    for (const RewriteOperand& o : s.operands)
      check(o, s.span);
  }
  for (const auto& [old, o] : v_.replacements)
    check(o, v_.source.pattern.span);
  for (const PatternNode& n : v_.nodes) {
    for (const int operand : n.operands) {
      if (n.keep)
        check_kept_operand(n, operand);
    }
  }
  for (const InputPattern& in : v_.source.pattern.inputs) {
    const PatternValue& value = v_.values[static_cast<std::size_t>(value_ids_.at(in.name))];
    if (value.inner_uses == 0) {
      problem(in.span, "pattern.unused-value", fmt::format("input '%{}' is used by no matched node", in.name));
    }
  }
}

/// What a kept node reads must still be there afterwards, itself or what replaces it.
void Resolver::check_kept_operand(const PatternNode& kept, int operand) {
  const PatternValue& value = v_.values[static_cast<std::size_t>(operand)];
  if (value.replaced || value.node < 0 || static_cast<std::size_t>(value.node) >= v_.nodes.size())
    return;
  const PatternNode& def = v_.nodes[static_cast<std::size_t>(value.node)];
  if (def.recompute) {  // it stays for the kept node, and so must what it reads
    for (const int o : def.operands)
      check_kept_operand(kept, o);
  } else if (!def.keep) {
    problem(kept.source->span, "pattern.removed-value",
            fmt::format("a kept node reads '%{}', which is computed by a node that the rewrite removes", value.name),
            fmt::format("keep the node that defines '%{0}' as well, or say what replaces it: %{0} = ...", value.name));
  }
}

/// All nodes must hang together by shared values: else the engine would have to try every pair.
void Resolver::check_connected() {
  if (v_.nodes.empty() || !problems_.empty())
    return;
  std::vector<std::size_t> group(v_.nodes.size());
  for (std::size_t i = 0; i < group.size(); ++i)
    group[i] = i;
  auto find_group = [&](std::size_t i) {
    while (group[i] != i)
      i = group[i];
    return i;
  };
  std::map<int, std::size_t> first;
  for (std::size_t i = 0; i < v_.nodes.size(); ++i) {
    auto touch = [&](int value) {
      if (value < 0)
        return;
      const auto [it, added] = first.emplace(value, i);
      if (!added)
        group[find_group(i)] = find_group(it->second);
    };
    for (int o : v_.nodes[i].operands)
      touch(o);
    for (int r : v_.nodes[i].results)
      touch(r);
  }
  for (std::size_t i = 1; i < v_.nodes.size(); ++i) {
    if (find_group(i) != find_group(0)) {
      problem(v_.nodes[i].source->span, "pattern.disconnected",
              fmt::format("'{}' shares no value with the rest of the match", v_.nodes[i].source->op),
              "every matched node must be reachable from every other through values of the match");
      return;
    }
  }
}

void Resolver::check_limits() {
  auto limit = [&](std::size_t n, std::size_t most, std::string_view what) {
    if (n > most) {
      problem(v_.source.pattern.span, "pattern.too-large",
              fmt::format("{} {}, at most {} are possible", n, what, most));
    }
  };
  limit(v_.nodes.size(), max_pattern_nodes, "nodes");
  limit(v_.captures.size(), max_pattern_captures, "captures");
  limit(v_.dims.size(), max_pattern_dims, "dims");
  limit(v_.types.size(), max_pattern_types, "type variables");
  limit(v_.leading.size(), max_pattern_leading, "named leading dims");
  for (const PatternNode& n : v_.nodes) {
    limit(n.operands.size(), 200, "operands");
    limit(n.results.size(), 200, "results");
  }
}

}  // namespace tandem
