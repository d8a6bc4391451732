// Which of two fusions gets a site that both match.
#include <string>

#include <tandem/ir/io/text.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/text.h>

#include "tests/support/catch.h"

using namespace tandem;

namespace {

/// The op that stands in the place of the graph's mul: each fusion creates another.
std::string winner(const std::string& fusions) {
  const auto context = Context::create();
  Graph g = parse_text(context, R"(graph @g(%x: f32[T, 64], %w: f32[64] = weight) {
    %n = rms_norm %x, %w {eps = 1e-06}
    %y = mul %n, %w
    return %y
  })");
  run_patterns(*compile(context, parse_fusions(fusions, "f.fusion")), g);
  return g.def(g.def_node(g.output(0))).name;
}

/// A fusion of the graph's two nodes, with what more it demands.
std::string fusion(const std::string& name, const std::string& creates, const std::string& inputs = "",
                   const std::string& eps = "eps = $eps", const std::string& where = "",
                   const std::string& sections = "") {
  return "fusion " + name + " { " + sections + " match { " + (inputs.empty() ? "" : "in " + inputs) +
         "\n %n = rms_norm(%x, %w) {" + eps + "} %y = mul(%n, %w) } " +
         (where.empty() ? "" : "where { " + where + " }") + " rewrite { %o = " + creates + "(%x) %y = %o } }\n";
}

}  // namespace

TEST_CASE("of fusions that match the same, the one that is declared first goes first") {
  CHECK(winner(fusion("a", "exp") + fusion("b", "abs")) == "exp");
  CHECK(winner(fusion("a", "exp", "", "eps = $e") + fusion("b", "abs", "", "eps = any")) == "exp");
}

TEST_CASE("the fusion that demands more goes first: its sites are the other's, too") {
  const std::string wide = fusion("wide", "exp");
  CHECK(winner(wide + fusion("narrow", "abs", "", "eps = 1e-06")) == "abs");
  CHECK(winner(wide + fusion("narrow", "abs", "%x: f32[.., H]", "eps = $eps", "", "dims H")) == "abs");
  CHECK(winner(wide + fusion("narrow", "abs", "", "eps = $eps", "weight(%w)")) == "abs");
  CHECK(winner(wide + fusion("narrow", "abs", "", "eps = $eps", "$eps > 0.0")) == "abs");
  const std::string typed = fusion("typed", "exp", "%x: T[.., H]", "eps = $eps", "", "types T in {f32, bf16} dims H");
  CHECK(winner(typed + fusion("narrow", "abs", "%x: T[.., H]", "eps = $eps", "H % 8 == 0",
                              "types T in {f32} dims H")) == "abs");
  // Three, the narrowest last.
  CHECK(winner(wide + fusion("middle", "abs", "", "eps = $eps", "weight(%w)") +
               fusion("narrow", "neg", "", "eps = 1e-06", "weight(%w)")) == "neg");
}

TEST_CASE("where it cannot be seen which demands more, the order of the files stands") {
  // Other eps: neither is within the other.
  CHECK(winner(fusion("a", "exp", "", "eps > 0.0") + fusion("b", "abs", "", "eps = 1e-06")) == "exp");
  CHECK(winner(fusion("a", "exp", "", "eps = $eps", "weight(%w)") +
               fusion("b", "abs", "%x: f32[.., H]", "eps = $eps", "", "dims H")) == "exp");
  CHECK(winner(fusion("a", "exp", "%x: T", "eps = $eps", "", "types T in {f32}") +
               fusion("b", "abs", "%x: T", "eps = $eps", "weight(%w)", "types T in {f32, bf16}")) == "exp");
}

TEST_CASE("benefit and size go before what is demanded") {
  CHECK(winner(fusion("wide", "exp", "", "eps = $eps", "", "benefit 2") + fusion("narrow", "abs", "", "eps = 1e-06")) ==
        "exp");
  CHECK(winner("fusion one { match { %n = rms_norm(%x, %w) {eps = 1e-06} } rewrite { %o = exp(%x) %n = %o } }\n" +
               fusion("two", "abs")) == "abs");
}
