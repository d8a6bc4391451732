// Fusions as a kernel author writes them, graphs with one fault or two, and what is told of them.
#include <memory>
#include <string>

#include "tests/support/catch.h"

#include <tandem/ir/io/text.h>
#include <tandem/passes/explain.h>
#include <tandem/passes/pattern/text.h>

using namespace tandem;

namespace {

struct Example {
  std::string fusion, graph;
};

/// What misses, one line a site: "1: attribute: axis of softmax (%p) is -1 but it is -2 [12:24]", with "; " between
/// predicates and the run in front; "fired N" in the first line where sites fired.
std::string told(const Example& e, const std::string& from = "", const std::string& to = "") {
  const auto context = Context::create();
  const std::vector<Pattern> patterns = parse_fusions(e.fusion, "mine.fusion");
  const FusionSet set = FusionSet::shipped(context, patterns);
  std::string graph = e.graph;
  if (!from.empty()) {
    const std::size_t at = graph.find(from);
    REQUIRE(at != std::string::npos);
    graph.replace(at, from.size(), to);
  }
  PassConfig config;
  config.numerics = Numerics::relaxed;
  const FusionExplanation x = explain_fusion(parse_text(context, graph), patterns.at(0).name, config,
                                             parse_target("rocm:gfx942"), {.fusions = &set});
  std::string out = x.fired.empty() ? "" : "fired " + std::to_string(x.fired.size()) + "\n";
  for (const auto& m : x.missed) {
    std::string failures;
    for (const FailedPredicate& f : m.failures) {
      failures += (failures.empty() ? "" : "; ") + std::string(to_string(f.cause)) + ": " + f.predicate + " but " +
                  f.found + " [" + std::to_string(f.span.line) + ":" + std::to_string(f.span.column) + "]";
      CHECK((!f.in_pattern.empty() || !f.in_graph.empty()));
    }
    for (std::size_t i = 0; i < m.sites.size(); ++i)
      out += std::to_string(m.run) + ": " + failures + "\n";
  }
  return out;
}

const Example attention = {R"(fusion attention_temperature {
  numerics  relaxed
  types     T in {bf16, f16, f32}
  dims      M, N, D, E
  match {
    in %q: T[..B, M, D], %k: T[..B, N, D], %v: T[..B, N, E], %mask: T[M, N]
    %kt = transpose(%k) {perm = [0, 2, 1]}
    %s = matmul(%q, %kt)
    keep %t = full() {shape = [], value = $t, dtype = any}
    %st = div(%s, %t)
    %sm = add(%st, %mask)
    %p = softmax(%sm) {axis = -1}
    %y = matmul(%p, %v)
  }
  where { $t > 0.0 }
  rewrite { %a = attention(%q, %k, %v, %mask) {scale = 1.0 / $t}  %y = %a }
})",
                           R"(graph @g(%q: bf16[H, M, 64], %k: bf16[H, N, 64], %v: bf16[H, N, 32], %mask: bf16[M, N]) {
  %kt = transpose %k {perm = [0, 2, 1]}
  %s = matmul %q, %kt
  %t = full {shape = [], value = 8.0, dtype = bf16}
  %st = div %s, %t
  %sm = add %st, %mask
  %p = softmax %sm {axis = -1}
  %y = matmul %p, %v
  return %y
})"};

const Example gated = {R"(fusion gated {
  types T in {f32}
  dims  H
  match {
    %g, %u = split(%x) {axis = -1, sizes = [H, H]}
    %a = gelu(%g) {tanh_approximation = true}
    %m = mul(%a, %u)
  }
  rewrite { %new = fused_silu_and_mul(%x)  %m = %new }
})",
                       R"(graph @g(%x: f32[T, 8]) {
  %g, %u = split %x {axis = -1, sizes = [4, 4]}
  %a = gelu %g {tanh_approximation = true}
  %m = mul %a, %u
  return %m
})"};

