// Split and slice coalescing: every spelling of a cut ends as one.

#include "tests/passes/pass_test_support.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// The MLA latents of a packed projection, cut by `cuts` into %q, %c and %pe, each with a user.
std::string mla(std::string_view cuts) {
  return "graph @g(%p: bf16[T, 2112]) {\n" + std::string(cuts) +
         "\n%a = neg %q\n%b = neg %c\n%d = neg %pe\nreturn %a, %b, %d }";
}

const std::string flat = mla("%q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}");

}  // namespace

TEST_CASE("all spellings of the MLA split become one flat split") {
  const char* const spellings[] = {
      "%q, %c, %pe = split %p {axis = -1, sizes = [1536, 512, 64]}",
      "%q, %c, %pe = split %p {axis = 1, sizes = [1536, 512, 64]}",
      "%q, %kv = split %p {axis = -1, sizes = [1536, 576]}\n%c, %pe = split %kv {axis = -1, sizes = [512, 64]}",
      "%q, %kv = split %p {axis = 1, sizes = [1536, 576]}\n%c, %pe = split %kv {axis = -1, sizes = [512, 64]}",
      "%qc, %pe = split %p {axis = -1, sizes = [2048, 64]}\n%q, %c = split %qc {axis = -1, sizes = [1536, 512]}",
      "%q = slice %p {axis = -1, start = 0, end = 1536}\n%c = slice %p {axis = -1, start = 1536, end = 2048}\n"
      "%pe = slice %p {axis = -1, start = 2048, end = 2112}",
      "%pe = slice %p {axis = 1, start = 2048, end = 2112}\n%c = slice %p {axis = -1, start = 1536, end = 2048}\n"
      "%q = slice %p {axis = -1, start = 0, end = 1536}",
      "%q = slice %p {axis = -1, start = 0, end = 1536}\n%kv = slice %p {axis = -1, start = 1536, end = 2112}\n"
      "%c, %pe = split %kv {axis = -1, sizes = [512, 64]}",
      "%q, %kv = split %p {axis = -1, sizes = [1536, 576]}\n%c = slice %kv {axis = -1, start = 0, end = 512}\n"
      "%pe = slice %kv {axis = -1, start = 512, end = 576}",
      // Parts of several splits of one value.
      "%q, %kv = split %p {axis = -1, sizes = [1536, 576]}\n%qc, %pe = split %p {axis = -1, sizes = [2048, 64]}\n"
      "%c = slice %p {axis = -1, start = 1536, end = 2048}",
      "%q, %x1 = split %p {axis = -1, sizes = [1536, 576]}\n%x2, %kv = split %p {axis = -1, sizes = [1536, 576]}\n"
      "%c, %x3 = split %kv {axis = -1, sizes = [512, 64]}\n%x4, %pe = split %kv {axis = -1, sizes = [512, 64]}",
  };
  for (const char* cuts : spellings) {
    INFO(cuts);
    CHECK(pass_difference(pass::splits, mla(cuts), flat) == "");
  }
}

TEST_CASE("slices with gaps between them become a split with parts for the gaps") {
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%x: f32[4, 10]) {
      %a = slice %x {axis = 1, start = 1, end = 3}
      %b = slice %x {axis = 1, start = 5, end = 9}
      return %a, %b
    })",
                        R"(
    graph @g(%x: f32[4, 10]) {
      %0, %a, %1, %b, %2 = split %x {axis = -1, sizes = [1, 2, 2, 4, 1]}
      return %a, %b
    })") == "");
}

TEST_CASE("slices of an axis of symbolic length leave a symbolic rest") {
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%x: f32[N]) {
      %a = slice %x {axis = 0, start = 0, end = 3}
      %b = slice %x {axis = 0, start = 3, end = N}
      return %a, %b
    })",
                        R"(
    graph @g(%x: f32[N]) {
      %a, %b = split %x {axis = -1, sizes = [3, N - 3]}
      return %a, %b
    })") == "");
}

