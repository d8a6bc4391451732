// Which sites a fusion missed, of all the runs that met them.
//
// A graph changes from run to run: a site of two slices is one of a split when the fusion looks again. Each site is
// told of in the run in which it came nearest; the last run decides which there are.
#pragma once

#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include <tandem/passes/explain_replay.h>
#include <tandem/passes/pattern/explain.h>

namespace tandem {

/// A run, and what it left of the fusion alone.
struct RunEnd {
  Graph graph;       ///< Sites that match are gone from it.
  CreatedNodes own;  ///< What the fusion made, in this run and those before.
};

/// A site that was missed, in the run (from 0) in which it came nearest.
struct MissedSite {
  std::size_t run;
  SiteExplanation site;
};

/// `matched`: nodes of sites that fired, or would have but for other fusions, in any run: not told of as missed.
std::vector<MissedSite> missed_sites(const CompiledSet& set, const std::vector<RunEnd>& runs, std::uint32_t pattern,
                                     std::uint32_t kernel_dtypes, const CreatedNodes& matched);

}  // namespace tandem