const Example partial_rope = {R"(fusion partial_rope {
  dims N, R
  match {
    %still = slice(%x) {axis = -1, start = 0, end = N}
    %turning = slice(%x) {axis = -1, start = N, end = N + 2 * R}
    %turned = rope(%turning, %cos, %sin) {interleaved = true}
    %y = concat(%still, %turned) {axis = -1}
    unless { _ = cast(%y) {dtype = f32} }
  }
  rewrite { %new = identity(%x)  %y = %new }
})",
                              R"(graph @g(%x: bf16[T, 96], %cos: bf16[T, 16], %sin: bf16[T, 16]) {
  %still = slice %x {axis = -1, start = 0, end = 64}
  %turning = slice %x {axis = -1, start = 64, end = 96}
  %turned = rope %turning, %cos, %sin {interleaved = true}
  %y = concat %still, %turned {axis = -1}
  return %y
})"};

}  // namespace

TEST_CASE("a fault is named with its predicate and place: attributes, operands, users, guards", "[explain]") {
  CHECK(told(attention) == "fired 1\n");
  CHECK(told(attention, "axis = -1", "axis = -2") == "2: attribute: axis of softmax (%p) is -1 but it is -2 [12:24]\n");
  CHECK(told(attention, "div %s, %t", "div %t, %s") ==
        "2: operand-order: div (%st) reads %s, then %t but div (%st) reads them the other way round [10:5]\n");
  CHECK(told(attention, "return %y", "return %y, %p") ==
        "2: other-use: %p has no other user but %p is an output of the graph [12:5]\n");
  CHECK(told(attention, "value = 8.0", "value = -8.0") ==
        "2: guard: $t > 0.0 but it does not hold where $t = -8.0 [15:11]\n");
  CHECK(told(attention, "%mask: bf16[M, N]", "%mask: bf16[N]") ==
        "2: rank: %mask has 2 dims but %mask is bf16[N] [6:62]\n");
}

TEST_CASE("a step of several operands that a model leaves out is one thing that is missing", "[explain]") {
  CHECK(told(attention, "%sm = add %st, %mask\n  %p = softmax %sm", "%p = softmax %st") ==
        "2: missing: add (%sm) reads %st but %st is used by softmax only [11:5]\n");
  CHECK(told(attention, "%st = div %s, %t\n  %sm = add %st", "%sm = add %s") ==
        "2: missing: div (%st) reads %s but %s is used by add only [10:5]\n");
}

TEST_CASE("two results that change places are one fault, one that is read twice is another", "[explain]") {
  CHECK(told(gated, "gelu %g {tanh_approximation = true}\n  %m = mul %a, %u",
             "gelu %u {tanh_approximation = true}\n  %m = mul %a, %g") ==
        "2: result-index: %g is result 0 of split, %u result 1 but %g and %u change places [5:5]\n");
  CHECK(told(gated, "gelu %g", "gelu %u") ==
        "2: result-index: %g is result 0 of split but %u is result 1 of it [5:5]\n");
}

TEST_CASE("of dims that do not agree the odd one is named, not those that follow from it", "[explain]") {
  const Example halves = {R"(fusion halves {
  types T in {f32}
  dims  H
  match {
    in %x: T[.., 2 * H], %w: T[2 * H], %v: T[2 * H]
    %n = rms_norm(%x, %w) {eps = $eps}
    %m = mul(%n, %v)
    %a, %b, %c = split(%m) {axis = -1, sizes = [H, ...]}
    %d = mul(%a, %b)
    %y = concat(%d, %c) {axis = -1}
  }
  rewrite { %new = abs(%x)  %y = %new }
})",
                          R"(graph @g(%x: f32[T, 8], %w: f32[8], %v: f32[8]) {
  %n = rms_norm %x, %w {eps = 1e-06}
  %m = mul %n, %v
  %a, %b, %c = split %m {axis = -1, sizes = [3, 3, 2]}
  %d = mul %a, %b
  %y = concat %d, %c {axis = -1}
  return %y
})"};
  CHECK(told(halves) == "2: dims: sizes[0] of split (%a) is H but it is 3, where H = 4 [8:40]\n");
}

