// What an explanation says: each verdict, and each thing that can be in the way after matching.
#include <memory>
#include <string>

#include "tests/support/catch.h"

#include <tandem/ir/io/text.h>
#include <tandem/passes/explain.h>
#include <tandem/passes/pattern/text.h>

using namespace tandem;

namespace {

struct Setup {
  std::string fusions;
  std::string target = "rocm:gfx942";
  std::string at = {};
  std::string passes = "fuse";
};

FusionExplanation explain(const std::string& graph, const std::string& fusion, const Setup& setup = {}) {
  const auto context = Context::create();
  const FusionSet set = FusionSet::shipped(
      context, setup.fusions.empty() ? std::vector<Pattern>() : parse_fusions(setup.fusions, "mine.fusion"));
  return explain_fusion(parse_text(context, graph), fusion, PassConfig{}, parse_target(setup.target),
                        {.fusions = &set, .passes = setup.passes, .at = setup.at});
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string error_of(const auto& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

const std::string mla = R"(graph @mla(%p: bf16[T, 112], %q_w: bf16[64] = weight, %kv_w: bf16[32] = weight) {
  %q, %kv = split %p {axis = -1, sizes = [64, 48]}
  %c, %pe = split %kv {axis = -1, sizes = [32, 16]}
  %qn = rms_norm %q, %q_w {eps = 1e-06}
  %cn = rms_norm %c, %kv_w {eps = 1e-06}
  return %qn, %cn, %pe
})";

/// The graph with one piece of text replaced.
std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

const std::string two_silus = R"(graph @g(%x: f32[T, 8], %z: f32[T, 8]) {
  %a = silu %x
  %y = mul %a, %z
  %b = gelu %z
  %v = mul %b, %x
  return %y, %v
})";

const std::string silu_mul = R"(
fusion silu_mul {
  match {
    %s = silu(%g)
    %y = mul(%s, %u)
  }
  rewrite { %o = sub(%g, %u)  %y = %o }
})";

}  // namespace

TEST_CASE("fired: which nodes became what", "[explain]") {
  const FusionExplanation e = explain(mla, "mla_dual_rms_norm");
  CHECK(e.verdict == FusionExplanation::Verdict::fired);
  REQUIRE(e.fired.size() == 1);
  CHECK(e.fired[0].run == 1);
  CHECK(e.fired[0].before.lines.back() == "%cn = rms_norm %c, %kv_w {eps = 1e-06} : bf16[T, 32]");
  REQUIRE(e.fired[0].after.size() == 1);
  CHECK(has(e.fired[0].after[0], "%qn, %cn = fused_mla_dual_rms_norm %q, %q_w, %c, %kv_w"));
  CHECK(e.missed.empty());
}

TEST_CASE("off: the rule, and what would have fired", "[explain]") {
  const FusionExplanation e = explain(mla, "mla_dual_rms_norm", {.fusions = "", .target = "cpu"});
  CHECK(e.verdict == FusionExplanation::Verdict::off);
  CHECK(e.rule == "cpu is not rocm");
  CHECK(e.would_fire.size() == 1);
  CHECK(has(to_text(e), "off; on, it would fire at 1 site"));
}

TEST_CASE("another op in its place is a near miss of the site, and the site beside it fires", "[explain]") {
  const FusionExplanation e = explain(two_silus, "silu_mul", {.fusions = silu_mul});
  CHECK(e.fired.size() == 1);
  REQUIRE(e.missed.size() == 1);
  REQUIRE(e.missed[0].failures.size() == 1);
  const FailedPredicate& f = e.missed[0].failures[0];
  CHECK(f.cause == Cause::other_op);
  CHECK(f.predicate == "%s is computed by silu");
  CHECK(f.found == "%b is computed by gelu");
  CHECK(f.span.line == 4);
  CHECK(has(f.in_pattern, "for op in {silu, gelu}"));
  const std::vector<std::string> drawn = {"%b = gelu %z : f32[T, 8]", "     ^~~~", "%v = mul %b, %x : f32[T, 8]"};
  CHECK(e.missed[0].example.lines == drawn);
}

