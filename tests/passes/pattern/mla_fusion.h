// The shipped fusion of the MLA latents' norms, on graphs as text.
#pragma once

#include "tests/support/catch.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>
#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pipeline.h>

namespace tandem::test {

struct Outcome {
  std::size_t matches;
  std::string refusal;
  std::string text;
};

/// The engine alone, no normalisation first.
inline Outcome fuse(const std::string& text) {
  const auto context = Context::create();
  std::vector<Pattern> only = shipped_fusions();
  std::erase_if(only, [](const Pattern& p) { return p.name != "mla_dual_rms_norm"; });
  const FusionSet fusions(context, std::move(only));
  Graph graph = parse_text(context, text);
  const auto fusion = std::find_if(fusions.patterns().begin(), fusions.patterns().end(),
                                   [](const Pattern& p) { return p.name == "mla_dual_rms_norm"; });
  const auto index = static_cast<std::uint32_t>(fusion - fusions.patterns().begin());
  const ActivePattern active[] = {{.pattern = index}};
  const EngineResult result = run_patterns(fusions.compiled(), graph, active);
  verify_or_throw(graph);
  const FusionStatistics& s = result.fusions[index];
  CHECK(result.changed == (s.matches != 0));
  return {s.matches, s.refusals.empty() ? "" : s.refusals.begin()->first, to_text(graph)};
}

/// The whole O1 pipeline for gfx942.
inline std::int64_t fused_at_o1(const std::string& text) {
  const auto context = Context::create();
  const FusionSet fusions = FusionSet::shipped(context);
  Graph graph = parse_text(context, text);
  PipelineOptions options;
  options.fusions = &fusions;
  const DecisionReport report = run_pipeline(graph, PassConfig{}, parse_target("rocm:gfx942"), options);
  verify_or_throw(graph);
  return report.matches("mla_dual_rms_norm");
}

inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

inline constexpr const char* mla_inputs = "(%p: bf16[T, 2112], %q_w: bf16[1536], %kv_w: bf16[512])";

inline std::string graph_of(const std::string& body) {
  return std::string("graph @g") + mla_inputs + " {\n" + body + "}\n";
}

}  // namespace tandem::test
