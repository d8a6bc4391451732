// Explanations name what is wrong: graphs with one planted cause each, a hundred of every kind.
//
//     build/dev/tests/tests_passes "[planted-table]"    prints the table of docs/explain.md
#include "tests/support/planted_causes.h"

#include <cstdio>
#include <map>
#include <memory>

#include "tests/support/catch.h"

#include <tandem/ir/io/text.h>
#include <tandem/passes/pattern/text.h>
#include "tests/support/thinned.h"

using namespace tandem;
using namespace tandem::test;

namespace {

constexpr int graphs_per_kind = thinned(100);
constexpr double required = 0.95;

class Bench {
 public:
  Bench()
      : context_(Context::create()),
        plain_(FusionSet::shipped(context_, parse_fusions(planted_fusions_text, "planted.fusion"))),
        with_rival_(FusionSet::shipped(context_, parse_fusions(rival_text, "rival.fusion"))) {}

  FusionExplanation explain(const Planted& p) const {
    PassConfig config;
    config.level = p.level;
    if (!p.flag.empty())
      set_flag(config, p.flag);
    const Graph graph = parse_text(context_, p.graph);
    return explain_fusion(graph, p.fusion, config, parse_target(p.target),
                          {.fusions = p.takes_rival ? &with_rival_ : &plain_, .passes = "fuse"});
  }

 private:
  std::shared_ptr<Context> context_;
  FusionSet plain_, with_rival_;
};

/// How many of the graphs of a kind are explained rightly; the first that is not goes to `example`.
int count_right(const Bench& bench, const PlantKind& kind, std::string* example = nullptr) {
  int right = 0;
  for (int i = 0; i < graphs_per_kind; ++i) {
    std::mt19937_64 random(static_cast<std::uint64_t>(i) * 7919 + 17);
    const Planted p = kind.plant(random);
    const FusionExplanation e = bench.explain(p);
    if (names_cause(p, e))
      ++right;
    else if (example != nullptr && example->empty())
      *example = p.graph + "\nexpected: " + std::string(to_string(p.cause)) + " " + p.mention + "\n" + to_text(e);
  }
  return right;
}

}  // namespace

TEST_CASE("a planted cause is named first, in at least 95 of 100 graphs of each kind", "[planted]") {
  const Bench bench;
  CHECK(plant_kinds().size() >= 20);
  for (const PlantKind& kind : plant_kinds()) {
    std::string example;
    const int right = count_right(bench, kind, &example);
    INFO(kind.name << ": " << right << " of " << graphs_per_kind << "\n" << example);
    CHECK(right >= required * graphs_per_kind);
  }
}

TEST_CASE("the sites beside a planted cause fire", "[planted]") {
  const Bench bench;
  for (const PlantKind& kind : plant_kinds()) {
    std::mt19937_64 random(5);
    const Planted p = kind.plant(random);
    if (!p.verdict.empty())
      continue;
    INFO(kind.name << "\n" << p.graph);
    const FusionExplanation e = bench.explain(p);
    CHECK(e.fired.size() >= 1);
    // The planted one is the only one that comes near.
    REQUIRE(!e.missed.empty());
    CHECK(e.missed.front().sites.size() == 1);
  }
}

TEST_CASE("the table of planted causes", "[.][planted-table]") {
  const Bench bench;
  std::printf("| planted | named first, of %d |\n|---|---|\n", graphs_per_kind);
  for (const PlantKind& kind : plant_kinds())
    std::printf("| %s | %d |\n", std::string(kind.name).c_str(), count_right(bench, kind));
}