TEST_CASE("sites that miss for the same reason are told together", "[explain]") {
  std::string text = "graph @g(%x: f32[T, 8]) {\n", outputs;
  for (int i = 0; i < 61; ++i) {
    const std::string n = std::to_string(i), from = i == 0 ? "%x" : "%y" + std::to_string(i - 1);
    text += "  %s" + n + " = silu " + from + "\n  %c" + n + " = cast %s" + n + " {dtype = f32}\n  %y" + n +
            " = mul %c" + n + ", " + from + "\n";
  }
  text += "  return %y60\n}\n";
  const FusionExplanation e = explain(text, "silu_mul", {.fusions = silu_mul});
  REQUIRE(e.missed.size() == 1);
  CHECK(e.missed[0].sites.size() == 61);
  const std::string words = to_text(e);
  CHECK(has(words, "61 sites miss by one predicate"));
  CHECK(has(words, "but cast (%c0) stands in between  [mine.fusion:"));
  CHECK(has(words, "likewise %y1; %y2"));
}

TEST_CASE("results of a split that are too many are told once, not again as sizes that are too many", "[explain]") {
  const std::string graph = with(with(mla, "%c, %pe = split", "%c, %pe, %r = split"), "[32, 16]", "[32, 14, 2]");
  const FusionExplanation e = explain(graph, "mla_dual_rms_norm");
  REQUIRE(e.missed.size() == 1);
  REQUIRE(e.missed[0].failures.size() == 1);
  CHECK(has(e.missed[0].failures[0].predicate, "split (%c) has 2 results"));
  CHECK(has(e.missed[0].failures[0].in_pattern, "%more..., last, and end 'sizes' with ..."));
}

TEST_CASE("a view is not taken for another op in the place of one that computes", "[explain]") {
  const std::string graph =
      with(with(mla, "  %cn = rms_norm %c, %kv_w {eps = 1e-06}\n", ""), "%qn, %cn, %pe", "%qn, %c, %pe");
  const FusionExplanation e = explain(graph, "mla_dual_rms_norm");
  REQUIRE(e.missed.size() == 1);
  REQUIRE(e.missed[0].failures.size() == 1);
  CHECK(to_string(e.missed[0].failures[0].cause) == "missing");
}

TEST_CASE("starved: another fusion takes every site", "[explain]") {
  const FusionExplanation e = explain(two_silus, "silu_mul", {.fusions = silu_mul + R"(
fusion greedy {
  benefit 7
  match { %y = silu(%x) }
  rewrite { %o = neg(%x)  %y = %o }
})"});
  CHECK(e.verdict == FusionExplanation::Verdict::lost);
  REQUIRE(e.lost.size() == 1);
  CHECK(e.lost[0].winner == "greedy");
  CHECK(has(to_text(e), "'greedy' took it"));
}

TEST_CASE("no candidates: the op that is absent, and what there is instead", "[explain]") {
  const FusionExplanation e = explain(R"(graph @g(%x: f32[T, 8]) {
    %s = sigmoid %x
    %y = mul %x, %s
    return %y
  })",
                                      "silu_mul", {.fusions = silu_mul});
  REQUIRE(e.absent.size() == 1);
  CHECK(e.absent[0].op == "silu");
  REQUIRE(e.absent[0].similar.size() == 1);
  CHECK(has(e.absent[0].similar[0], "sigmoid (1 node, the first is %s): perhaps a silu that is spelt out"));
}

