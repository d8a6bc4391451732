// Two readings of the language must agree: the soft matcher finds nothing in the way exactly where the engine matches.
#include "tests/support/catch.h"
#include "tests/support/random_graph.h"

#include <algorithm>
#include <functional>

#include <tandem/ir/io/text.h>
#include <tandem/passes/explain.h>
#include <tandem/passes/pattern/fusion_set.h>
#include <tandem/passes/pattern/text.h>
#include "tests/support/thinned.h"

using namespace tandem;

namespace {

// Small patterns of frequent ops, so that random graphs have sites and near misses of each.
constexpr const char* patterns_text = R"(
fusion unary_chain { for op in {neg, abs, exp, silu, sigmoid}
  match { %a = op(%x)  %y = neg(%a) }
  rewrite { %o = relu(%x)  %y = %o } }
fusion add_mul {
  match { %m = mul(%a, %b)  %y = add(%m, %c) }
  where not same_value(%a, %c)
  rewrite { %o = maximum(%a, %b)  %y = %o } }
fusion sub_of_same { types T in {f32, bf16, f64}
  match { in %x: T  %s = sub(%x, %b)  %y = mul(%s, %x) }
  rewrite { %o = maximum(%x, %b)  %y = %o } }
fusion kept { dims H
  match { in %x: [.., H]  keep %a = exp(%x)  %y = cast(%a) {dtype = $d}  unless { _ = neg(%y) } }
  rewrite { %o = cast(%x) {dtype = $d}  %y = %o } }
fusion cut { dims P, Q
  match { keep %a, %b, %more... = split(%x) {axis = any, sizes = [P, Q, ...]}  %y = abs(%a) }
  rewrite { %o = relu(%a)  %y = %o } }
fusion two_linears { dims K, M, N
  match { in %x: [.., K], %w: [M, K], %v: [N, K]  %a = linear(%x, %w)  %b = linear(%x, %v) }
  where not same_value(%w, %v)
  rewrite { %both = concat(%w, %v) {axis = 0}  %y = linear(%x, %both)
            %p, %q = split(%y) {axis = -1, sizes = [M, N]}  %a = %p  %b = %q } }
)";

}  // namespace

TEST_CASE("explanations of random graphs agree with the engine, for small patterns and the shipped ones", "[explain]") {
  const auto context = Context::create();
  const FusionSet set = FusionSet::shipped(context, parse_fusions(patterns_text, "patterns.fusion"));
  std::size_t matched = 0, missed = 0;
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(test::thinned(60)); ++seed) {
    const Graph graph = test::random_graph(context, seed);
    for (std::uint32_t f = 0; f < set.patterns().size(); ++f) {
      INFO(set.patterns()[f].name << " on seed " << seed << "\n" << to_text(graph));
      const auto sites = explain(set.compiled(), graph, f);
      const auto holds = [](const SiteExplanation& s) { return s.failures.empty(); };
      const auto by_engine = matching_sites(set.compiled(), graph, f);
      CHECK(std::any_of(sites.begin(), sites.end(), holds) == !by_engine.empty());
      for (const auto& site : by_engine)
        CHECK(explain_at(set.compiled(), graph, f, site.front()).failures.empty());
      matched += by_engine.size();
      missed += static_cast<std::size_t>(std::count_if(sites.begin(), sites.end(), std::not_fn(holds)));
      for (const SiteExplanation& s : sites) {
        for (const FailedPredicate& p : s.failures)
          CHECK((!p.predicate.empty() && !p.found.empty() && p.span.line != 0));
      }
    }
  }
  CHECK(matched > 0);
  CHECK(missed > 100);
}

TEST_CASE("near misses are found without looking everywhere: those that an explanation has are among them",
          "[explain]") {
  const auto context = Context::create();
  const FusionSet set = FusionSet::shipped(context, parse_fusions(patterns_text, "patterns.fusion"));
  std::size_t compared = 0;
  for (std::uint64_t seed = 0; seed < static_cast<std::uint64_t>(test::thinned(60)); ++seed) {
    const Graph graph = test::random_graph(context, seed);
    const ValueNames names(graph);
    for (std::uint32_t f = 0; f < set.patterns().size(); ++f) {
      INFO(set.patterns()[f].name << " on seed " << seed << "\n" << to_text(graph));
      const std::vector<NearMiss> misses = near_misses(set.compiled(), graph, names, f);
      for (const SiteExplanation& site : explain(set.compiled(), graph, f)) {
        if (site.failures.size() != 1 || site.unreached != 0)
          continue;
        std::string found;
        for (const NearMiss& m : misses)
          found += m.predicate + "; " + m.example + "\n";
        INFO(site.failures[0].predicate << "; " << site.failures[0].found << "\nbut:\n" << found);
        CHECK(std::any_of(misses.begin(), misses.end(),
                          [&](const NearMiss& m) { return m.predicate == site.failures[0].predicate; }));
        ++compared;
      }
    }
  }
  CHECK(compared > 50);
}

TEST_CASE("every shipped fusion can be explained on any graph, at any node", "[explain]") {
  const auto context = Context::create();
  const FusionSet set = FusionSet::shipped(context);
  for (std::uint64_t seed = 100; seed < 102; ++seed) {
    const Graph graph = test::random_graph(context, seed);
    for (const Pattern& p : set.patterns()) {
      INFO(p.name << " on seed " << seed);
      const FusionExplanation e =
          explain_fusion(graph, p.name, PassConfig{}, parse_target("rocm:gfx942"), {.fusions = &set});
      CHECK(to_text(e).find(p.name) == 0);
      CHECK(to_json(e).find("\"verdict\"") != std::string::npos);
    }
    for (const Node n : graph.nodes()) {
      for (std::uint32_t f = 0; f < set.patterns().size(); ++f)
        CHECK(explain_at(set.compiled(), graph, f, n).anchor == n);
    }
  }
  Graph empty = parse_text(context, "graph @empty(%x: f32[0]) {\n  return %x\n}\n");
  CHECK(explain_fusion(empty, "silu_and_mul", PassConfig{}, parse_target("cpu"), {.fusions = &set}).missed.empty());
}