TEST_CASE("symbolic sizes are put in order where that can be proved") {
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%x: f32[Q + C + P]) {
      %q, %kv = split %x {axis = 0, sizes = [Q, C + P]}
      %c, %p = split %kv {axis = 0, sizes = [C, P]}
      return %q, %c, %p
    })",
                        R"(
    graph @g(%x: f32[Q + C + P]) {
      %q, %c, %p = split %x {axis = -1, sizes = [Q, C, P]}
      return %q, %c, %p
    })") == "");
  // Every part starts before it ends: 4 <= N - 2.
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%x: f32[N]) {
      %b = slice %x {axis = 0, start = 4, end = N - 2}
      %a = slice %x {axis = 0, start = 0, end = 4}
      return %a, %b
    })",
                        R"(
    graph @g(%x: f32[N]) {
      %a, %b, %0 = split %x {axis = -1, sizes = [4, N - 6, 2]}
      return %a, %b
    })") == "");
  // Nobody knows whether A < B.
  Graph g = parse(R"(
    graph @g(%x: f32[N], %a: f32[A], %b: f32[B]) {
      %y = slice %x {axis = -1, start = 0, end = A}
      %z = slice %x {axis = -1, start = B, end = N}
      return %y, %z
    })");
  const PassResult r = run_pass(pass::splits, g);
  CHECK_FALSE(r.changed);
  REQUIRE(r.near_misses.size() == 1);
  CHECK(r.near_misses[0].predicate == "the bounds of the parts cannot be put in order");
}

TEST_CASE("a part that is used as a whole and cut, too, stays, and its cuts stay nested") {
  const std::string nested = R"(
    graph @g(%p: bf16[T, 2112]) {
      %q, %kv = split %p {axis = -1, sizes = [1536, 576]}
      %c, %pe = split %kv {axis = -1, sizes = [512, 64]}
      return %q, %kv, %c, %pe
    })";
  CHECK(kept_difference(pass::splits, nested) == "");
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%p: bf16[T, 2112]) {
      %c = slice %p {axis = -1, start = 1536, end = 2048}
      %q, %kv = split %p {axis = -1, sizes = [1536, 576]}
      %pe = slice %p {axis = -1, start = 2048, end = 2112}
      return %q, %kv, %c, %pe
    })",
                        nested) == "");
}

TEST_CASE("splits along another axis are never merged") {
  // vLLM #57299
  CHECK(kept_difference(pass::splits, R"(
    graph @g(%x: f32[8, 8]) {
      %a, %b = split %x {axis = -1, sizes = [4, 4]}
      %c, %d = split %x {axis = -2, sizes = [4, 4]}
      return %a, %b, %c, %d
    })") == "");
  CHECK(kept_difference(pass::splits, R"(
    graph @g(%x: f32[8, 8]) {
      %a, %b = split %x {axis = -1, sizes = [4, 4]}
      %c, %d = split %b {axis = -2, sizes = [4, 4]}
      return %a, %c, %d
    })") == "");
}

TEST_CASE("groups along two axes of one value, one inside the other, are both coalesced") {
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%x: f32[8, 8]) {
      %a = slice %x {axis = 1, start = 0, end = 4}
      %b = slice %x {axis = 1, start = 4, end = 8}
      %c = slice %b {axis = 0, start = 0, end = 2}
      %d = slice %b {axis = 0, start = 2, end = 8}
      return %a, %c, %d
    })",
                        R"(
    graph @g(%x: f32[8, 8]) {
      %a, %b = split %x {axis = -1, sizes = [4, 4]}
      %c, %d = split %b {axis = -2, sizes = [2, 6]}
      return %a, %c, %d
    })") == "");
}

TEST_CASE("equal parts that are cut along another axis are cut once") {
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%x: f32[8, 8]) {
      %a, %b = split %x {axis = 1, sizes = [4, 4]}
      %b2 = slice %x {axis = 1, start = 4, end = 8}
      %c = slice %b {axis = 0, start = 0, end = 2}
      %d = slice %b2 {axis = 0, start = 2, end = 8}
      return %a, %c, %d
    })",
                        R"(
    graph @g(%x: f32[8, 8]) {
      %a, %b = split %x {axis = -1, sizes = [4, 4]}
      %c, %d = split %b {axis = -2, sizes = [2, 6]}
      return %a, %c, %d
    })") == "");
}

