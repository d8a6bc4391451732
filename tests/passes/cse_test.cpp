// Common subexpression elimination. (Collectives: dce_test.cpp, beside the ops that it registers.)

#include "tests/passes/pass_test_support.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("cse merges equal nodes, and what becomes equal by that") {
  CHECK(pass_difference(pass::cse, R"(
    graph @g(%x: f32[4], %y: f32[4]) {
      %a = add %x, %y
      %b = add %x, %y
      %c = exp %a
      %d = exp %b
      %e = mul %c, %d
      return %e
    })",
                        R"(
    graph @g(%x: f32[4], %y: f32[4]) {
      %a = add %x, %y
      %c = exp %a
      %e = mul %c, %c
      return %e
    })") == "");
}

TEST_CASE("cse knows which ops commute") {
  CHECK(pass_difference(pass::cse, R"(
    graph @g(%x: f32[4], %y: f32[4]) {
      %a = add %x, %y
      %b = add %y, %x
      %c = sub %x, %y
      %d = sub %y, %x
      return %a, %b, %c, %d
    })",
                        R"(
    graph @g(%x: f32[4], %y: f32[4]) {
      %a = add %x, %y
      %b = add %y, %x
      %c = sub %x, %y
      %d = sub %y, %x
      return %a, %b, %c, %d
    })") == "");  // both sums are outputs with names: they stay
  CHECK(pass_difference(pass::cse, R"(
    graph @g(%x: f32[4], %y: f32[4]) {
      %a = add %x, %y
      %b = add %y, %x
      %c = sub %x, %y
      %d = sub %y, %x
      %r = concat %a, %b, %c, %d {axis = 0}
      return %r
    })",
                        R"(
    graph @g(%x: f32[4], %y: f32[4]) {
      %a = add %x, %y
      %c = sub %x, %y
      %d = sub %y, %x
      %r = concat %a, %a, %c, %d {axis = 0}
      return %r
    })") == "");
}

TEST_CASE("cse finds every duplicate among many users of one value, and among nodes without operands") {
  std::string body, kept, returned;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    const std::string text =
        "%c" + n + " = full {shape = [4], value = " + n + ".5, dtype = f32}\n%m" + n + " = mul %x, %c" + n + "\n";
    kept += text;
    body += text + "%d" + n + " = full {shape = [4], value = " + n + ".5, dtype = f32}\n%e" + n + " = mul %d" + n +
            ", %x\n";
    returned += (i == 0 ? "%m" : ", %m") + n;
    returned += ", %s" + n;
    kept += "%s" + n + " = exp %m" + n + "\n";
    body += "%s" + n + " = exp %e" + n + "\n";
  }
  const std::string head = "graph @g(%x: f32[4]) {\n", end = "return " + returned + "\n}";
  CHECK(pass_difference(pass::cse, head + body + end, head + kept + end) == "");
}

TEST_CASE("cse merges duplicate splits of one value") {
  // vLLM #33967: a second split of the same value hid the pattern.
  CHECK(pass_difference(pass::cse, R"(
    graph @g(%p: bf16[T, 2112]) {
      %q, %kv = split %p {axis = -1, sizes = [1536, 576]}
      %q2, %kv2 = split %p {axis = -1, sizes = [1536, 576]}
      %a = neg %q
      %b = neg %kv2
      return %a, %b
    })",
                        R"(
    graph @g(%p: bf16[T, 2112]) {
      %q, %kv = split %p {axis = -1, sizes = [1536, 576]}
      %a = neg %q
      %b = neg %kv
      return %a, %b
    })") == "");
}

TEST_CASE("cse tells attributes apart by their bits") {
  CHECK(kept_difference(pass::cse, R"(
    graph @g(%x: f32[4], %w: f32[4]) {
      %a = rms_norm %x, %w {eps = 1e-06}
      %b = rms_norm %x, %w {eps = 1e-05}
      %c = rms_norm %x, %w {eps = 1e-06, round_before_weight = true}
      %z = full {shape = [4], value = 0.0, dtype = f32}
      %m = full {shape = [4], value = -0.0, dtype = f32}
      %i = full {shape = [4], value = 0.0, dtype = f16}
      return %a, %b, %c, %z, %m, %i
    })") == "");
}

TEST_CASE("cse tells operands of different order, number and op apart") {
  CHECK(kept_difference(pass::cse, R"(
    graph @g(%x: f32[4], %w: f32[4]) {
      %a = rms_norm %x {eps = 1e-06}
      %b = rms_norm %x, %w {eps = 1e-06}
      %c = concat %x, %w {axis = 0}
      %d = concat %w, %x {axis = 0}
      %e = concat %x, %w, %w {axis = 0}
      %f = exp %x
      %h = log %x
      %r = concat %a, %b, %c, %d, %e, %f, %h {axis = 0}
      return %r
    })") == "");
}

TEST_CASE("cse gives the name of an output to the value that takes its place") {
  CHECK(pass_difference(pass::cse, R"(
    graph @g(%x: f32[4]) {
      %inner = exp %x
      %y = neg %inner
      %out = exp %x
      return %y, %out
    })",
                        R"(
    graph @g(%x: f32[4]) {
      %out = exp %x
      %y = neg %out
      return %y, %out
    })") == "");
}

TEST_CASE("cse keeps two equal outputs under their two names, and merges all other uses") {
  Graph g = parse(R"(
    graph @g(%x: f32[4]) {
      %a = exp %x
      %b = exp %x
      %c = neg %b
      return %a, %b, %c
    })");
  const PassResult r = run_pass(pass::cse, g);
  CHECK(r.changed);
  CHECK(r.matches == 0);
  REQUIRE(r.near_misses.size() == 1);
  CHECK(r.near_misses[0].predicate == "both are outputs of the graph, which keep their names");
  CHECK(first_difference(to_text(parse(R"(
    graph @g(%x: f32[4]) {
      %a = exp %x
      %b = exp %x
      %c = neg %a
      return %a, %b, %c
    })")),
                         to_text(g)) == "");
}