TEST_CASE("two faults at one site are both told", "[explain]") {
  CHECK(told(gated, "%a = gelu %g {tanh_approximation = true}\n  %m = mul %a, %u\n  return %m",
             "%a = gelu %g\n  %m = mul %a, %u\n  return %m, %u") ==
        "2: attribute: tanh_approximation of gelu (%a) is true but it is false [6:20]; "
        "other-use: %u has no other user but %u is an output of the graph [5:5]\n");
  // What stands in another op's place has users, too; and where a step is left out, what is in front of it.
  CHECK(told(attention, "%sm = add %st, %mask\n  %p = softmax %sm {axis = -1}\n  %y = matmul %p, %v\n  return %y",
             "%sm = sub %st, %mask\n  %p = softmax %sm {axis = -1}\n  %y = matmul %p, %v\n  return %y, %sm") ==
        "2: other-op: add (%sm) reads %st but sub (%sm) reads %st instead [11:5]; "
        "other-use: %sm has no other user but %sm is an output of the graph [11:5]\n");
  CHECK(told(attention, "%sm = add %st, %mask\n  %p = softmax %sm {axis = -1}\n  %y = matmul %p, %v\n  return %y",
             "%p = softmax %st {axis = -1}\n  %y = matmul %p, %v\n  return %y, %s") ==
        "2: missing: add (%sm) reads %st but %st is used by softmax only [11:5]; "
        "other-use: %s has no other user but %s is an output of the graph [8:5]\n");
  // Not a softmax in the place of another op: it stands behind one.
  CHECK(told(attention, "%p = softmax %sm {axis = -1}", "%n = neg %sm\n  %p = softmax %n {axis = -2}") ==
        "2: in-between: softmax (%p) reads %sm as it is but neg (%n) stands in between [12:5]; "
        "attribute: axis of softmax (%p) is -1 but it is -2 [12:24]\n");
}

TEST_CASE("a site is told of as the run met it in which it came nearest", "[explain]") {
  CHECK(told(partial_rope) == "fired 1\n");
  // Before the second run the slices have become a split.
  CHECK(told(partial_rope, "interleaved = true", "interleaved = false") ==
        "1: attribute: interleaved of rope (%turned) is true but it is false [6:43]\n");
  CHECK(told(partial_rope, "return %y", "%f = cast %y {dtype = f32}\n  return %f") ==
        "1: unless: the part under 'unless' is not there but cast (%f) is there [8:5]\n");
}

TEST_CASE("one split stands for several slices, and that is one thing to match", "[explain]") {
  CHECK(
      told(
          partial_rope,
          "%still = slice %x {axis = -1, start = 0, end = 64}\n  %turning = slice %x {axis = -1, start = 64, end = 96}",
          "%still, %turning = split %x {axis = -1, sizes = [64, 32]}") ==
      "2: other-op: %turning is computed by slice but %turning is computed by split [5:5]\n");
}

TEST_CASE("what a fusion made itself is no site that it missed", "[explain]") {
  // The right side has a matmul and a softmax where the match has them, too.
  const Example reciprocal = {R"(fusion temperature {
  numerics relaxed
  match {
    %st = div(%s, %t)
    %sm = add(%st, %mask)
    %p = softmax(%sm) {axis = -1}
  }
  rewrite {
    %r = reciprocal(%t)  %a = mul(%s, %r)  %b = add(%a, %mask)  %c = softmax(%b) {axis = -1}
    %p = %c
  }
})",
                              R"(graph @g(%s: f32[M, N], %t: f32[], %mask: f32[M, N]) {
  %st = div %s, %t
  %sm = add %st, %mask
  %p = softmax %sm {axis = -1}
  return %p
})"};
  CHECK(told(reciprocal) == "fired 1\n");
}