TEST_CASE("parts that overlap are left alone, with the reason") {
  Graph g = parse(R"(
    graph @g(%x: f32[12]) {
      %a = slice %x {axis = -1, start = 0, end = 8}
      %b = slice %x {axis = -1, start = 4, end = 12}
      return %a, %b
    })");
  const PassResult r = run_pass(pass::splits, g);
  CHECK_FALSE(r.changed);
  CHECK(r.candidates == 1);
  REQUIRE(r.near_misses.size() == 1);
  CHECK(r.near_misses[0].predicate == "parts overlap, and neither contains the other");
  CHECK(r.near_misses[0].example == "%a [0, 8) and %b [4, 12)");
}

TEST_CASE("slices of slices become one slice") {
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%x: f32[100]) {
      %a = slice %x {axis = 0, start = 10, end = 90}
      %b = slice %a {axis = 0, start = 5, end = 70}
      %c = slice %b {axis = 0, start = 1, end = 3}
      return %c
    })",
                        R"(
    graph @g(%x: f32[100]) {
      %c = slice %x {axis = -1, start = 16, end = 18}
      return %c
    })") == "");
}

TEST_CASE("a lone slice, a lone split and strided slices stay") {
  CHECK(kept_difference(pass::splits, R"(
    graph @g(%x: f32[12], %y: f32[12], %z: f32[12]) {
      %a = slice %x {axis = -1, start = 0, end = 8}
      %b, %c = split %y {axis = -1, sizes = [4, 8]}
      %d = slice %z {axis = -1, start = 0, end = 12, step = 2}
      %e = slice %z {axis = -1, start = 1, end = 12, step = 2}
      return %a, %c, %d, %e
    })") == "");
}

TEST_CASE("a strided slice of a part is a user of the part") {
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%x: f32[12]) {
      %a = slice %x {axis = -1, start = 0, end = 8}
      %b = slice %x {axis = -1, start = 8, end = 12}
      %d = slice %a {axis = -1, start = 0, end = 8, step = 2}
      return %b, %d
    })",
                        R"(
    graph @g(%x: f32[12]) {
      %a, %b = split %x {axis = -1, sizes = [8, 4]}
      %d = slice %a {axis = -1, start = 0, end = 8, step = 2}
      return %b, %d
    })") == "");
}

TEST_CASE("equal parts under two output names keep both names") {
  Graph g = parse(R"(
    graph @g(%x: f32[12]) {
      %a, %b = split %x {axis = -1, sizes = [8, 4]}
      %c = slice %x {axis = -1, start = 0, end = 8}
      return %a, %b, %c
    })");
  const PassResult r = run_pass(pass::splits, g);
  CHECK_FALSE(r.changed);
  REQUIRE(r.near_misses.size() == 1);
  CHECK(r.near_misses[0].predicate == "equal parts are outputs of the graph, which keep their names");
}

TEST_CASE("empty parts are cut, too") {
  CHECK(pass_difference(pass::splits, R"(
    graph @g(%x: f32[8]) {
      %a, %e, %b = split %x {axis = 0, sizes = [4, 0, 4]}
      %c, %d = split %b {axis = 0, sizes = [1, 3]}
      return %a, %c, %d, %e
    })",
                        R"(
    graph @g(%x: f32[8]) {
      %a, %e, %c, %d = split %x {axis = -1, sizes = [4, 0, 1, 3]}
      return %a, %c, %d, %e
    })") == "");
}

TEST_CASE("the new split carries the scope of the cuts") {
  Graph g = parse(R"(
    graph @g(%x: f32[8]) {
      %a, %b = split %x {axis = -1, sizes = [4, 4]}
      %c, %d = split %b {axis = -1, sizes = [1, 3]}
      return %a, %c, %d
    })");
  g.set_scope(g.first(), g.context().intern("model.layers.0"));
  run_pass(pass::splits, g);
  REQUIRE(g.num_nodes() == 1);
  CHECK(g.scope(g.first()).view() == "model.layers.0");
}
