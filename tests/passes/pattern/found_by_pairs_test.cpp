// What random pairs of a graph and a fusion found (random_pairs_test.cpp), as examples; and that the text form costs
// what C++ costs: the same plans.
#include <map>
#include <string>
#include <string_view>

#include <tandem/passes/fusion/fusions.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pattern/text.h>

#include "tests/passes/pass_test_support.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// How many sites were rewritten, and why the others were not; the graph is valid afterwards.
FusionStatistics run(std::string_view fusion, std::string_view text) {
  const auto context = Context::create();
  const auto set = compile(context, parse_fusions(fusion, "test.fusion"));
  Graph graph = parse_text(context, text);
  EngineResult result = run_patterns(*set, graph);
  CHECK(to_string(verify(graph)) == "");
  return std::move(result.fusions[0]);
}

std::string code_of(std::string_view fusion) {
  try {
    compile(Context::create(), parse_fusions(fusion, "test.fusion"));
    return "";
  } catch (const Error& e) {
    return e.diagnostics().front().code;
  }
}

}  // namespace

TEST_CASE("a match is not convex when an operand comes from a replaced value by way of a node that stays") {
  const FusionStatistics s = run(R"(
    fusion f {
      match { %t = tanh(%y) %m = mul(%t, %other) }
      rewrite {
        %a = exp(%y)
        %b = sub(%a, %other)
        %t = %a
        %m = %b
      }
    })",
                                 R"(graph @g(%y: f32[4]) {
      %t = tanh %y : f32[4]
      %u = neg %t : f32[4]
      %v = sqrt %t : f32[4]
      %m = mul %t, %v : f32[4]
      return %m, %u
    })");
  CHECK(s.matches == 0);
  CHECK(s.refusals.size() == 1);
}

TEST_CASE("a match is not convex when one of its inputs is a value that it replaces") {
  const FusionStatistics s = run(R"(
    fusion f {
      match { %g = silu(%x) %m = maximum(%g, %s) %sum = add(%s, %z) }
      rewrite {
        %a = relu(%x)
        %b = minimum(%a, %s)
        %c = sub(%s, %z)
        %m = %b
        %sum = %c
      }
    })",
                                 R"(graph @g(%s: f32[4]) {
      %x = add %s, %s : f32[4]
      %g = silu %x : f32[4]
      %m = maximum %g, %s : f32[4]
      return %m
    })");
  CHECK(s.matches == 0);
  CHECK(s.refusals.size() == 1);
}

TEST_CASE("a site that a negative part held back is tried again when the part is gone") {
  const FusionStatistics s = run(R"(
    fusion f {
      match {
        keep %c = relu(%x)
        %n = neg(%c)
        unless { %other = neg(%x) }
      }
      rewrite { %e = abs(%c) %n = %e }
    })",
                                 R"(graph @g(%x: f32[4]) {
      %a = relu %x : f32[4]
      %m = neg %a : f32[4]
      %b = relu %a : f32[4]
      %n = neg %b : f32[4]
      return %m, %n
    })");
  CHECK(s.matches == 2);
}

TEST_CASE("a site that a long negative part held back is tried again when its far end is another") {
  const auto context = Context::create();
  const auto set = compile(context, parse_fusions(R"(
    fusion negation {
      match {
        %n = neg(%x)
        unless { %a = relu(%n) %b = abs(%a) _ = tanh(%b) }
      }
      rewrite { %e = exp(%x) %n = %e }
    }
    fusion far_end {
      match { %t = tanh(%y) }
      rewrite { %s = sigmoid(%y) %t = %s }
    })",
                                                  "test.fusion"));
  Graph graph = parse_text(context, R"(graph @g(%x: f32[4]) {
      %n = neg %x : f32[4]
      %a = relu %n : f32[4]
      %b = abs %a : f32[4]
      %t = tanh %b : f32[4]
      return %t
    })");
  const EngineResult result = run_patterns(*set, graph);
  CHECK(result.fusions[0].matches == 1);
  CHECK(result.fusions[1].matches == 1);
}

TEST_CASE("who reads a second part is not asked of a split that has one") {
  // The split of one part is made last: behind its result there is no value.
  const FusionStatistics s = run(R"(
    fusion f {
      dims A, B
      match {
        keep %a, %b, %more... = split(%x) {axis = -1, sizes = [A, B, ...]}
        %t = tanh(%b)
      }
      rewrite { %s = sigmoid(%b) %t = %s }
    })",
                                 R"(graph @g(%x: f32[4], %y: f32[4]) {
      %u = tanh %y
      %v = tanh %u
      %a, %b = split %x {axis = -1, sizes = [1, 3]}
      %t = tanh %b
      %w = tanh %t
      %one = split %w {axis = -1, sizes = [3]}
      return %a, %v, %one
    })");
  CHECK(s.matches == 1);
}

TEST_CASE("a kept node may not read what the rewrite removes") {
  CHECK(code_of(R"(
    fusion f {
      match { %s = silu(%x) keep %r = relu(%s) %y = neg(%r) }
      rewrite { %new = abs(%r) %y = %new }
    })") == "pattern.removed-value");
}

TEST_CASE("a fusion read from text has the plans of the same fusion built in C++") {
  const auto context = Context::create();
  const FusionSet shipped = FusionSet::shipped(context);
  std::vector<Pattern> patterns(shipped.patterns().begin(), shipped.patterns().end());
  const auto direct = compile(context, patterns);
  const auto read = compile(context, parse_fusions(format(patterns), "again.fusion"));
  REQUIRE(direct->variants.size() == read->variants.size());
  for (std::size_t v = 0; v < direct->variants.size(); ++v) {
    REQUIRE(direct->variants[v].plans.size() == read->variants[v].plans.size());
    for (std::size_t p = 0; p < direct->variants[v].plans.size(); ++p)
      CHECK(direct->variants[v].plans[p].steps == read->variants[v].plans[p].steps);
  }
}
