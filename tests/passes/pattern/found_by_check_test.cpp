// Mistakes of the engine that `tandem check` found: a replaced value that the match reads itself, `_` in an `unless`.
#include "tests/support/catch.h"

#include <tandem/ir/io/text.h>
#include <tandem/ir/verifier.h>
#include <tandem/passes/pattern/engine.h>
#include <tandem/passes/pattern/text.h>

using namespace tandem;

TEST_CASE("a replaced value may be read inside the match, before the new nodes") {
  const auto context = Context::create();
  const auto set = compile(context, parse_fusions(R"(fusion f {
  match {
    %a = relu(%x)
    %b = neg(%a)
    %c = abs(%b)
  }
  rewrite {
    %p = square(%x)
    %q = exp(%x)
    %a = %p
    %c = %q
  }
})",
                                                  "t.fusion"));
  Graph graph = parse_text(context, R"(
  graph @g(%x: f32[4]) {
    %a = relu %x
    %b = neg %a
    %c = abs %b
    %d = tanh %a
    return %c, %d, %a
  })");
  CHECK(run_patterns(*set, graph).fusions[0].matches == 1);
  verify_or_throw(graph);
  const std::string text = to_text(graph);
  CHECK(text.find("neg") == std::string::npos);
  CHECK(text.find("%a = square %x") != std::string::npos);
  CHECK(text.find("%d = tanh %a") != std::string::npos);
  CHECK(text.find("return %c, %d, %a") != std::string::npos);
}

TEST_CASE("what an 'unless' part computes needs no name, and may have users") {
  const auto context = Context::create();
  const auto set = compile(context, parse_fusions(R"(fusion f {
  match {
    %y = silu(%x)
    unless { _ = relu(%y) }
  }
  rewrite { %z = sigmoid(%x)  %y = %z }
})",
                                                  "t.fusion"));
  const auto matches = [&](std::string_view graph) {
    Graph g = parse_text(context, graph);
    return run_patterns(*set, g).fusions[0].matches;
  };
  CHECK(matches("graph @g(%x: f32[4]) {\n %y = silu %x\n %z = neg %y\n return %z\n}") == 1);
  CHECK(matches("graph @g(%x: f32[4]) {\n %y = silu %x\n %z = relu %y\n return %z\n}") == 0);
}
