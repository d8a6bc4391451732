// The order in which the nodes of a JSON document can be read.
#pragma once

#include <cstdint>
#include <vector>

#include <tandem/ir/io/json_problems.h>
#include <tandem/ir/io/text_map.h>

namespace simdjson::dom {
class array;
}  // namespace simdjson::dom

namespace tandem::io {

struct JsonOrder {
  std::vector<std::uint32_t> nodes;    ///< All; those in cycles, or after one, come last.
  TextMap<std::uint32_t> producer_of;  ///< The node that defines a name, the first if there are several.
};

/// Sorts nodes stably so that all operands are defined before they are used. Reports a cycle.
JsonOrder order_json_nodes(const simdjson::dom::array& nodes, JsonProblems& problems);

}  // namespace tandem::io
