// No-op elimination.

#include "tests/passes/pass_test_support.h"

using namespace tandem;
using namespace tandem::test;

namespace {

/// A graph whose node `%y = <node>` reads %x or what `before` makes, and is read by a neg.
std::string graph_with(std::string_view type, std::string_view nodes) {
  return "graph @g(%x: " + std::string(type) + ") {\n" + std::string(nodes) + "\n%z = neg %y\nreturn %z }";
}
std::string without(std::string_view type) {
  return "graph @g(%x: " + std::string(type) + ") {\n%z = neg %x\nreturn %z }";
}
/// Runs noops, then dce for what was passed by.
PassResult noops_then_dce(Graph& graph, PassContext& context) {
  PassResult r = pass::noops(graph, context);
  r.changed = pass::dce(graph, context).changed || r.changed;
  return r;
}

}  // namespace

TEST_CASE("noops removes nodes that return their operand") {
  const char* const nodes[] = {
      "%y = identity %x",
      "%y = reshape %x {shape = [T, 8]}",
      "%y = transpose %x {perm = [0, 1]}",
      "%y = cast %x {dtype = f32}",
      "%y = expand %x {shape = [T, 8]}",
      "%y = slice %x {axis = 1, start = 0, end = 8}",
      "%y = slice %x {axis = 0, start = 0, end = T}",
      "%y = split %x {axis = 1, sizes = [8]}",
      "%y = concat %x {axis = 1}",
      "%y = pad %x {low = [0, 0], high = [0, 0], value = 3.0}",
      "%t = transpose %x {perm = [1, 0]}\n%y = transpose %t {perm = [1, 0]}",
      "%t = reshape %x {shape = [T, 2, 4]}\n%y = reshape %t {shape = [T, 8]}",
      "%t = reshape %x {shape = [T * 8]}\n%u = reshape %t {shape = [8, T]}\n%y = reshape %u {shape = [T, 8]}",
      "%a, %b = split %x {axis = 1, sizes = [3, 5]}\n%y = concat %a, %b {axis = -1}",
      "%a = identity %x\n%b = cast %a {dtype = f32}\n%c = reshape %b {shape = [T, 8]}\n%y = identity %c",
  };
  for (const char* text : nodes) {
    INFO(text);
    CHECK(pass_difference(noops_then_dce, graph_with("f32[T, 8]", text), without("f32[T, 8]")) == "");
  }
}

TEST_CASE("noops leaves what does something") {
  const char* const nodes[] = {
      "%y = reshape %x {shape = [8, T]}",
      "%y = transpose %x {perm = [1, 0]}",
      "%y = cast %x {dtype = f16}",
      "%y = expand %x {shape = [2, T, 8]}",
      "%y = slice %x {axis = 1, start = 0, end = 7}",
      "%y = slice %x {axis = 1, start = 1, end = 8}",
      "%y = slice %x {axis = 1, start = 0, end = 8, step = 2}",
      "%y = pad %x {low = [0, 0], high = [0, 1]}",
      "%a, %b = split %x {axis = 1, sizes = [3, 5]}\n%y = concat %b, %a {axis = 1}",
      "%a, %b = split %x {axis = 1, sizes = [4, 4]}\n%y = concat %a, %b {axis = 0}",
      "%a, %b, %c = split %x {axis = 1, sizes = [4, 2, 2]}\n%d = neg %c\n%e = concat %a, %b {axis = 1}\n"
      "%y = concat %e, %d {axis = 1}",
      "%y = concat %x, %x {axis = 1}",
      "%t = cast %x {dtype = bf16}\n%y = cast %t {dtype = f32}",  // rounds
  };
  for (const char* text : nodes) {
    INFO(text);
    CHECK(kept_difference(noops_then_dce, graph_with("f32[T, 8]", text)) == "");
  }
}

TEST_CASE("a slice of every second element of one is everything") {
  CHECK(pass_difference(pass::noops, graph_with("f32[1]", "%y = slice %x {axis = 0, start = 0, end = 1, step = 2}"),
                        without("f32[1]")) == "");
}

TEST_CASE("noops shortens a chain of reshapes to one, and leaves the others to their users") {
  CHECK(pass_difference(pass::noops, R"(
    graph @g(%x: f32[4, 6]) {
      %a = reshape %x {shape = [24]}
      %b = reshape %a {shape = [2, 12]}
      %c = reshape %b {shape = [3, 8]}
      %d = neg %a
      return %c, %d
    })",
                        R"(
    graph @g(%x: f32[4, 6]) {
      %a = reshape %x {shape = [24]}
      %c = reshape %x {shape = [3, 8]}
      %d = neg %a
      return %c, %d
    })") == "");
}

TEST_CASE("noops composes transposes") {
  CHECK(pass_difference(pass::noops, R"(
    graph @g(%x: f32[2, 3, 4]) {
      %a = transpose %x {perm = [1, 2, 0]}
      %b = transpose %a {perm = [0, 2, 1]}
      return %b
    })",
                        R"(
    graph @g(%x: f32[2, 3, 4]) {
      %b = transpose %x {perm = [1, 0, 2]}
      return %b
    })") == "");
}

TEST_CASE("noops lets an output keep its name") {
  Graph g = parse(R"(
    graph @g(%x: f32[4]) {
      %y = identity %x
      %z = neg %y
      return %y, %z
    })");
  const PassResult r = run_pass(pass::noops, g);
  REQUIRE(r.near_misses.size() == 1);
  CHECK(r.near_misses[0].predicate == "an output of the graph keeps its name");
  CHECK(first_difference(to_text(parse(R"(
    graph @g(%x: f32[4]) {
      %y = identity %x
      %z = neg %x
      return %y, %z
    })")),
                         to_text(g)) == "");
  CHECK(pass_difference(pass::noops, R"(
    graph @g(%x: f32[4]) {
      %inner = exp %x
      %out = identity %inner
      return %out
    })",
                        R"(
    graph @g(%x: f32[4]) {
      %out = exp %x
      return %out
    })") == "");
}

TEST_CASE("noops is done with a long chain in one walk") {
  std::string text = "graph @g(%x: f32[64]) {\n%v0 = reshape %x {shape = [8, 8]}\n";
  for (int i = 0; i < 1000; ++i) {
    text += "%v" + std::to_string(i + 1) + " = reshape %v" + std::to_string(i) +
            (i % 2 == 0 ? " {shape = [4, 16]}\n" : " {shape = [8, 8]}\n");
  }
  Graph g = parse(text + "return %v1000 }");
  run_pass(pass::noops, g);
  CHECK(g.num_nodes() == 1);
}
