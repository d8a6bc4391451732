// What a check says of a mistake: where it is, on which numbers it shows, and what to do about it.
#include "tests/support/catch.h"

#include <string>

#include "tests/support/check_executors.h"

#include <tandem/passes/pattern/text.h>

using namespace tandem;
using namespace tandem::test;

namespace {

CheckReport check(const std::string& fusion) {
  CheckOptions options;
  options.samples = 4;
  return check_fusion(Context::create(), parse_fusions(fusion, "t.fusion").at(0), oracle_only(), options);
}

std::string told(const std::string& fusion) {
  return to_string(check(fusion).problems);
}

bool has(const std::string& text, std::string_view part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

/// A residual add in f32 that is cast back, and the norm of it.
std::string add_norm(const std::string& where, const std::string& rewrite, const std::string& narrow = "any} : T") {
  return R"(fusion add_norm {
  types T in {bf16, f16}
  dims  H
  match {
    in %x: T[..B, H], %r: T[..B, H], %w: T[H]
    %xf = cast(%x) {dtype = f32}
    %rf = cast(%r) {dtype = f32}
    %sf = add(%xf, %rf)
    %s = cast(%sf) {dtype = )" +
         narrow + R"(
    %n = rms_norm(%s, %w) {eps = $eps}
  }
  )" + where +
         "\n  rewrite { " + rewrite + " }\n}";
}

const std::string right = "%a, %b = fused_add_rms_norm(%x, %r, %w) {eps = $eps}  %n = %a  %s = %b";

}  // namespace

TEST_CASE("check says of which value an element differs, and on which numbers") {
  const std::string text = told(add_norm("", "%a, %b = fused_add_rms_norm(%x, %r, %w) {eps = $eps}  %n = %b  %s = %a"));
  CHECK(has(text, "the rewrite computes something else: element 0 of what replaces %n ("));
  CHECK(has(text, "note: with %x = "));
  CHECK(has(text, ", %r = "));
}

TEST_CASE("check draws its graphs with the names of the pattern") {
  const CheckReport report =
      check(add_norm("", "%a, %b = fused_add_rms_norm(%x, %r, %w) {eps = $eps * 2.0}  %n = %a  %s = %b"));
  REQUIRE(report.counterexample);
  CHECK(report.counterexample->inputs.at(0).first == "x");
  CHECK(report.counterexample->expected.at(0).first == "n");
}

TEST_CASE("check tells a rewrite that leaves out a rounding from one that is wrong") {
  const auto biased = [](const std::string& bias) {
    return "fusion biased { types T in {bf16} dims K, N match {\n in %x: T[2, K], %w: T[N, K], %b: T[N]\n"
           " %h = linear(%x, %w)\n %y = add(%h, %b) } rewrite { " +
           bias + "  %z = linear(%x, %w, %c)  %y = %z } }";
  };
  CHECK(has(told(biased("%c = identity(%b)")), "if the rewrite may round otherwise, say 'numerics relaxed'"));
  CHECK(has(told(biased("%c = neg(%b)")), "help: compare the two graphs of the counterexample"));
}

TEST_CASE("check names the conditions that exclude each other") {
  CHECK(has(
      told(add_norm("where H % 8 == 1, H % 2 == 0", right)),
      "t.fusion:12:9: error: fusion 'add_norm': no graph could be made that it matches; without any one of 'where H % "
      "8 == 1' (line 12), 'where H % 2 == 0' (line 12) there are some [check.contradictory]"));
  CHECK(has(told(add_norm("where $eps < 0.0", right)),
            "no graph could be made that it matches; without 'where $eps < 0.0' (line 12) there are some"));
  // No guard at all: a cast to f32 that is typed as T.
  CHECK(has(told(add_norm("", right, "f32} : T")),
            "without any one of 'types T in {bf16, f16}', 'cast(..) : T' (line 9) there are some"));
  // Two that are impossible, each by itself.
  CHECK(has(told(add_norm("where $eps < 0.0, H < 0", right)),
            "its types, attributes and guards contradict each other [check.contradictory]"));
}

TEST_CASE("check knows graphs in which what is replaced is no output, and those in which it is") {
  const auto guarded = [](const std::string& guard) {
    return "fusion f { match { %a = neg(%x)  %y = neg(%a) } where { " + guard +
           " } rewrite { %z = identity(%x)  %y = %z } }";
  };
  for (const char* guard : {"output(%y)", "not output(%y)", "not output(%y)  uses(%y) == 1"}) {
    INFO(guard);
    const CheckReport report = check(guarded(guard));
    CHECK(report.problems.empty());
    CHECK(report.graphs >= 4);
    CHECK(report.guards.at(0).held > 0);
    CHECK(report.guards.at(0).broken > 0);
  }
}

TEST_CASE("check tries no faults where it has no graphs, and says so once") {
  const Pattern impossible = parse_fusions(add_norm("where $eps < 0.0", right), "t.fusion").at(0);
  const auto outcomes = check_mutants(Context::create(), impossible, oracle_only());
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].fate == MutantOutcome::Fate::survived);
  CHECK(has(outcomes[0].reason, "none was tried"));
}
