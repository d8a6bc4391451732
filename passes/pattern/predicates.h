// The named predicates of guards: `where constant(%w)`, `where not weight(%x)`.
#pragma once

#include <span>
#include <string_view>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>

namespace tandem {

/// A predicate over values of a match. It prints by its name, so that an explanation can say which one failed.
struct Predicate {
  std::string_view name;
  std::size_t arity;
  bool (*holds)(const Graph& graph, std::span<const Value> values);
  std::string_view doc;
};

/// All of them, by name.
TANDEM_PASSES_API std::span<const Predicate> predicates();
/// Null when there is none of that name.
TANDEM_PASSES_API const Predicate* find_predicate(std::string_view name);

}  // namespace tandem
