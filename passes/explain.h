// Why a fusion fired in a pipeline, or did not.
//
//     FusionExplanation e = explain_fusion(graph, "mla_dual_rms_norm", config, capabilities, {.fusions = &fusions});
//     std::string text = to_text(e);   // or to_json(e): docs/explain.md has the fields
//
// The pipeline is run on a copy, so that what is explained is what the fusion really met: the graph as the passes
// before it left it. `fuse` stands in the pipeline more than once; what fired is told of every run, what did not of the
// last, each site as the run met it in which it came nearest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/export.h>
#include <tandem/ir/graph.h>
#include <tandem/passes/capabilities.h>
#include <tandem/passes/config.h>
#include <tandem/passes/pattern/explain.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>

namespace tandem {

/// Nodes of a site as lines of text, and where in the model they are.
struct DrawnSite {
  std::string name;   ///< The first result of its first node: "%qn".
  std::string scope;  ///< "model.layers.3.self_attn"; may be empty.
  std::vector<std::string> lines;
};

struct FusionExplanation {
  static constexpr int schema_version = 1;

  /// In one word; the details are below.
  enum class Verdict : std::uint8_t {
    fired,          ///< At least one site was rewritten.
    off,            ///< Its gate is closed.
    lost,           ///< Other fusions took all of its sites.
    near_misses,    ///< There are sites, and each has something in the way.
    no_candidates,  ///< The graph has nothing of the kind.
  };
  Verdict verdict = Verdict::no_candidates;
  std::string fusion;
  std::string doc;
  Span span;         ///< Of the fusion.
  std::string pass;  ///< The pass that applies it: "fuse" or "raise".
  std::string graph;
  std::string target;
  std::string pipeline;  ///< The passes that ran before its last run: "verify,dce,cse,fuse,splits".
  std::size_t runs = 0;  ///< How often that pass ran.
  bool on = false;
  std::string rule;  ///< By which it is on or off.
  std::vector<std::string> notes;
  std::size_t nodes = 0;  ///< Of the graph that the sites below are of.

  struct Fired {
    std::size_t run = 0;  ///< 1: the first run of the pass.
    DrawnSite before;
    std::vector<std::string> after;
  };
  std::vector<Fired> fired;

  struct Lost {
    std::size_t run = 0;
    std::string winner;
    DrawnSite site;
  };
  std::vector<Lost> lost;

  /// Sites at which a fusion that is off would have fired.
  std::vector<DrawnSite> would_fire;

  /// Ops that every variant of the match needs and the graph lacks.
  struct Absent {
    std::string op;
    Span span;
    std::vector<std::string> similar;  ///< "rsqrt (2 nodes, the first is %r): perhaps an rms_norm that is spelt out".
  };
  std::vector<Absent> absent;

  /// Sites that miss for the same reasons, drawn for the first of them.
  struct Missed {
    std::size_t run = 0;  ///< In which they came nearest; 1: the first run of the pass.
    int distance = 0;
    std::size_t unreached = 0;  ///< Nodes of the match that nothing leads to, because others are missing.
    std::vector<FailedPredicate> failures;
    DrawnSite example;
    std::vector<DrawnSite> sites;  ///< All of them, without lines.
  };
  std::vector<Missed> missed;

  /// How many sites there are of each kind, of which `at` leaves those of its node above.
  std::size_t num_fired = 0, num_lost = 0, num_would_fire = 0;

  /// With `at`: what was asked, and what is told of it. `missed` then holds that node's nearest reading alone.
  std::string at;
  std::string at_answer;
};

struct ExplainRequest {
  const FusionSet* fusions = nullptr;
  std::string passes{};  ///< As in PipelineOptions.
  std::string at{};      ///< "%qn", or the position of a node in the graph as the fusion met it; empty: all sites.
};

/// Throws Error "explain.unknown-fusion", "explain.unknown-node" (each with the nearest names), "explain.no-fuse" when
/// the pipeline applies no fusions, and what `run_pipeline` throws.
TANDEM_PASSES_API FusionExplanation explain_fusion(const Graph& graph, std::string_view fusion,
                                                   const PassConfig& config, const Capabilities& capabilities,
                                                   const ExplainRequest& request);

/// For people.
TANDEM_PASSES_API std::string to_text(const FusionExplanation& explanation);
/// For programs; docs/explain.md lists the fields.
TANDEM_PASSES_API std::string to_json(const FusionExplanation& explanation);

}  // namespace tandem
