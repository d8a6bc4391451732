// What of a variant does not hold at a site that was read softly (soft_matcher.h).
#pragma once

#include <vector>

#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>
#include <tandem/passes/pattern/explain.h>
#include <tandem/passes/pattern/soft_matcher.h>

namespace tandem {

/// Every predicate that fails, the gravest first: the obstacles of the match, then attributes, values, types, users and
/// guards. What follows from an obstacle (the type behind a cast that stands in between) is no failure of its own. Past
/// `enough` failures nobody wants to know: then there are that many and one at least, without all of their words.
std::vector<FailedPredicate> check_softly(const CompiledSet& set, const Graph& graph, const ValueNames& names,
                                          const CompiledVariant& variant, const SoftMatch& match,
                                          std::size_t enough = ~std::size_t{0});

/// In the words of an explanation: "silu (%s)".
std::string describe_node(const Graph& graph, const ValueNames& names, Node node);
/// "%x, an input"; "%q, a result of split".
std::string describe_value(const Graph& graph, const ValueNames& names, Value value);

/// The pattern's node in words: "rms_norm (%qn)".
std::string describe_node(const CompiledSet& set, const CompiledVariant& variant, std::size_t node);

}  // namespace tandem
