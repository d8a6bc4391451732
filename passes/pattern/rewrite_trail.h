// Who makes what whom matches: kept once rewrites have become suspiciously many, so that those without an end can be
// told by the fusions that go round in a circle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tandem/ir/diagnostic.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/pattern/compiler.h>

namespace tandem {

class RewriteTrail {
 public:
  RewriteTrail(const CompiledSet& set, const Graph& graph) : set_(set), graph_(graph) {}

  /// Before a site is rewritten, while its nodes are there.
  void matched(std::span<const std::uint32_t> nodes);
  /// The site was rewritten by `fusion`.
  void rewritten(std::size_t fusion, std::span<const Node> created);

  /// "pattern.non-terminating": the fusions that (perhaps by way of others) match what they make themselves, with
  /// their places. Every endless run has such: a rewrite removes a node of its site, so what goes on for ever matches
  /// nodes that rewrites made.
  Diagnostic endless(std::size_t num_rewrites) const;

 private:
  using Step = std::pair<std::size_t, std::size_t>;  // makes, matches
  std::vector<std::size_t> in_a_circle() const;
  bool leads_to(std::size_t from, std::size_t to) const;

  const CompiledSet& set_;
  const Graph& graph_;
  std::unordered_map<std::uint32_t, std::size_t> made_by_;    // node, fusion
  std::vector<std::pair<std::size_t, std::string>> pending_;  // of the site at hand: the maker of a node, its op
  std::map<Step, std::string> steps_;                         // with the op of the first node that went that way
  std::size_t last_ = 0;
};

}  // namespace tandem
