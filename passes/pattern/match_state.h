// What a match bound, and how its values are found from that.
#pragma once

#include <cstdint>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/program.h>

namespace tandem {

/// The index of a bound value of a match.
inline std::uint32_t value_index(const GraphView& view, const MatchState& state, ValueRef ref) {
  const std::uint32_t node = state.nodes[ref.node];
  if (ref.is_result)
    return view.result(node, ref.index);
  const bool swap = ref.index < 2 && (state.swapped >> ref.node & 1U) != 0;
  return view.operand(node, swap ? 1U - ref.index : ref.index);
}

}  // namespace tandem
