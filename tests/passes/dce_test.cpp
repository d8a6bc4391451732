// Dead code elimination.

#include "tests/passes/pass_test_support.h"

using namespace tandem;
using namespace tandem::test;

TEST_CASE("dce removes what nobody uses, users first") {
  CHECK(pass_difference(pass::dce, R"(
    graph @g(%x: f32[4], %y: f32[4]) {
      %a = add %x, %y
      %b = mul %a, %y
      %c = exp %b
      return %a
    })",
                        R"(
    graph @g(%x: f32[4], %y: f32[4]) {
      %a = add %x, %y
      return %a
    })") == "");
}

TEST_CASE("dce keeps a node of which one result is used") {
  CHECK(kept_difference(pass::dce, R"(
    graph @g(%x: f32[8]) {
      %a, %b = split %x {axis = -1, sizes = [4, 4]}
      return %b
    })") == "");
}

TEST_CASE("dce keeps inputs and weights that lose their last user") {
  Graph g = parse(R"(
    graph @g(%x: f32[4], %w: f32[4] = weight) {
      %a = add %x, %w
      return %x
    })");
  const PassResult r = run_pass(pass::dce, g);
  CHECK(r.matches == 1);
  CHECK(g.weights().size() == 1);
  CHECK(g.inputs().size() == 1);
}

namespace {

void infer_like_operand(Inference& in) {
  in.results.push_back(in.operands[0]);
}

/// A context with an op that writes somewhere and one that talks to other ranks, as an engine would add them.
std::shared_ptr<Context> engine_context() {
  auto context = Context::create();
  context->register_op({.name = "log_tensor",
                        .signature = "(x) -> y",
                        .traits = trait::none,
                        .infer = infer_like_operand,
                        .doc = "Writes x to a log.",
                        .decompose = nullptr});
  context->register_op({.name = "all_reduce",
                        .signature = "(x) -> y",
                        .traits = trait::pure | trait::collective,
                        .infer = infer_like_operand,
                        .doc = "Sums over all ranks.",
                        .decompose = nullptr});
  return context;
}

}  // namespace

TEST_CASE("dce keeps effects and collectives, and says so") {
  Graph g = parse_text(engine_context(), R"(
    graph @g(%x: f32[4]) {
      %a = exp %x
      %b = log_tensor %a
      %c = all_reduce %x
      %d = neg %c
      return %x
    })");
  const PassResult r = run_pass(pass::dce, g);
  CHECK(r.matches == 1);  // neg
  CHECK(g.num_nodes() == 3);
  REQUIRE(r.near_misses.size() == 1);
  CHECK(r.near_misses[0].predicate == "the node has an effect");
  CHECK(r.near_misses[0].count == 2);
}

TEST_CASE("cse never merges collectives or effects") {
  Graph g = parse_text(engine_context(), R"(
    graph @g(%x: f32[4]) {
      %a = all_reduce %x
      %b = all_reduce %x
      %c = log_tensor %x
      %d = log_tensor %x
      return %a, %b, %c, %d
    })");
  CHECK_FALSE(run_pass(pass::cse, g).changed);
}
