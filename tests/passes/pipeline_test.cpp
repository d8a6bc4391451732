// The pipeline as a whole: what each level runs, in which order, and what it leaves of a graph.

#include <tandem/passes/pattern/fusion_set.h>

#include "tests/passes/pass_test_support.h"

using namespace tandem;
using namespace tandem::test;

namespace {

constexpr std::string_view latents = R"(
  graph @latents(%x: bf16[T, 7168], %w: bf16[2112, 7168], %qw: bf16[1536], %cw: bf16[512]) {
    %p = linear %x, %w
    %i = identity %p
    %q, %kv = split %i {axis = 1, sizes = [1536, 576]}
    %q2, %kv2 = split %p {axis = 1, sizes = [1536, 576]}
    %c, %pe = split %kv2 {axis = 1, sizes = [512, 64]}
    %dead = neg %c
    %qn = rms_norm %q, %qw {eps = 1e-06}
    %cn = rms_norm %c, %cw {eps = 1e-06}
    return %qn, %cn, %pe
  })";

DecisionReport run(Graph& graph, OptLevel level, PipelineOptions options = {}) {
  PassConfig config;
  config.level = level;
  return run_pipeline(graph, config, parse_target("rocm:gfx942"), options);
}

}  // namespace

TEST_CASE("O0 verifies and changes nothing") {
  Graph g = parse(latents);
  const DecisionReport report = run(g, OptLevel::O0);
  CHECK(first_difference(to_text(parse(latents)), to_text(g)) == "");
  CHECK(report.pipeline == "verify,raise,fuse,fuse,verify");  // each fusion has a level of its own
}

TEST_CASE("O1 leaves the latents in their canonical form") {
  Graph g = parse(latents);
  const DecisionReport report = run(g, OptLevel::O1);
  CHECK(first_difference(to_text(parse(R"(
  graph @latents(%x: bf16[T, 7168], %w: bf16[2112, 7168], %qw: bf16[1536], %cw: bf16[512]) {
    %p = linear %x, %w
    %q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}
    %qn = rms_norm %q, %qw {eps = 1e-06}
    %cn = rms_norm %c, %cw {eps = 1e-06}
    return %qn, %cn, %pe
  })")),
                         to_text(g)) == "");
  CHECK(report.nodes_before == 8);
  CHECK(report.nodes_after == 4);
  CHECK(report.matches("noops") == 1);
  CHECK(report.matches("cse") == 1);
  CHECK(report.matches("splits") == 1);
}

TEST_CASE("a flag turns its pass off in every row that it has") {
  Graph g = parse(latents);
  PassConfig config;
  config.flags["eliminate_dead_code"] = Toggle::off;
  const DecisionReport report = run_pipeline(g, config, parse_target("rocm:gfx942"));
  for (const PassReport& pass : report.passes) {
    CHECK(pass.on == (pass.name != "dce"));
  }
  CHECK(report.find("dce")->rule == "eliminate_dead_code = off");
}

TEST_CASE("a pipeline of one's own runs whatever the level") {
  Graph g = parse(latents);
  PipelineOptions options;
  options.passes = "cse,dce";
  const DecisionReport report = run(g, OptLevel::O0, options);
  CHECK(report.pipeline == "cse,dce");
  CHECK(report.passes.size() == 2);
  CHECK(report.find("cse")->rule == "asked for");
}

TEST_CASE("a fusion that is forced on runs at every level, and one that is off at none") {
  const auto fused = [](OptLevel level, Toggle toggle) {
    Graph g = parse(latents);
    const FusionSet fusions = FusionSet::shipped(g.shared_context());
    PipelineOptions options;
    options.fusions = &fusions;
    PassConfig config;
    config.level = level;
    config.flags["fuse_mla_dual_rms_norm"] = toggle;
    return run_pipeline(g, config, parse_target("rocm:gfx942"), options).matches("mla_dual_rms_norm");
  };
  CHECK(fused(OptLevel::O1, Toggle::automatic) == 1);
  CHECK(fused(OptLevel::O1, Toggle::off) == 0);
  CHECK(fused(OptLevel::O0, Toggle::automatic) == 0);
  Graph g = parse(R"(
  graph @plain(%q: bf16[T, 1536], %c: bf16[T, 512]) {
    return %q, %c
  })");
  const FusionSet fusions = FusionSet::shipped(g.shared_context());
  PipelineOptions options;
  options.fusions = &fusions;
  PassConfig config;
  config.level = OptLevel::O0;
  config.flags["fuse_mla_dual_rms_norm"] = Toggle::on;
  CHECK(run_pipeline(g, config, parse_target("rocm:gfx942"), options).find("mla_dual_rms_norm")->on);
}

TEST_CASE("a fusion without a kernel that is forced on is an error before anything is changed") {
  Graph g = parse(latents);
  const std::uint64_t edits = g.edit_count();
  const FusionSet fusions = FusionSet::shipped(g.shared_context());
  PipelineOptions options;
  options.fusions = &fusions;
  PassConfig config;
  config.flags["fuse_mla_dual_rms_norm"] = Toggle::on;
  try {
    run_pipeline(g, config, parse_target("cuda:sm_80"), options);
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.diagnostics().front().code == "gate.no-kernel");
  }
  CHECK(g.edit_count() == edits);
}

TEST_CASE("a broken graph is refused") {
  Graph g = parse(latents);
  g.set_type(g.output(0), g.context().type(DType::f32, {1}));
  CHECK_THROWS_AS(run(g, OptLevel::O1), Error);
}

TEST_CASE("every row of the table can be asked for, and says what it does and why it stands there") {
  for (const PassRow& row : pipeline_table()) {
    INFO(row.name);
    CHECK(pass_named(row.name).doc == row.doc);
    CHECK_FALSE(row.doc.empty());
    CHECK_FALSE(row.why.empty());
  }
}
