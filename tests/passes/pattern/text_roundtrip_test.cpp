// C++ -> text -> JSON -> C++ is the identity, for the shipped fusions and for patterns made at random.

#include <algorithm>

#include <nlohmann/json.hpp>

#include <tandem/ir/diagnostic.h>
#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/builder.h>
#include <tandem/passes/pattern/json.h>
#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"
#include "tests/support/json_schema.h"
#include "tests/support/random_pattern.h"

using namespace tandem;

namespace {

/// passes/fusion/mla_dual_rms_norm.fusion, as an engine would build it in C++.
Pattern mla_dual_rms_norm() {
  PatternBuilder p("mla_dual_rms_norm");
  p.doc("Two RMSNorms of the MLA latents, one launch.")
      .level(OptLevel::O1)
      .flag("fuse_mla_dual_rms_norm")
      .requires_kernel("fused_mla_dual_rms_norm")
      .platform("rocm")
      .benefit(10);
  const auto [Q, C, P, D] = p.dims("Q", "C", "P", "D");
  const PatternType T = p.dtype("T", {DType::bf16, DType::f16, DType::f32, DType::f64});
  const PatternValueName q{"q"}, c{"c"}, kv{"kv"}, q_packed{"q_packed"};
  const auto x = p.input("x", T);
  const auto q_w = p.input("q_w", T, {Q});
  const auto kv_w = p.input("kv_w", T, {C});
  const PatternExpr round = capture("round");
  const std::initializer_list<PatternValueName> q_projection = {x, {"q_a"}, {"q_bias..."}},
                                                kv_projection = {x, {"kv_a"}, {"kv_bias..."}};

  p.either(
      {[&] {
         p.match("split", {x})
             .keep()
             .attr("axis", -1)
             .attr("sizes", {Q, C, rest_of_list()})
             .results("q", "c", "more...");
       },
       [&] {
         p.match("split", {x})
             .keep()
             .attr("axis", -1)
             .attr("sizes", {Q, C + P, rest_of_list()})
             .results("q", "kv", "more...");
         p.match("split", {kv}).keep().attr("axis", -1).attr("sizes", {C, P}).results("c", "pe");
       },
       [&] {
         p.match("slice", {x}).keep().attr("axis", -1).attr("start", 0).attr("end", Q).result("q");
         p.match("slice", {x}).keep().attr("axis", -1).attr("start", Q).attr("end", Q + C).result("c");
       },
       [&] {
         p.either({[&] { p.match("linear", q_projection).keep().result("q"); },
                   [&] {
                     p.match("linear", q_projection).keep().result("q_packed");
                     p.match("split", {q_packed})
                         .keep()
                         .attr("axis", -1)
                         .attr("sizes", {Q, rest_of_list()})
                         .results("q", "q_more...");
                   },
                   [&] {
                     p.match("linear", q_projection).keep().result("q_packed");
                     p.match("slice", {q_packed}).keep().attr("axis", -1).attr("start", 0).attr("end", Q).result("q");
                   }});
         p.either({[&] {
                     p.match("linear", kv_projection).keep().result("kv");
                     p.match("split", {kv})
                         .keep()
                         .attr("axis", -1)
                         .attr("sizes", {P + D + 1, P, rest_of_list()})
                         .results("c", "pe", "more...");
                   },
                   [&] {
                     p.match("linear", kv_projection).keep().type(T, leading({C + P})).result("kv");
                     p.match("slice", {kv}).keep().attr("axis", -1).attr("start", 0).attr("end", P + D + 1).result("c");
                   }});
       }});
  const auto qn =
      p.match("rms_norm", {q, q_w}).attr("eps", capture("eps_q")).attr("round_before_weight", round).result("qn");
  const auto cn =
      p.match("rms_norm", {c, kv_w}).attr("eps", capture("eps_kv")).attr("round_before_weight", round).result("cn");
  p.unless([&] {
    p.match("transpose", {p.match("reshape", {qn}).ignore("shape").result("heads")}).ignore("perm").result("_");
  });
  const auto [a, b] = p.create("fused_mla_dual_rms_norm", {q, q_w, c, kv_w})
                          .attr("eps_q", capture("eps_q"))
                          .attr("eps_kv", capture("eps_kv"))
                          .attr("round_before_weight", round)
                          .results("fused_q", "fused_c");
  p.replace(qn, a);
  p.replace(cn, b);
  return p.finish();
}

constexpr std::uint64_t num_random = 2000;

}  // namespace

TEST_CASE("the shipped dual norm is what the C++ builder builds") {
  const std::vector<Pattern> shipped = shipped_fusions();
  const auto it =
      std::find_if(shipped.begin(), shipped.end(), [](const Pattern& p) { return p.name == "mla_dual_rms_norm"; });
  REQUIRE(it != shipped.end());
  CHECK(*it == mla_dual_rms_norm());
}

TEST_CASE("shipped fusions go through text and JSON unchanged, and are what the schema says") {
  const auto schema = test::read_schema("fusion.schema.json");
  for (const Pattern& p : shipped_fusions()) {
    CAPTURE(p.name);
    const std::vector<Pattern> from_text = parse_fusions(format(p), "p.fusion");
    REQUIRE(from_text.size() == 1);
    CHECK(test::check_json(schema, nlohmann::ordered_json::parse(to_json(from_text))) == "");
    const std::vector<Pattern> from_json = parse_fusions_json(to_json(from_text), "p.json");
    REQUIRE(from_json.size() == 1);
    CHECK(from_json[0] == p);
  }
}

TEST_CASE("random patterns go through text and JSON unchanged") {
  const auto schema = test::read_schema("fusion.schema.json");
  for (std::uint64_t seed = 0; seed < num_random; ++seed) {
    const Pattern p = test::random_pattern(seed);
    const std::string text = format(p);
    INFO("seed " << seed << "\n" << text);
    const std::vector<Pattern> from_text = parse_fusions(text, "p.fusion");
    REQUIRE(from_text.size() == 1);
    REQUIRE(from_text[0] == p);
    const std::string json = to_json(from_text[0]);
    if (seed % 20 == 0)
      REQUIRE(test::check_json(schema, nlohmann::ordered_json::parse(json)) == "");
    const std::vector<Pattern> from_json = parse_fusions_json(json, "p.json");
    REQUIRE(from_json.size() == 1);
    REQUIRE(from_json[0] == p);
  }
}

TEST_CASE("the canonical text of a random pattern is its own canonical text") {
  for (std::uint64_t seed = 0; seed < num_random; ++seed) {
    const std::string text = format(test::random_pattern(seed, {.odd_names = true, .any_bytes = true}));
    INFO("seed " << seed);
    REQUIRE(format(parse_fusions(text, "p.fusion")) == text);
    REQUIRE(format_text(text, "p.fusion") == text);
  }
}

TEST_CASE("several fusions of a file keep their order") {
  std::vector<Pattern> patterns;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    patterns.push_back(test::random_pattern(seed));
  CHECK(parse_fusions(format(patterns), "p.fusion") == patterns);
  CHECK(parse_fusions_json(to_json(patterns), "p.json") == patterns);
}

TEST_CASE("text that is not UTF-8 goes through the text form, and JSON refuses it") {
  Pattern p = mla_dual_rms_norm();
  p.doc = "\xff\x00\x80";
  CHECK(parse_fusions(format(p), "p.fusion").at(0) == p);
  CHECK_THROWS_AS(to_json(p), Error);
}
