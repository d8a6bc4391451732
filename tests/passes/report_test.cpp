// The decision report: text, JSON and expectations.

#include <tandem/passes/report.h>

#include <nlohmann/json.hpp>

#include "tests/support/catch.h"
#include "tests/support/golden.h"

using namespace tandem;

namespace {

/// A report with one of everything, and no time in it that changes from run to run.
DecisionReport sample() {
  DecisionReport r;
  r.graph = "deepseek_v3";
  r.target = "rocm:gfx942,aiter=0.1.16";
  r.flags = {{"eliminate_noops", Toggle::off}, {"fuse_mla_dual_rms_norm", Toggle::on}};
  r.aiter.present = true;
  r.aiter.version = "0.1.16";
  r.aiter.entry_points = {"aiter::fused_qk_rmsnorm(...)"};
  r.pipeline = "verify,fuse";
  r.nodes_before = 2623;
  r.nodes_after = 2562;
  r.seconds = 0.0005;

  PassReport verify;
  verify.name = "verify";
  verify.on = true;
  verify.rule = "O1 >= O0";
  verify.candidates = verify.nodes_before = verify.nodes_after = 2623;
  verify.seconds = 0.000125;
  PassReport noops;
  noops.name = "noops";
  noops.flag = "eliminate_noops";
  noops.rule = "eliminate_noops = off";
  noops.nodes_before = noops.nodes_after = 2623;
  PassReport fusion;
  fusion.name = "mla_dual_rms_norm";
  fusion.is_fusion = true;
  fusion.flag = "fuse_mla_dual_rms_norm";
  fusion.on = fusion.changed = true;
  fusion.rule = "fuse_mla_dual_rms_norm = on, fused_mla_dual_rms_norm from hip (bf16), aiter (f16)";
  fusion.providers = {{DType::bf16, "hip"}, {DType::f16, "aiter"}};
  fusion.candidates = 64;
  fusion.matches = 61;
  fusion.near_misses = {{"%q has another user", 3, "%q is used by add (%add_3)", "%qn in model.layers.3"}};
  fusion.notes = {
      "aiter (bf16): not with numerics = exact, truncates to bf16 on gfx942 (opus.hpp, "
      "OPUS_FP32_to_BF16_DEFAULT = 2; ROCm/aiter#5151); numerics = relaxed admits it"};
  fusion.nodes_before = 2623;
  fusion.nodes_after = 2562;
  fusion.seconds = 0.000375;
  r.passes = {verify, noops, fusion};
  return r;
}

std::vector<std::string> codes(const DecisionReport& report, std::vector<Expectation> expectations) {
  std::vector<std::string> out;
  for (const Diagnostic& d : check_expectations(report, expectations)) {
    out.push_back(d.code);
  }
  return out;
}

}  // namespace

TEST_CASE("the report as text") {
  CHECK(test::golden_difference("passes/decision_report.txt", to_text(sample())) == "");
}

TEST_CASE("the report as JSON") {
  CHECK(test::golden_difference("passes/decision_report.json", to_json(sample())) == "");
}

TEST_CASE("no line of the text is longer than 120 columns") {
  const std::string text = to_text(sample());
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    CHECK(end - start <= 120);
    start = end + 1;
  }
}

TEST_CASE("the JSON is sorted by key, and a name that is not UTF-8 does not break it") {
  DecisionReport r = sample();
  r.graph = "bad\xff name";
  const nlohmann::json parsed = nlohmann::json::parse(to_json(r));
  CHECK(parsed["schema_version"] == DecisionReport::schema_version);
  CHECK(parsed["graph"] == "bad\xEF\xBF\xBD name");
  std::string previous;
  const nlohmann::ordered_json ordered = nlohmann::ordered_json::parse(to_json(r));
  for (const auto& [key, value] : ordered.items()) {
    CHECK(previous < key);
    previous = key;
  }
}

TEST_CASE("expectations that hold say nothing") {
  CHECK(codes(sample(), {{"mla_dual_rms_norm", 61}, {"noops", 0}}).empty());
}

TEST_CASE("an expectation that fails says what there was, with rule and near misses") {
  const std::vector<Expectation> expectations{{"mla_dual_rms_norm", 64}};
  const std::vector<Diagnostic> findings = check_expectations(sample(), expectations);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].code == "expect.matches");
  CHECK(findings[0].message == "'mla_dual_rms_norm' matched 61 times, expected 64");
  CHECK(findings[0].help.starts_with("'tandem explain GRAPH --fusion mla_dual_rms_norm'"));
  REQUIRE(findings[0].notes.size() == 2);
  CHECK(findings[0].notes[1] == "3 near misses: %q has another user; %q is used by add (%add_3)");
}

TEST_CASE("an expectation of what is not in the report is an error with the nearest name") {
  const std::vector<Expectation> expectations{{"mla_dual_rmsnorm", 61}};
  const std::vector<Diagnostic> findings = check_expectations(sample(), expectations);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].code == "expect.unknown-name");
  CHECK(findings[0].message ==
        "no pass or fusion 'mla_dual_rmsnorm' is in the report; did you mean 'mla_dual_rms_norm'?");
}

TEST_CASE("matches are summed over all runs of a pass") {
  DecisionReport r = sample();
  r.passes.push_back(r.passes.back());
  CHECK(r.matches("mla_dual_rms_norm") == 122);
  CHECK(r.matches("nothing") == -1);
}

TEST_CASE("expectations are read from NAME=N") {
  const Expectation e = parse_expectation("mla_dual_rms_norm=61");
  CHECK(e.name == "mla_dual_rms_norm");
  CHECK(e.matches == 61);
  for (const char* text : {"", "=", "=3", "x", "x=", "x=-1", "x=1.5", "x=1x", "x=99999999999999999999999"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_expectation(text), Error);
  }
}
