// Graphs in which a fusion misses one site for one known reason: what explanations are measured with.
//
// Each graph has a few sites at which the fusion fires, one that has exactly one thing in the way, and nodes that have
// nothing to do with it, in random order with random dims, dtypes and spellings.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/passes/explain.h>

namespace tandem::test {

/// A graph, the fusion, and what the explanation has to say.
struct Planted {
  std::string graph;   ///< As text.
  std::string fusion;  ///< Its name.
  std::string_view target = "rocm:gfx942";
  OptLevel level = OptLevel::O1;
  std::string flag;              ///< "fuse_x=off", or empty.
  bool takes_rival = false;      ///< With the fusion of `rival_text` loaded.
  Cause cause = Cause::missing;  ///< Of the first failure at the first site that missed, where `verdict` is no answer.
  std::string mention;           ///< What that failure must speak of, in predicate or finding.
  std::string_view verdict;      ///< "off", "lost", "no-candidates": this, and `mention` in the rule or the text.
};

using Plant = Planted (*)(std::mt19937_64& random);

struct PlantKind {
  std::string_view name;
  Plant plant;
};

/// All kinds.
const std::vector<PlantKind>& plant_kinds();

/// The fusions that the graphs are about, besides the shipped ones.
extern const char* const planted_fusions_text;
/// One that takes the norms of the dual norm first.
extern const char* const rival_text;

/// Whether the explanation names the planted cause first.
bool names_cause(const Planted& planted, const FusionExplanation& explanation);

}  // namespace tandem::test