TEST_CASE("an 'unless' part that is there is named by its nodes", "[explain]") {
  const FusionExplanation e = explain(with(two_silus, "return %y", "%n = neg %y\n  return %n"), "picky", {.fusions = R"(
fusion picky {
  match {
    %s = silu(%g)
    %y = mul(%s, %u)
    unless { _ = neg(%y) }
  }
  rewrite { %o = sub(%g, %u)  %y = %o }
})"});
  REQUIRE(!e.missed.empty());
  REQUIRE(e.missed[0].failures.size() == 1);
  CHECK(e.missed[0].failures[0].cause == Cause::unless);
  CHECK(e.missed[0].failures[0].found == "neg (%n) is there");
  CHECK(e.missed[0].failures[0].span.line == 6);
}

TEST_CASE("a dtype without a kernel, and a match that is not convex", "[explain]") {
  std::string f64 = mla;
  for (std::size_t at = f64.find("bf16"); at != std::string::npos; at = f64.find("bf16"))
    f64.replace(at, 4, "f64");
  const FusionExplanation dtype = explain(f64, "mla_dual_rms_norm");
  REQUIRE(!dtype.missed.empty());
  CHECK(dtype.missed[0].failures[0].cause == Cause::kernel_dtype);
  CHECK(has(dtype.missed[0].failures[0].found, "no kernel of fused_mla_dual_rms_norm for f64"));

  const FusionExplanation convex =
      explain(with(with(mla, "%cn = rms_norm %c, %kv_w",
                        "%m = mean %qn {axes = [0]}\n  %w = slice %m {axis = 0, start = 0, end "
                        "= 32}\n  %cn = rms_norm %c, %w"),
                   "%kv_w: bf16[32] = weight", "%kv_w: bf16[32]"),
              "mla_dual_rms_norm");
  REQUIRE(!convex.missed.empty());
  CHECK(convex.missed[0].failures[0].cause == Cause::not_convex);
}

TEST_CASE("a node with effects is not removed, and the explanation says so", "[explain]") {
  const auto context = Context::create();
  context->register_op({.name = "log_it",
                        .signature = "(x) -> y",
                        .traits = trait::none,
                        .infer = [](Inference& in) { in.results.push_back(in.operands[0]); },
                        .doc = "Prints x."});
  const FusionSet set(context, parse_fusions(R"(fusion quiet {
    match { %y = log_it(%x) }
    rewrite { %o = relu(%x)  %y = %o }
  })",
                                             "quiet.fusion"));
  const Graph graph = parse_text(context, "graph @g(%x: f32[4]) {\n  %y = log_it %x\n  return %y\n}\n");
  const FusionExplanation e = explain_fusion(graph, "quiet", PassConfig{}, parse_target("cpu"), {.fusions = &set});
  REQUIRE(e.missed.size() == 1);
  CHECK(e.missed[0].failures[0].cause == Cause::effects);
}

TEST_CASE("one node: what it is part of, what it lacks, and who took it", "[explain]") {
  const auto at = [](std::string node, const std::string& fusions = silu_mul) {
    return explain(two_silus, "silu_mul", {.fusions = fusions, .at = std::move(node)});
  };
  CHECK(at("%y").at_answer == "it is part of a site that was rewritten");
  CHECK(at("0").at == "%a = silu %x : f32[T, 8]");
  const FusionExplanation miss = at("%v");
  REQUIRE(miss.missed.size() == 1);
  CHECK(miss.missed[0].failures[0].cause == Cause::other_op);
  const FusionExplanation other = at("%b");  // a gelu stands for the silu
  REQUIRE(other.missed.size() == 1);
  CHECK(other.missed[0].failures[0].found == "%b is computed by gelu");
}

TEST_CASE("a node that is not there, and one that a pass removed", "[explain]") {
  const auto at = [](std::string node, std::string passes) {
    return error_of([&] {
      explain(R"(graph @g(%x: f32[4]) {
        %dead = silu %x
        %y = neg %x
        return %y
      })",
              "silu_mul", {.fusions = silu_mul, .at = std::move(node), .passes = std::move(passes)});
    });
  };
  CHECK(has(at("%dad", "fuse"), "no node computes '%dad'; did you mean 'dead'? [explain.unknown-node]"));
  CHECK(has(at("%x", "fuse"), "%x is an input"));
  CHECK(has(at("7", "fuse"), "the graph has 2 nodes"));
  CHECK(has(at("%dead", "dce,fuse"), "'%dead' is gone when the fusion looks: pass 'dce' removed it"));
  CHECK(has(at("", "dce"), "[explain.no-fuse]"));
}

TEST_CASE("a fusion that is not there", "[explain]") {
  const std::string error = error_of([] { explain(mla, "mla_dual_rms_nrom"); });
  CHECK(
      has(error, "there is no fusion 'mla_dual_rms_nrom'; did you mean 'mla_dual_rms_norm'? [explain.unknown-fusion]"));
}

TEST_CASE("a fusion that matches what it makes is explained without going on for ever", "[explain]") {
  const FusionExplanation e = explain(two_silus, "again", {.fusions = R"(
fusion again {
  requires kernel(none_has_this)
  match { %y = silu(%x) }
  rewrite { %o = silu(%x)  %y = %o }
})"});
  CHECK(e.verdict == FusionExplanation::Verdict::off);
  CHECK(e.would_fire.size() == 1);
}
